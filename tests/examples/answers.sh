#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# answers.sh FOLDER DIGITS PROGRAMS TOOLS
#
# The programs agree with each other: predict makes as many errors as distill_mnist said, distill_mnist accepts its own
# teacher and then distils the same student, or takes a table of logits in its place, its closing table and its page say
# what its log does, TensorBoard's files have every epoch, custom_dataset learns the same from a table as from two
# arrays, own_teacher's student learns what a table says, few_labels learns more with the images that have no label than
# without, hinton2015's students know digits that they never saw, and pareto names the student that its table says.
set -euo pipefail
folder=$1 digits=$2 programs=$3 tools=$4

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

rm -rf "$folder"
mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT
cd "$folder"

hostile="<script>alert('1')&amp;\"" # as a name it is shown, not obeyed
ln -s "$digits" "$hostile"
run=(--data "$hostile" --recipe recommended --teacher-epochs 1 --epochs 10)
page="trained/$hostile.html"
"$programs/distill_mnist" "${run[@]}" --out trained --tensorboard board --report "$page" >report
predicted=$("$programs/predict" trained/student_distilled.safetensors "$digits")
echo "$predicted"
errors=$(tail -n 1 trained/metrics.jsonl | sed -E 's/.*"errors":([0-9]+).*/\1/')
[[ $predicted == *", $errors errors" ]] || fail "metrics.jsonl says $errors errors, predict: $predicted"
grep -qE "^student distilled .* $errors " report || fail "the table has no $errors errors: $(<report)"
[[ $(grep -c "image [0-4]: [0-9] (it is [0-9])" <<<"$predicted") == 5 ]] || fail "expected five images: $predicted"
if [[ $("$programs/predict" --help) == *onnx* ]]; then
  again=$("$programs/predict" trained/student_distilled.safetensors "$digits" student.onnx)
  [[ $again == "$predicted" && -s student.onnx ]] || fail "predict wrote no ONNX: $again"
fi

# As C, in floats, it makes as many errors; a program of that C reads an image.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
shipped=$("$programs/ship_it" trained/student_distilled.safetensors "$digits" c)
echo "$shipped"
grep -qE "^digit_float32.h +$errors " <<<"$shipped" || fail "in floats ship_it expects other errors than $errors"
(($(grep -cE "^digit_(float32|bfloat16|int8|int4).h +[0-9]+ +[0-9.]+ % +[0-9]+ +[0-9]+$" <<<"$shipped") == 4)) ||
  fail "expected four files: $shipped"
if command -v cc >/dev/null; then
  {
    printf 'P5\n28 28\n255\n'
    if [[ -f $digits/t10k-images-idx3-ubyte.gz ]]; then
      gunzip -c "$digits/t10k-images-idx3-ubyte.gz"
    else
      cat "$digits/t10k-images-idx3-ubyte"
    fi | tail -c +17 | head -c 784
  } >image.pgm || true # head leaves before gunzip is done
  first=$(sed -nE 's/^image 0: ([0-9]) .*/\1/p' <<<"$predicted")
  for form in float32 bfloat16 int8; do
    cc -std=c99 -Wall -Wextra -Wpedantic -Werror -include "c/digit_$form.h" "$here/../../examples/ship_it/read_digit.c" -o read_digit
    [[ $(./read_digit image.pgm) == "$first" ]] || fail "read_digit in $form reads $(./read_digit image.pgm), predict $first"
  done
  alone=$("$programs/read_digit" trained/student_distilled.safetensors image.pgm)
  [[ $alone == "$first ("*" %)" ]] || fail "read_digit by predict.hpp reads $alone, predict $first"
  head -c 100 image.pgm >short.pgm
  sed '1,3s/^255$/15/' image.pgm >dim.pgm
  sed '1,3s/^255$/2550/' image.pgm >deep.pgm
  sed '1,3s/^28 28$/28 27/' image.pgm >flat.pgm
  expected="expected a binary PGM of 28 x 28 pixels with the largest value 255 and no comment"
  for image in short dim deep flat none; do
    [[ $image == none ]] || { ! ./read_digit $image.pgm 2>refusal && [[ $(<refusal) == "$image.pgm: $expected" ]]; } ||
      fail "read_digit.c takes $image.pgm, or says: $(<refusal)"
    ! "$programs/read_digit" trained/student_distilled.safetensors $image.pgm 2>refusal &&
      [[ $(<refusal) == "read_digit: $image.pgm: cannot be read, $expected" ]] ||
      fail "read_digit by predict.hpp takes $image.pgm, or says: $(<refusal)"
  done
  if [[ -e /dev/full ]]; then
    for reader in ./read_digit "$programs/read_digit trained/student_distilled.safetensors"; do
      ! $reader image.pgm >/dev/full 2>refusal || fail "$reader loses its answer to a full disk"
    done
  fi
fi

last() { # OUT PHASE FIELD: of the phase's last epoch
  grep "\"phase\":\"$2\"" "$1/metrics.jsonl" | tail -n 1 | sed -E "s/.*\"$3\":([^,}]*).*/\1/"
}
# The closing table of the run in OUT: recipe, loss and comparison as its log has them, in 80 columns.
check_report() { # OUT REPORT RECIPE IMAGES_OF_STUDENTS LOSS
  local alone distilled expected loss
  sed -n '/^recipe  /,$p' "$2" >closing
  echo "== $3" && cat closing
  [[ $(wc -L <closing) -le 80 ]] || fail "the closing table is wider than 80 columns"
  grep -qxF "recipe  $3: $4 of 500 training images for the students" closing || fail "the table does not name $3, $4"
  grep -qxF "loss    $5" closing || fail "the table lacks $5"
  loss=$(printf %.4f "$(last "$1" distilled loss)")
  grep -qE "^        $loss in the last epoch" closing || fail "the table lacks the last epoch's loss, $loss"
  alone=$(last "$1" alone errors) distilled=$(last "$1" distilled errors)
  expected=$(awk -v alone="$alone" -v distilled="$distilled" 'BEGIN {
    apart = distilled < alone ? alone - distilled : distilled - alone
    if (apart == 0) {
      printf "In this run distillation changed nothing: both students make %d errors.", alone
    } else {
      printf "In this run distillation %s: %d %s %s than alone (%+.1f %%).", distilled < alone ? "helped" : "hurt", apart,
        apart == 1 ? "error" : "errors", distilled < alone ? "fewer" : "more", 100 * (distilled - alone) / alone
    }
  }')
  grep -qxF "$expected" closing || fail "the table does not say: $expected"
}
check_report trained report recommended 500 "HintonLoss(temperature=2, hard_weight=0.3)"
[[ $(<closing) != *"may be negative"* ]] || fail "a loss above 0 is called negative"

for phase in teacher alone distilled; do
  epochs=$(grep -ao accuracy/validation "board/$phase/"events.out.tfevents.* | wc -l)
  [[ $epochs == $(grep -c "\"phase\":\"$phase\"" trained/metrics.jsonl) ]] || fail "board/$phase has $epochs epochs"
done

# check_page FILE...
check_page() {
  if command -v python3 >/dev/null; then
    python3 "$(dirname "${BASH_SOURCE[0]}")/check_page.py" "$@" || fail "a page"
  else
    echo "not tested: that pages are well-formed (needs python3)"
  fi
}
# row PAGE NAME CELLS: whether a table has a row that begins with these cells as its first.
row() { [[ $(tr -d '\n' <"$1") == *"<th scope=\"row\">$2</th>$3"* ]]; }
percent() { awk -v accuracy="$(last trained "$1" accuracy)" 'BEGIN { printf "%.2f", 100 * accuracy }'; }
check_page "$page"
for phase in alone distilled; do
  bytes=$(wc -c <trained/student_$phase.safetensors)
  row "$page" "student $phase" \
    "<td>$(last trained $phase errors)</td><td>$(percent $phase)</td>" ||
    fail "the page lacks the errors of the student $phase"
  [[ $(tr -d '\n' <"$page") == *"<td>16,330</td><td>${bytes:0:-3},${bytes: -3}</td>"* ]] || fail "the page lacks $bytes bytes"
done
confused=$({ grep -oE 'class="wrong"[^>]*>[0-9]+' "$page" || true; } | sed 's/.*>//' | paste -s -d +)
((confused == errors)) || fail "the confusion matrix has $confused, not $errors errors"
[[ $(<"$page") != *"<script"* && $(<"$page") == *"&lt;script&gt;alert(&#39;1&#39;)&amp;amp;&quot;, official split"* ]] ||
  fail "the page obeys the name of a file"
[[ $(<"$page") != *"deviate by"* ]] || fail "the page has a deviation for images that are not augmented"
"$programs/distill_mnist" --data "$digits" --teacher trained/teacher.safetensors --student-shift 3 --rotation 15 --epochs 1 \
  --student-fraction 1 --out shifted --report shifted.html --quiet >/dev/null
deviations=$(grep -oE "deviate by 0\.0[0-9]{4} between groups of 320 of the students.{1,6} augmented images, by 0\.0[0-9]{4} between groups of the images as they are; with one change alone by 0\.0[0-9]{4} \(shift\), 0\.0[0-9]{4} \(rotation\)\." \
  shifted.html | grep -oE "0\.0[0-9]+" | sort -u | wc -l)
[[ $deviations == 4 ]] || fail "the page lacks the deviations of the teacher's mean probabilities"

# Without --recipe the students have one image in twenty.
"$programs/distill_mnist" --data "$digits" --teacher trained/teacher.safetensors --epochs 3 --out few >report
check_report few report few-images 25 "HintonLoss(temperature=4, hard_weight=0.3)"
# The source's loss ends below 0, which takes a sentence.
"$programs/distill_mnist" --data "$digits" --recipe original --split official --teacher trained/teacher.safetensors \
  --epochs 3 --out original --quiet >report
check_report original report original 500 "SoftmaxPassedToKlLoss(temperature=7, hard_weight=0.3)"
[[ $(last original distilled loss) == -* ]] || fail "the loss as written is not below 0: $(last original distilled loss)"
grep -qF "may be negative" closing || fail "no word on a loss below 0"

"$programs/distill_mnist" "${run[@]}" --teacher trained/teacher.safetensors --out loaded --quiet >/dev/null
for file in teacher.safetensors student_alone.safetensors student_distilled.safetensors; do
  cmp "trained/$file" "loaded/$file" || fail "$file differs when the teacher is loaded"
done

# A table that is sure of each label teaches a student that sees no label, whichever of its rows are for its images: with
# other rows it would learn nothing.
npy() { # FILE TYPE SHAPE: a version 1.0 file, to which the elements are appended
  printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '$2', 'fortran_order': False, 'shape': $3, }" >"$1"
}
write_answers() { # FILE CLASSES [BYTE]: logits that are sure of each label, modulo CLASSES: 8, or the float of high BYTE
  local rows='' label class high=${3:-x41}
  for label in $(od -An -v -tu1 -j8 "$digits/train-labels-idx1-ubyte"); do
    for class in {0..9}; do
      ((class == label % $2)) && rows+="\0\0\0\\$high" || rows+='\0\0\0\0'
    done
  done
  npy "$1" '<f4' '(500, 10)' && printf '%b' "$rows" >>"$1"
}
write_answers logits.npy 10
taught=("$programs/distill_mnist" --data "$digits" --recipe recommended --warmup 20 --epochs 40 --hard-weight 0
  --teacher-logits)
"${taught[@]}" logits.npy --out table --report table.html >report
grep -q "^distilled trains by .*; the teacher is logits.npy, without a fingerprint" report || fail "no teacher: $(<report)"
check_report table report recommended 500 "HintonLoss(temperature=2, hard_weight=0)"
grep -qx "teacher a table of logits, logits.npy" closing || fail "the closing table does not say what taught"
check_page table.html
row table.html "student distilled" "<td>$(last table distilled errors)</td>" || fail "the page lacks the errors of table"
grep -q "The teacher is a table of logits, logits.npy" table.html || fail "the page does not say what taught"
if grep -q '<th scope="row">teacher' table.html || grep -q "^teacher  " closing ||
  grep -q '"phase":"teacher"' table/metrics.jsonl || [[ -e table/teacher.safetensors ]]; then
  fail "a table left a network behind: $(ls table)"
fi
some=(--split random --student-fraction 0.5 --quiet)
"${taught[@]}" logits.npy "${some[@]}" --out some >/dev/null
for run in table:200 some:100; do
  errors=$(last "${run%:*}" distilled errors)
  ((100 * errors <= 60 * ${run#*:})) || fail "${run%:*}: $errors of ${run#*:} are wrong, expected at most 60 %"
done

# A run goes on with its own table alone.
"${taught[@]}" logits.npy "${some[@]}" --out some --resume >/dev/null
cp logits.npy other.npy && printf '\x40' | dd of=other.npy bs=1 seek=$((128 + 39)) conv=notrunc status=none
status=0
"${taught[@]}" other.npy "${some[@]}" --out some --resume 2>stderr || status=$?
[[ $status == 2 && $(<stderr) == *"--teacher-logits"*"some/checkpoints/distilled.safetensors"* ]] ||
  fail "goes on with another table: $status, $(<stderr)"
"${taught[@]}" logits.npy --teacher-logits logits.npy "${some[@]}" --out two >report
grep -qx "teacher 2 tables of logits, averaged at temperature 2" report || fail "does not name two tables: $(<report)"
# By its weight a table has a part in the mean or none: of two that differ, the student learns from either.
write_answers unsure.npy 10 x40 # 2 in place of 8
for weights in "1 0" "0 1"; do
  # shellcheck disable=SC2086 # two numbers
  "${taught[@]}" logits.npy unsure.npy --teacher-weight $weights "${some[@]}" --out "weights ${weights/ /}" >report
  grep -qx "teacher 2 tables of logits, averaged at temperature 2 with weights ${weights/ / : }" report ||
    fail "does not name the weights: $(<report)"
done
[[ $(last "weights 10" distilled loss) != $(last "weights 01" distilled loss) ]] || fail "weights change nothing"

# Of own_teacher's three kinds of students two learn the digits, and the third what the table says: 0 to 4 for 5 to 9.
write_answers misled.npy 5
"$programs/own_teacher" "$digits" misled.npy --report own.html | tee own_teacher
grep -qx "Errors on 200 test images; the students have 5 seeds." own_teacher || fail "own_teacher has other images"
mean_of() { sed -nE "s/^$1( +[0-9]+){5}   mean ([0-9]+)(, .*)?$/\2/p" own_teacher; }
alone=$(mean_of "student alone") own=$(mean_of "student of the teacher trained here")
misled=$(mean_of "student of the teacher in the file")
((alone <= 80 && own <= 80 && misled >= 100)) ||
  fail "own_teacher: $alone errors alone, $own by its own teacher, $misled by the table: expected 80, 80, and at least 100"
check_page own.html
# Answers to views have the fingerprint that was written with the views, and teach two students.
"$programs/own_teacher" "$digits" --save-views views.npy
npy answered.npy '<f4' '(16, 500, 10)'
for _ in {1..16}; do tail -c 20000 logits.npy; done >>answered.npy
cp views.npy.json answered.npy.json
"$programs/own_teacher" "$digits" answered.npy | tee own_teacher
[[ $(grep -c "16 views of each image$" own_teacher) == 2 ]] || fail "own_teacher has other students: $(<own_teacher)"
awk '/^student of the teacher in the file/ { split($0, half, "mean "); learnt += half[2] + 0 <= 80 } END { exit learnt != 2 }' own_teacher ||
  fail "own_teacher's students of views have not learnt: $(<own_teacher)"

# Three kinds of flowers that differ in the signs of four numbers, as text and as arrays. The numbers are
# 1 + n / 128 or its negative, n from 0 to 127: floats with n in the third byte, and exact in seven decimals.
flowers=90
npy features.npy '<f4' "($flowers, 4)"
npy labels.npy '|u1' "($flowers,)"
signs=("+ + - -" "+ - + -" "- - + +")
RANDOM=1
for ((i = 0; i < flowers; ++i)); do
  row=
  for sign in ${signs[i % 3]}; do
    n=$((RANDOM % 128))
    row+=$(printf '%s1.%07d,' "${sign#+}" $((n * 78125)))
    top=$([[ $sign == + ]] && echo 3f || echo bf)
    printf '%b' "\\x00\\x00\\x$(printf %x $((128 + n)))\\x$top" >>features.npy
  done
  echo "$row$((i % 3))" >>flowers.csv
  printf '%b' "\\x0$((i % 3))" >>labels.npy
done
mkdir text arrays
(cd text && "$programs/custom_dataset" ../flowers.csv >report)
(cd arrays && "$programs/custom_dataset" ../features.npy ../labels.npy >report)
cat text/report
cmp text/student.safetensors arrays/student.safetensors || fail "custom_dataset learnt something else from the arrays"
cmp text/report arrays/report || fail "custom_dataset reports something else for the arrays"
grep -qE "^student: +0 of 18 " text/report || fail "three kinds of flowers that lie apart are not told apart"

"$tools/make_digits" more_digits 2000 500
"$programs/few_labels" --quick --report few_labels.html more_digits | tee few_labels
grep -qx "100 of 2000 images have a label. Errors on 500 test images:" few_labels || fail "few_labels has other images"
errors_of() { sed -n "s/^$1 \+\([0-9]\+\)  (.*%)\$/\1/p" few_labels; }
alone=$(errors_of "student, from the labels alone") distilled=$(errors_of "student, from the teacher's answers")
check_page few_labels.html
row few_labels.html "student, from the labels alone" "<td>$alone</td>" || fail "few_labels' page has other errors"
((100 * distilled <= 90 * alone)) || fail "few_labels: $distilled errors distilled, $alone alone: expected at most 90 %"

"$programs/hinton2015" --report hinton2015.html --quick "$digits" | tee hinton2015
on_threes() { grep -A "$1" "no 3 in the transfer set" hinton2015 | sed -n 's/^  of these on threes .* \([0-9]\+\)$/\1/p' | tail -1; }
unseen=$(on_threes 1) raised=$(on_threes 3)
((raised < unseen)) || fail "hinton2015: $raised threes are taken for others with a higher bias, $unseen without"
rate() { sed -n "s/^$1 .* \([0-9.]\+\) %\$/\1/p" hinton2015; }
two=$(rate "only 7 and 8 in the transfer set") lowered=$(rate "  the biases of 7 and 8 lowered")
awk -v two="$two" -v lowered="$lowered" 'BEGIN { exit !(0 < lowered && lowered < two) }' ||
  fail "hinton2015: $lowered % errors with lower biases of 7 and 8, $two % without"
(($(grep -c "^  T = " hinton2015) == 12)) || fail "hinton2015 does not compare six temperatures for two widths"
check_page hinton2015.html
row hinton2015.html "only 7 and 8 in the transfer set" "<td>47.3 %</td><td>$two %</td>" ||
  fail "hinton2015's page has another rate"

"$programs/loss_table" --quick --out table --report table.html "$digits" 2>/dev/null | tee loss_table
(($(grep -cE "^[a-zA-Z ]+ [0-9.]+ \+- +[0-9.]+ " loss_table) == 32)) || fail "loss_table does not compare 16 rows for two students"
awk '/^alone/ { learnt += $2 < 100 } END { exit learnt != 2 }' loss_table || fail "loss_table: a student alone has not learnt"
rows() { tr -d '\n' <table.html | grep -oE '<tr><th scope="row">.*</tr>' | sed 's|</tr>|\n|g'; }
[[ $(rows | sed -nE 's/.*<th scope="row">alone<.th><td>([0-9.]+) .*/\1/p' | xargs) == "$(awk '/^alone/ { print $2 }' loss_table | xargs)" ]] ||
  fail "loss_table's page has other students alone"
check_page table.html
# As if it had been killed there.
rm table/final/{losses/13,dist/1,born_again_196-64-48-10/1}.safetensors table/final/assistant.checkpoint
"$programs/loss_table" --quick --out table "$digits" 2>/dev/null | cmp - loss_table ||
  fail "loss_table ends with another table where it goes on"
# A part of the table has the same figures.
"$programs/loss_table" --quick "$digits" --students 196-64-48-10 --losses swapped "born again" 2>/dev/null | tail -n 3 >part
sed '1,/^196-64-48-10/d' loss_table | grep -E "^(alone|born again|swapped) " | cmp - part ||
  fail "loss_table has other figures for a part of its losses: $(<part)"

"$programs/pareto" --quick --out pareto --report pareto.html "$digits" 2>/dev/null | tee sizes
forms() { sed -nE 's/^([0-9-]+) ([* ])  (float32|int8|int4) +([0-9]+) .* ([0-9.]+) \+- +[0-9.]+ +([0-9.]+) \+- .*/\1 \3 \4 \5 \6 \2/p' "$1"; }
forms sizes >forms
(($(wc -l <forms) == 15)) || fail "pareto does not compare five widths in three forms"
awk '{ learnt += $4 > 60 } END { exit learnt < 10 }' forms || fail "pareto: the students have not learnt"
# What fits is the most accurate on images held out, and its file says how it answers test images.
read -r student form bytes _ right _ < <(awk '$3 <= 10000' forms | LC_ALL=C sort -s -k4,4nr | head -1)
tail -1 sizes | tr -d , | grep -qx "Within 10000 bytes: $student in $form $bytes bytes $right % of the test images pareto/${student}_$form.h." ||
  fail "pareto chooses another than $student in $form: $(tail -1 sizes)"
grep -qE "[0-9]+ of $(sed -n 's/.*held out, \([0-9,]*\) test images/\1/p' sizes | tr -d ,) samples right" "pareto/${student}_$form.h" ||
  fail "the file of $student in $form does not say how it answers test images"
(($(grep -c ' \*$' forms) > 0 && $(ls pareto/*.h | wc -l) == 15)) || fail "pareto marks nothing, or writes other than 15 files"
if command -v python3 >/dev/null; then
  python3 "$here/check_page.py" pareto.html || fail "pareto's page"
fi
# As if it had been killed there, on a machine without a C compiler; and nothing fits.
rm pareto/choice/7.safetensors pareto/final/{3,18}.safetensors pareto/*.h
PATH=/nowhere "$programs/pareto" --quick --out pareto --budget 1000 "$digits" >sizes_again 2>/dev/null
forms sizes_again | cmp - forms || fail "pareto ends with other figures where it goes on"
grep -q "the library, for there is no C compiler here" sizes_again || fail "pareto does not say that it timed the library"
grep -qxE "Nothing fits 1,000 bytes: the smallest, [0-9-]+ in int4, has [0-9,]+\." sizes_again || fail "pareto finds what fits 1,000 bytes"
for program in "pareto --out pareto" "loss_table --out table"; do
  ! "$programs/"$program --quick --teacher-epochs 6 "$digits" >/dev/null 2>refusal || fail "$program goes on with other epochs"
  grep -qE "teacher.checkpoint: made with .*; go on with that run's options, or name another folder with --out$" refusal ||
    fail "$program does not say what to do: $(<refusal)"
done

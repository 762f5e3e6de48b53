#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sweep.sh FOLDER DIGITS PROGRAMS TOOLS
#
# A sweep makes the students that distill_mnist makes, byte for byte, on one thread and on several; its table and its
# page are of its runs; and whatever is wrong with files or options is answered with one line before anything is trained.
set -euo pipefail
folder=$1 digits=$2 programs=$3

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

chmod -R u+w "$folder" 2>/dev/null || true
rm -rf "$folder"
mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT
cd "$folder"

common=(--data "$digits" --split official --epochs 3 --batch-size 32 --warmup 5)
for seed in 4 5; do
  "$programs/distill_mnist" --recipe recommended "${common[@]}" --teacher-epochs 1 --seed $seed --temperature 3 \
    --hard-weight 0.2 --lr 0.01 --quiet --out $seed ${teacher[@]+"${teacher[@]}"} >/dev/null
  teacher=(--teacher 4/teacher.safetensors)
done

run() { # OUT OPTIONS...
  "$programs/sweep" "${common[@]}" "${teacher[@]}" --temperature 1 3 --hard-weight 0.2 1 --learning-rate 0.01 \
    --seed 4 --seeds 2 --out "$@"
}
run one --threads 1 --save-students --tensorboard board --report one/page.html >report
run three --threads 3 --save-students --quiet --best-first >table
cat report
# Students 0 to 5: temperature 1 with hard weight 0.2, the student alone, temperature 3, each with seeds 4 and 5.
for file in one/students/4 one/students/5 three/students/4 three/students/5; do
  seed=${file##*/}
  cmp $file.safetensors $seed/student_distilled.safetensors || fail "$file is not the student of distill_mnist"
done
cmp {one/students/2,4/student_alone}.safetensors || fail "2 is not the student alone"
for ((student = 0; student < 6; ++student)); do
  cmp {one,three}/students/$student.safetensors || fail "student $student depends on the number of threads"
done
without_times() { sed 's/"seconds":.*//' "$1"; }
cmp <(without_times one/runs.jsonl) <(without_times three/runs.jsonl) || fail "runs.jsonl depends on the threads"

[[ $(grep -ao accuracy/validation board/student_[0-5]\ */events.out.tfevents.* | wc -l) == 18 ]] ||
  fail "TensorBoard's files lack some of 6 students with 3 epochs: $(ls board)"
[[ $(wc -l <one/runs.jsonl) == 6 ]] || fail "runs.jsonl: $(<one/runs.jsonl)"
[[ $(grep -c '^student [1-6]/6  accuracy ' report) == 6 ]] || fail "expected a line for each student"
[[ $(wc -l <table) == 4 ]] || fail "--quiet prints more than the table: $(<table)"
[[ $(tail -n +2 table | sort -n -k 8,8 -s) == "$(tail -n +2 table)" ]] || fail "--best-first: $(<table)"
means=$(sed -nE 's/.*"errors":([0-9]+).*/\1/p' one/runs.jsonl | paste - - | awk '{ printf "%.1f\n", ($1 + $2) / 2 }')
[[ $(tail -n 3 report | awk '{ print $8 }') == "$means" ]] || fail "the table's means are not those of runs.jsonl: $means"

# The page's table is the program's, and the student with a teacher is compared with the one of the same seed without.
rows() { tr -d '\n' <"$1" | grep -oE '<tr><th scope="row">.*</tr>' | sed 's|</tr>|\n|g'; }
[[ $(rows one/page.html | tail -n 4 | sed -nE 's/.*<td>([0-9.]+) [^ ]+ [0-9.]+<.*seconds.*/\1/p') == "$means" ]] ||
  fail "the page's means are not those of runs.jsonl: $means"
pairs=$(sed -nE 's/.*"errors":([0-9]+).*/\1/p' one/runs.jsonl |
  awk '{ e[NR] = $1 } END { for (i = 1; i < 6; i += 4) printf "%.1f\n", (e[i] - e[3] + e[i + 1] - e[4]) / 2 }')
[[ $(rows one/page.html | sed -nE 's/.*<td>2<.td><td>(-?[0-9.]+) [^ ]+ [0-9.]+<.td><td>[0-2] of 2<.td><td>(0.5|1.0)000<.*/\1/p') == "$pairs" ]] ||
  fail "the page's differences are not those of runs.jsonl: $pairs"

"$programs/sweep" "${common[@]}" "${teacher[@]}" --learning-rate 0.01 1e30 --temperature 2 --seeds 2 --out wild \
  --report wild.html >report
[[ $(rows wild.html) == *"<td>1e+30</td><td>0 of 2</td><td>diverged</td>"* ]] || fail "the page lacks what diverged"
if command -v python3 >/dev/null; then
  python3 "$(dirname "${BASH_SOURCE[0]}")/check_page.py" one/page.html wild.html || fail "a page"
else
  echo "not tested: that pages are well-formed (needs python3)"
fi
grep -qE "^ +2 +0.3 +1e\+30 +0 of 2 +diverged$" report || fail "two students should have diverged: $(<report)"
[[ $(grep -c '"diverged":true,"accuracy":null,"errors":null,"loss":null' wild/runs.jsonl) == 2 ]] ||
  fail "runs.jsonl: $(<wild/runs.jsonl)"
[[ ! -e wild/students ]] || fail "students were saved that nobody asked for"

# Students of several types are each the one of its type alone, in a table and charts that name them.
run several --students 784-20-20-10 784-10-10-10 --save-students --quiet --report several.html >table
for ((student = 0; student < 6; ++student)); do
  cmp one/students/$student.safetensors several/students/$((student + 6)).safetensors ||
    fail "student $student is another one beside students of another type"
done
[[ $(awk '{ print $1 }' table | uniq -c | tr -s ' ' | tr '\n' ';') == " 1 student; 3 784-10-10-10; 3 784-20-20-10;" ]] ||
  fail "the table does not name two students: $(<table)"
[[ $(grep -o '"model":"[^"]*"' several/runs.jsonl | sort | uniq -c | awk '{ print $1 }' | uniq) == 6 ]] ||
  fail "runs.jsonl does not name two students: $(<several/runs.jsonl)"
for name in 784-10-10-10 784-20-20-10; do
  [[ $(<several.html) == *"Errors by temperature, $name, learning rate 0.01"* ]] || fail "the page has no chart of $name"
done

# --test counts the errors of the setting that the images held out chose, of all its students.
"$programs/sweep" --data "$digits" --teacher-epochs 1 --epochs 20 --batch-size 16 --warmup 5 --temperature 2 --learning-rate 1e-9 0.01 \
  --seeds 2 --test --quiet --save-students --out tested >table
mean=$(for student in 2 3; do
  "$programs/predict" tested/students/$student.safetensors "$digits"
done | sed -nE 's/.*, ([0-9]+) errors$/\1/p' | awk '{ sum += $1 } END { printf "%.1f", sum / NR }')
[[ $(tail -n 1 table) == "test: 784-20-20-10, temperature 2, hard weight 0.3, lr 0.01: $mean +- "*" errors of 200 test images, 2 seeds" ]] ||
  fail "predict finds $mean errors on the test images: $(<table)"
"$programs/sweep" --data "$digits" --teacher tested/teacher.safetensors --epochs 1 --temperature 2 --learning-rate 1e30 --seeds 1 \
  --test --quiet >table
[[ $(tail -n 1 table) == "test: every student diverged, so that none was chosen" ]] || fail "--test of nothing: $(<table)"

short=(--data "$digits" --split official --teacher-epochs 1 --epochs 1 --seed 4 --quiet)
"$programs/sweep" "${short[@]}" --seeds 1 --temperature 2 --shift 1 --rotation 10 --views 1 --save-students --out trained \
  >/dev/null
"$programs/distill_mnist" --recipe recommended "${short[@]}" --student-shift 1 --rotation 10 --student-views 1 \
  --out expected >/dev/null
cmp {trained,expected}/teacher.safetensors || fail "the teacher is not that of distill_mnist"
cmp trained/students/0.safetensors expected/student_distilled.safetensors || fail "images are augmented otherwise"

# refused WHAT PART_OF_THE_MESSAGE OPTIONS...: if it came to training it would take hours.
refused() {
  local what=$1 part=$2 status=0 before after
  shift 2
  before=$(cksum one/runs.jsonl)
  timeout 60 "$programs/sweep" --data "$digits" --split official --teacher-epochs 100000 --out one "$@" >stdout 2>stderr ||
    status=$?
  after=$(cksum one/runs.jsonl)
  echo "$what: $(<stderr)"
  if ((status == 0 || status > 123)) || [[ $(wc -l <stderr) != 1 || $(<stderr) != *"$part"* || $before != "$after" ]]; then
    fail "$what: exit status $status, $(<stderr)"
  fi
}
refused "no data" "nowhere: no such folder" --data nowhere
refused "no teacher" "nowhere: cannot be read" --teacher nowhere
refused "a student as teacher" 'holds the model "Linear(784, 20)' --teacher one/students/0.safetensors
refused "--temperature 0" "sweep: student 3: HintonLoss: temperature is 0, expected" --temperature 2 0
refused "--hard-weight 2" "hard_weight is 2, expected a number in [0, 1]" --hard-weight 0.1 2
refused "--learning-rate -1" "learning_rate is -1, expected" --learning-rate=-1
refused "--rotation 181" "rotation is 181, expected a number of degrees in [0, 180]" --rotation 181
refused "--shift 28" "shift is 28, expected less than" --shift 28
refused "--shift 1.5" "--shift: '1.5', expected a whole number" --shift 1.5
refused "--views 2" "--views: 2 views of images that are not augmented, expected --shift, " --views 2
refused "another augmentation" "or --teacher: " --resume "${common[@]}" "${teacher[@]}" --temperature 1 3 \
  --hard-weight 0.2 1 --learning-rate 0.01 --seed 4 --seeds 2 --rotation 10 --views 1
refused "--temperature x" "--temperature: 'x', expected a number" --temperature 1 x
refused "--temperature" "--temperature" --temperature
for option in --seeds --epochs --batch-size --threads; do
  refused "$option 0" "$option: '0', expected a whole number from 1 to" $option 0
done
refused "--epochs 4294967295" "epochs is 4294967295, expected at most 2^32 - 1 steps" --epochs 4294967295
refused "--backend x" "--backend: x not in {" --backend x
refused "--device of eigen" "--device: --backend eigen does not take it, expected cuda" --device 0
refused "--threads of cuda" "--threads: --backend cuda does not take it, expected eigen" --backend cuda --threads 2
# Not compiled in, or no GPU to be seen.
export CUDA_VISIBLE_DEVICES=
refused "--backend cuda" "cuda" --backend cuda
[[ $(<stderr) == *"--backend cuda was not compiled in: it needs "* || $(<stderr) == *"CUDA: no "* ]] ||
  fail "--backend cuda: $(<stderr)"
refused "--seed -1" "--seed: '-1', expected a whole number" --seed -1
refused "--split x" "--split: x not in {" --split x
refused "--students x" "--students: x not in {784-10-10-10,784-20-20-10,196-64-48-10}" --students 784-20-20-10 x
refused "--students" "--students: " --students
refused "--test of official" "--test: with --split official the test images choose the best setting" --test
mkdir no_test
cp "$digits"/train-* no_test
refused "--test without test images" "no_test: " --data no_test --split validation --test
refused "unknown option" "--bogus" --bogus 3
refused "--out ''" "--out: is empty" --out ''
echo mine >file
refused "--out is a file" "file: cannot be made" --out file
refused "--report below a file" "file/a.html: cannot be written (Not a directory)" --report file/a.html
refused "--report x" "--report: 'x', expected a name that ends in .html" --report x
mkdir -p used/runs.jsonl taken/students/0.safetensors
refused "a folder as runs.jsonl" "used/runs.jsonl: " --out used --resume
refused "a folder as a student's file" "taken/students/0.safetensors: " --out taken --save-students --resume
"$programs/sweep" --data "$digits" --split official --teacher-epochs 100000 --out held >/dev/null 2>&1 &
process=$!
until [[ -s held/.retort-lock ]] || ! kill -0 $process; do
  sleep 0.002
done
refused "a folder in use" "held: in use by process $process on host " --out held --resume
kill -KILL $process
wait $process 2>/dev/null || true
status=0
"$programs/sweep" --data "$digits" --split official --save-students >stdout 2>stderr || status=$?
[[ $status == 2 && $(<stderr) == *"--save-students: there is no folder"* ]] || fail "--save-students: $(<stderr)"
[[ $(<file) == mine ]] || fail "the file given as --out was changed"

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# bad_input.sh FOLDER DIGITS PROGRAMS TOOLS
#
# Whatever is wrong with files or options: one line on stderr that names it and says what was expected, an exit status
# that says so too, and the results of an earlier run as they were. DIGITS holds 500 and 200 of them.
set -euo pipefail
folder=$1 digits=$2 programs=$3 tools=$4
firmware=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/../../examples/ship_it/firmware/firmware.sh

# In a mount namespace of its own, root can fill a disk.
if [[ $(id -u) == 0 && -z ${RETORT_OWN_MOUNTS:-} ]] && unshare -m mount -t tmpfs none /mnt 2>/dev/null; then
  RETORT_OWN_MOUNTS=yes exec unshare -m "$BASH" "${BASH_SOURCE[0]}" "$@"
fi

chmod -R u+w "$folder" 2>/dev/null || true
rm -rf "$folder"
mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
out=$folder/out
failures=0

contents() { [[ ! -e $1 ]] || (cd "$1" && find . -printf '%p %y\n' -type f -exec cksum {} + | sort); }

# refused WHAT PART_OF_THE_MESSAGE COMMAND...: the message's other parts may be given with a | between them.
refused() {
  local what=$1 parts=$2 part status=0 before after message problem=
  shift 2
  before=$(contents "$out")
  "$@" >stdout 2>stderr || status=$?
  last_status=$status
  after=$(contents "$out")
  message=$(<stderr)
  echo "$what: $message"
  ((status > 0 && status < 124)) || problem+=" exit status $status;"
  [[ $(wc -l <stderr) == 1 && -n $message ]] || problem+=" expected one line on stderr;"
  IFS='|' read -ra parts <<<"$parts"
  for part in "${parts[@]}"; do
    [[ $message == *"$part"* ]] || problem+=" the message lacks '$part';"
  done
  [[ $before == "$after" ]] || problem+=" $(diff <(echo "$before") <(echo "$after"));"
  if [[ -n $problem ]]; then
    echo "FAILED: $what:$problem"
    failures=$((failures + 1))
  fi
}

quick=(--teacher-epochs 1 --epochs 1 --batch-size 512 --quiet)
distill() { timeout 120 "$programs/distill_mnist" --data "$digits" --out "$out" "${quick[@]}" "$@"; }
compiled_in() { grep -qE "^ *$1 is compiled in\$" <<<"$("$programs/distill_mnist" --help)"; }

# copy NAME: the digits under another name, for damage.
copy() {
  rm -rf "$1"
  cp -r "$digits" "$1"
}
npy() { # FILE TYPE SHAPE BYTES...: a version 1.0 file
  local header="{'descr': '$2', 'fortran_order': False, 'shape': $3, }"
  { printf '\x93NUMPY\x01\x00\x76\x00' && printf '%-117s\n' "$header" && printf '%b' "$4"; } >"$1"
}
overwrite() { # FILE POSITION BYTES
  printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

echo "== before there is any result"
refused "no data folder" "nowhere: no such folder|train-images-idx3-ubyte" distill --data nowhere
[[ ! -e $out ]] || { echo "FAILED: --out was made for nothing"; failures=$((failures + 1)); }
# A machine without a GPU, or one that shows none.
without_gpu() { CUDA_VISIBLE_DEVICES='' distill --backend thrust-cuda "$@"; }
if compiled_in thrust-cuda; then
  refused "no GPU" "CUDA: no |use another backend (--backend eigen)" without_gpu
  [[ $last_status == 1 && ! -e $out ]] ||
    { echo "FAILED: no GPU: exit status $last_status, $(ls -d "$out")"; failures=$((failures + 1)); }
fi

distill >/dev/null # the results of an earlier run, which all that follows must leave alone

echo "== data"
refused "a file as data folder" "train-images-idx3-ubyte: no such folder" distill --data "$digits/train-images-idx3-ubyte"
copy data && rm data/t10k-labels-idx1-ubyte
refused "a file missing" "data: has t10k-images-idx3-ubyte, but none of t10k-labels-idx1-ubyte" \
  distill --data data --split official
copy data && rm data/train-images-idx3-ubyte
refused "another file missing" "data: has none of train-images-idx3-ubyte|train.csv" distill --data data
mkdir kaggle
printf '5,1,2,3,4\n' >kaggle/train.csv
printf '1,2,3,4\n' >kaggle/test.csv
refused "test images without labels" "kaggle: the test images have no labels, expected --split validation or --split random" \
  distill --data kaggle --split official
printf '1,2,3,4\n' >kaggle/train.csv
refused "training images without labels" "train.csv: columns: 4, expected the pixels of a square image and a label" \
  distill --data kaggle --split official
copy data && gzip data/train-images-idx3-ubyte && printf 'PK\003\004' >data/train-images-idx3-ubyte
refused "a ZIP archive" "train-images-idx3-ubyte: is a ZIP archive" distill --data data
copy data && gzip data/train-images-idx3-ubyte && truncate -s 5000 data/train-images-idx3-ubyte.gz
refused "gzip truncated" "train-images-idx3-ubyte.gz: gzip stream is truncated" distill --data data
copy data && gzip data/train-labels-idx1-ubyte && overwrite data/train-labels-idx1-ubyte.gz 60 '\xff\x00\xff\x00'
refused "gzip corrupt" "train-labels-idx1-ubyte.gz: gzip" distill --data data
copy data && mv data/train-images-idx3-ubyte data/train-images-idx3-ubyte.gz
refused "not gzip" "train-images-idx3-ubyte.gz: not a gzip file|expected 0x1f 0x8b" distill --data data
copy data && overwrite data/t10k-images-idx3-ubyte 0 '\x12\x34'
refused "magic number" "t10k-images-idx3-ubyte: magic number|0x12 0x34|expected 0x00 0x00" \
  distill --data data --split official
copy data && overwrite data/t10k-images-idx3-ubyte 2 '\x0d'
refused "element type" "t10k-images-idx3-ubyte: element type: 0x0d, expected 0x08" \
  distill --data data --split official
copy data && cp data/train-labels-idx1-ubyte data/train-images-idx3-ubyte
refused "labels as images" "train-images-idx3-ubyte: rank: 1, expected 3" distill --data data
copy data && truncate -s -1 data/train-images-idx3-ubyte
refused "images truncated" "train-images-idx3-ubyte: elements: |expected |500 x 28 x 28" distill --data data
copy data && overwrite data/train-labels-idx1-ubyte 12 '\x0b'
refused "label 11" "train-labels-idx1-ubyte: label of sample 4: 11, expected less than 10" distill --data data
copy data && cp data/t10k-labels-idx1-ubyte data/train-labels-idx1-ubyte
refused "labels of other images" "train-labels-idx1-ubyte: number of labels: 200, expected 500" distill --data data
copy data
for file in train-images-idx3-ubyte t10k-images-idx3-ubyte; do
  overwrite data/$file 8 '\0\0\0\x0e\0\0\0\x38'
done
refused "images of another shape, teacher shifted too far" "shift is 14, expected less than|14 x 56" distill --data data --teacher-shift 14
for file in train-images-idx3-ubyte:500 t10k-images-idx3-ubyte:200; do
  overwrite "data/${file%:*}" 8 '\0\0\0\x0e\0\0\0\x0e'
  truncate -s $((16 + ${file#*:} * 14 * 14)) "data/${file%:*}"
done
refused "images of another size" "196 features|784 inputs" distill --data data

echo "== --teacher"
cp "$out/teacher.safetensors" teacher.safetensors
for how in missing extra misshaped nan weights; do
  "$tools/damage_safetensors" teacher.safetensors $how.safetensors $how
done
refused "tensor missing" 'missing.safetensors: tensor "0.weight": missing|expected' distill --teacher missing.safetensors
refused "tensor too many" 'extra.safetensors: tensor "surplus"' distill --teacher extra.safetensors
refused "tensor of another shape" 'misshaped.safetensors: tensor "0.weight": shape [940800], expected [1200, 784]' \
  distill --teacher misshaped.safetensors
refused "NaN" 'nan.safetensors: tensor "0.weight": element 1 is nan, expected a finite number' \
  distill --teacher nan.safetensors
refused "other weights" "weights.safetensors: the file's example" distill --teacher weights.safetensors
cp teacher.safetensors flipped.safetensors && overwrite flipped.safetensors 5000000 '\x11\x22\x33\x04'
refused "bits flipped" "flipped.safetensors: checksum: |expected |the file is not as it was written" \
  distill --teacher flipped.safetensors
head -c 1000000 teacher.safetensors >truncated.safetensors
refused "truncated" "truncated.safetensors: tensor|data_offsets|cut short" distill --teacher truncated.safetensors
head -c 5 teacher.safetensors >short.safetensors
refused "truncated to 5 bytes" "short.safetensors: header length: the file has 5 bytes, expected at least 8" \
  distill --teacher short.safetensors
echo "no tensors, just a sentence" >text.safetensors
refused "text" "text.safetensors: header length|is it a safetensors file?" distill --teacher text.safetensors
refused "a student" 'student_alone.safetensors: holds the model "Linear(784, 20)|expected Linear(784, 1200)' \
  distill --teacher "$out/student_alone.safetensors"
refused "no such file" "nowhere: cannot be read" distill --teacher nowhere
refused "a folder" "data: " distill --teacher data

echo "== --teacher-logits"
table() { timeout 120 "$programs/distill_mnist" --data "$digits" --out "$out" --epochs 1 --quiet --teacher-logits "$@"; }
# sure_of FILE LABELS [HIGHEST]: a table that has its highest logit, of these bytes, at each label; else zeros.
sure_of() {
  local rows='' highest=${3:-'\0\0\0\x40'} label class
  for label in $2; do
    for class in {0..9}; do
      ((class == label)) && rows+=$highest || rows+='\0\0\0\0'
    done
  done
  npy "$1" '<f4' "($(wc -w <<<"$2"), 10)" "$rows"
}
labels=$(od -An -v -tu1 -j8 "$digits/train-labels-idx1-ubyte")
sure_of right.npy "$labels"
sure_of few.npy "0 1 2"
sure_of probabilities.npy "$labels" '\0\0\x80\x3f' # 1
read -r first others <<<"$(tr '\n' ' ' <<<"$labels")"
sure_of moved.npy "$others $first"
npy nan.npy '<f4' '(1, 1)' '\x00\x00\xc0\x7f'
refused "no such file" "nowhere.npy: cannot be read (No such file" table nowhere.npy
refused "no such second file" "nowhere.npy: cannot be read (No such file" table right.npy nowhere.npy
refused "a network's weights" "teacher.safetensors: magic number" table teacher.safetensors
refused "a table with NaN" "nan.npy: element [0, 0]: nan, expected a finite number" table nan.npy
refused "logits of fewer images" "few.npy: logits of 1 x 3 x 10, expected 1 x 500 x 10: views, training samples" table few.npy
refused "rows in another order" "moved.npy: view 0 agrees with |of 500 labels, as a random order would" table moved.npy
refused "the same beside a good table" "moved.npy: view 0 agrees with " table right.npy --teacher-logits moved.npy
refused "probabilities" "probabilities.npy: rows are probabilities|expected logits: save numpy.log of them" \
  table probabilities.npy
refused "one view where there are two" "right.npy: logits of 1 x 500 x 10, expected 2 x 25 x 10: views" \
  table right.npy --student-shift 1 --student-views 2
refused "new views" "--student-views: 0, views that are new in every epoch, expected those that --teacher-logits answers" \
  table right.npy --student-shift 1
refused "a loss without a teacher" "--teacher-logits: --loss cross-entropy asks no teacher, expected hinton or as-written" \
  table right.npy --loss cross-entropy
refused "one weight for two tables" "--teacher-weight: 1 given, expected one for each of the 2 tables of --teacher-logits" \
  table right.npy right.npy --teacher-weight 1
refused "a weight for one table" "--teacher-weight: --teacher-logits names one table" table right.npy --teacher-weight 1
refused "weights without tables" "--teacher-weight requires --teacher-logits" distill --teacher-weight 1 2
refused "a weight that is no number" "--teacher-weight: 'x', expected a number" table right.npy right.npy --teacher-weight 1 x
refused "a weight below 0" "weight 1 is -1, expected a finite number of at least 0" \
  table right.npy right.npy --teacher-weight 1 --teacher-weight -1
refused "a weight that is no number to multiply by" "weight 0 is nan, expected" \
  table right.npy right.npy --teacher-weight nan 1
refused "weights of 0" "the sum of the weights is 0, expected a finite number above 0" \
  table right.npy right.npy --teacher-weight 0 0
for option in "--teacher teacher.safetensors" "--teacher-epochs 1" "--teacher-shift 1"; do
  # shellcheck disable=SC2086 # an option and its value
  refused "with $option" "--teacher-logits|excludes |${option% *}" table right.npy $option
done

echo "== options"
refused "unknown option" "--bogus" distill --bogus 3
refused "stray word" "stray" distill stray
refused "no value" "--epochs" distill --epochs
for option in --epochs --teacher-epochs --batch-size --threads; do
  for value in 0 -1 1.5 x 99999999999999999999; do
    refused "$option $value" "$option: '$value', expected a whole number from 1 to" distill $option $value
  done
done
for option in --epochs --teacher-epochs; do
  refused "$option 4294967295" "epochs is 4294967295, expected at most 2^32 - 1 steps" distill $option 4294967295 --batch-size 16
done
refused "--threads 1025" "--threads: '1025', expected a whole number from 1 to 1024" distill --threads 1025
for value in -1 99999999999999999999 x; do
  refused "--seed $value" "--seed: '$value', expected a whole number from 0 to" distill --seed $value
done
refused "--teacher-shift -1" "--teacher-shift: '-1', expected a whole number" distill --teacher-shift -1
refused "--student-shift 28" "shift is 28, expected less than" distill --student-shift 28
refused "--student-views 3" "--student-views: 3 views of images that are not augmented, expected --student-shift, " \
  distill --student-views 3
refused "--teacher-shift 28" "shift is 28, expected less than" distill --teacher-shift 28
for value in 0 -1 1.01 nan inf 0.001; do # of 500 images
  refused "--student-fraction $value" "--student-fraction: $value, expected a number above 0 and at most 1|500" \
    distill "--student-fraction=$value"
done
refused "--student-fraction x" "--student-fraction: 'x', expected a number" distill --student-fraction x
for option in --lr --beta1 --beta2 --epsilon --weight-decay --temperature --hard-weight \
  --rotation --scale --shear --noise --elastic --elastic-sigma; do
  refused "$option x" "$option: 'x', expected a number" distill $option x
  refused "$option nan" "is nan, expected a" distill $option nan
done
refused "--lr -1" "learning_rate is -1, expected" distill --lr -1
refused "--beta1 1" "beta1 is 1, expected a number in [0, 1)" distill --beta1 1
refused "--beta2 -0.1" "beta2 is -0.1, expected a number in [0, 1)" distill --beta2 -0.1
refused "--epsilon 0" "epsilon is 0, expected" distill --epsilon 0
refused "--weight-decay -1" "weight_decay is -1, expected" distill --weight-decay -1
refused "--rotation 181" "rotation is 181, expected a number of degrees in [0, 180]" distill --rotation 181
refused "--scale 1" "scale is 1, expected a number in [0, 0.9]" distill --scale 1
refused "--elastic 17" "elastic is 17, expected a number of pixels in [0, 16]" distill --elastic 17
refused "--shear 46" "shear is 46, expected a number of degrees in [0, 45]" distill --shear 46
refused "--noise -1" "noise is -1, expected a number in [0, 1000000]" distill --noise -1
refused "--temperature 0" "temperature is 0, expected" distill --temperature 0
refused "--temperature inf" "temperature is inf, expected" distill --temperature inf
refused "--hard-weight 2" "hard_weight is 2, expected a number in [0, 1]" distill --hard-weight 2
for option in --loss --split --recipe --schedule --backend --initialization; do
  refused "$option x" "$option: x not in {" distill $option x
done
for value in -1 1.5 x 99999999999999999999; do
  refused "--device $value" "--device: '$value', expected a whole number from 0 to" \
    distill --backend thrust-cuda --device $value
done
for backend in thrust-cpp thrust-omp thrust-tbb thrust-cuda; do
  if ! compiled_in $backend; then
    refused "$backend, not compiled in" "--backend $backend was not compiled in: it needs |when distill_mnist is built" \
      distill --backend $backend
  fi
done
for backend in thrust-cpp thrust-cuda; do
  if compiled_in $backend; then
    refused "--threads with $backend" "--threads: --backend $backend does not take it, expected eigen|thrust-omp" \
      distill --backend $backend --threads 1
  fi
done
for backend in eigen eigen-bf16 thrust-cpp thrust-omp thrust-tbb; do
  if compiled_in $backend; then
    refused "--device with $backend" "--device: --backend $backend does not take it, expected thrust-cuda" \
      distill --backend $backend --device 0
  fi
done
if compiled_in thrust-cuda; then
  refused "no GPU" "CUDA: no |use another backend (--backend eigen)" without_gpu
  # Where there is no GPU at all that is what is said first.
  expected="CUDA: no |use another backend (--backend eigen)"
  compgen -G "/dev/nvidia[0-9]*" >/dev/null && expected="CUDA: device 1023 |expected 0"
  refused "no GPU 1023" "$expected" distill --backend thrust-cuda --device 1023
fi
for option in --data --out --teacher --teacher-logits --tensorboard; do
  refused "$option ''" "$option: is empty" distill $option ''
done

echo "== --out"
echo "mine" >file
refused "--out is a file" "file|Not a directory" distill --out file
refused "--out below a file" "file|Not a directory" distill --out file/below
refused "--tensorboard below a file" "file/below: cannot be made (Not a directory)" distill --tensorboard file/below
refused "--report below a file" "file/below.html: cannot be written (Not a directory)" distill --report file/below.html
refused "--report in no folder" "nowhere/a.html: cannot be written (No such file or directory)" distill --report nowhere/a.html
refused "--report over the weights" "--report: 'out/teacher.safetensors', expected a name that ends in .html" \
  distill --report out/teacher.safetensors
[[ $(<file) == mine ]] || { echo "FAILED: the file given as a folder was changed"; failures=$((failures + 1)); }

# Root may write anywhere, so nobody runs these, with copies that nobody can reach.
program=$programs/distill_mnist data=$digits as=()
if [[ $(id -u) == 0 ]]; then
  cp "$program" "$folder/program"
  copy everyone
  chmod -R a+rX "$folder"
  program=$folder/program data=everyone as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
# If it came to training it would take hours.
unwritable() { timeout 60 "${as[@]}" "$program" --data "$data" --out "$out" --teacher-epochs 100000 "$@"; }
if "${as[@]}" test -x "$program" 2>/dev/null; then
  chmod 777 "$out" && chmod 555 "$out/checkpoints"
  refused "checkpoints read-only, resumed" "checkpoints/teacher.safetensors: cannot be written (Permission denied)" \
    unwritable --resume
  chmod 555 "$out"
  refused "--out read-only" "out: cannot be written to (Permission denied)" unwritable
  refused "--out read-only, resumed" "out: cannot be written to (Permission denied)" unwritable --resume
  mkdir -m 555 locked
  refused "--out in a read-only folder" "locked/new: cannot be made (Permission denied)" \
    unwritable --out locked/new
  chmod 755 "$out" "$out/checkpoints"
else
  echo "not tested: --out read-only (root may write anywhere, and nobody cannot reach $folder)"
fi

# A full disk: the weights of the earlier run must survive, and no part of new ones be left.
full() {
  local before after status=0
  before=$(cd "$1" && cksum ./*.safetensors)
  distill --overwrite --out "$1" --teacher-epochs 2 --seed 1 >stdout 2>stderr || status=$?
  after=$(cd "$1" && cksum ./*.safetensors)
  echo "$2: $(<stderr)"
  if ((status == 0 || status > 123)) || [[ $(wc -l <stderr) != 1 || $(<stderr) != *"teacher.safetensors: cannot be "*"$3"* ||
    $before != "$after" || -n $(find "$1" -name '*.tmp') ]]; then
    echo "FAILED: $2: exit status $status, $(ls -l "$1")"
    failures=$((failures + 1))
  fi
}
mkdir limited
cp "$out"/*.safetensors limited
(
  trap '' XFSZ
  ulimit -f 20000 # KiB: the weights fit, the checkpoint does not
  full limited "file size limit" "File too large"
  exit $failures
) || failures=$?
mkdir disk
if [[ -n ${RETORT_OWN_MOUNTS:-} ]] && mount -t tmpfs -o size=24m none disk 2>/dev/null; then
  cp "$out"/*.safetensors disk
  full disk "disk full" "No space left on device"
  umount disk
else
  echo "not tested: a disk that is full (needs root and mount namespaces)"
fi

echo "== out of memory"
# What the program needs to start, in KiB of address space, found by trying; the teacher's training needs 40 MB more. Under
# a sanitizer it is terabytes.
starts() { (ulimit -v "$1" && "$programs/distill_mnist" --help >/dev/null 2>&1); }
for ((memory = 8000; memory < 600000; memory += 8000)); do
  ! starts $memory || break
done
if ((memory < 600000)); then
  (
    failures=0
    ulimit -v $((memory + 24000))
    refused "little memory" "distill_mnist: | could not be allocated" distill --threads 1 --out memory
    truncate -s 200M large.csv
    refused "little memory for a file" "custom_dataset: large.csv: 200.0 MiB could not be allocated" \
      "$programs/custom_dataset" large.csv
    exit $failures
  ) || failures=$((failures + 1))
else
  echo "not tested: little memory (this build needs much to start)"
fi
student=$out/student_alone.safetensors
# From what it needs to say what is wrong (without memory for an exception the language ends a program) to what it needs
# for all: wherever memory ends, one line says what for.
if ((memory < 600000)); then
  complains() { (ulimit -v "$1" && "$programs/predict" missing "$digits" 2>&1 >/dev/null | grep -q "^predict: missing: "); }
  for ((memory = 4000; memory < 600000; memory += 250)); do
    ! complains $memory || break
  done
  predicts() { (ulimit -v "$memory" && "$programs/predict" "$student" "$digits" >/dev/null 2>stderr); }
  for ((; memory < 600000; memory += 250)); do
    ! predicts || break
    echo "$memory KiB: $(<stderr)"
    if [[ $(wc -l <stderr) != 1 || ! $(<stderr) =~ ^"predict: ".+(": out of memory"|" could not be allocated")$ ||
      $(<stderr) == "predict: memory: "* ]]; then
      echo "FAILED: predict with $memory KiB"
      failures=$((failures + 1))
    fi
  done
fi

echo "== quickstart"
mkdir -p quick/data quick/student.safetensors
ln -s "$digits" quick/data/mnist
quickstart() { (ulimit -c 0 && cd quick && exec "$programs/quickstart" >../stdout 2>../stderr); }
if quickstart || [[ -s stdout || $(<stderr) != *"student.safetensors: cannot be "* ]]; then
  echo "FAILED: a student that cannot be saved is trained: $(cat stdout stderr)"
  failures=$((failures + 1))
fi
rmdir quick/student.safetensors
cp "$student" quick/student.safetensors
if ! quickstart || [[ $(<stdout) != "student.safetensors is there, and will be replaced"* ]] ||
  cmp -s "$student" "quick/student.safetensors"; then
  echo "FAILED: an earlier student is replaced without a word: $(cat stdout stderr)"
  failures=$((failures + 1))
fi

echo "== ship_it"
refused "no argument" "usage: ship_it" "$programs/ship_it"
refused "no such file" "ship_it: nowhere: cannot be read (No such file" "$programs/ship_it" nowhere "$digits" c
refused "a file for a folder" "ship_it: " "$programs/ship_it" "$student" "$digits" "$student"
refused "a folder without a name" "ship_it: '': cannot be made" "$programs/ship_it" "$student" "$digits" ""
echo "== predict"
refused "no argument" "usage: predict" "$programs/predict"
refused "too many arguments" "usage: predict" "$programs/predict" "$student" "$digits" student.onnx more
refused "no such file" "predict: nowhere: cannot be read (No such file" "$programs/predict" nowhere "$digits"
refused "a teacher" 'holds the model "Linear(784, 1200)' "$programs/predict" teacher.safetensors "$digits"
refused "text" "text.safetensors: header length" "$programs/predict" text.safetensors "$digits"
refused "no data" "nowhere: no such folder" "$programs/predict" "$student" nowhere

echo "== few_labels"
refused "too many arguments" "usage: few_labels" "$programs/few_labels" "$digits" more
refused "no data" "few_labels: nowhere: no such folder" "$programs/few_labels" --quick nowhere
refused "an option without its value" "usage: few_labels" "$programs/few_labels" "$digits" --report
refused "a page of another kind" "few_labels: --report: 'page.txt', expected a name that ends in .html" "$programs/few_labels" --report page.txt "$digits"
refused "a page that cannot be written" "few_labels: nowhere/page.html: cannot be written" "$programs/few_labels" --report nowhere/page.html "$digits"

echo "== guide"
refused "no program is named" "usage: guide" "$programs/guide"
refused "an unknown program" "usage: guide" "$programs/guide" own_backend "$digits"
refused "no weights are named" "usage: guide" "$programs/guide" weights_from_pytorch
refused "no such weights" "guide: nowhere: cannot be read" "$programs/guide" weights_from_pytorch nowhere "$digits"
refused "another teacher" 'guide: teacher.safetensors: holds the model "Linear(784, 1200)' \
  "$programs/guide" weights_from_pytorch teacher.safetensors "$digits"
refused "no data" "guide: nowhere: no such folder" "$programs/guide" own_loss nowhere
refused "no file for C" "usage: guide" "$programs/guide" ship_the_student
refused "no folder for C" "guide: nowhere/digit.h: cannot be written" \
  "$programs/guide" ship_the_student nowhere/digit.h "$digits"
[[ ! -s stdout ]] || { echo "FAILED: no folder for C: found after a training" && failures=$((failures + 1)); }

echo "== hinton2015"
refused "no data is named" "usage: hinton2015" "$programs/hinton2015"
refused "an unknown option" "usage: hinton2015" "$programs/hinton2015" --fast "$digits"
refused "no data" "hinton2015: nowhere: no such folder" "$programs/hinton2015" --quick nowhere
refused "an output that is a file" "hinton2015: $digits/train-labels" "$programs/hinton2015" --out "$digits"/train-labels* "$digits"

echo "== loss_table"
refused "no such data" "loss_table: nowhere: no such folder" "$programs/loss_table" --quick nowhere
refused "too many seeds" "loss_table: --seeds: '21', expected a whole number from 1 to 20" "$programs/loss_table" --seeds 21 "$digits"
refused "no such student" "--students: small not in {784-20-20-10,196-64-48-10}" "$programs/loss_table" --students small
refused "no such loss" "--losses: Hinton not in {alone,label smoothing,HintonLoss," "$programs/loss_table" --losses Hinton
refused "a learning rate below 0" "Adam: learning_rate is -1, expected" "$programs/loss_table" --quick --learning-rate -1 "$digits"
refused "no teacher" "loss_table: nowhere.safetensors: " "$programs/loss_table" --quick --teacher nowhere.safetensors "$digits"

echo "== firmware.sh"
mkdir empty files
touch files/a_int8.{h,logits}
refused "no such folder" "firmware: nowhere: no such folder, expected" "$firmware" nowhere
refused "a folder without models" "firmware: empty: no file NAME.logits, expected" "$firmware" empty
refused "a model that is not there" "firmware: files/b_int8.h: no such file, expected" "$firmware" files 10 b_int8
refused "a model without inputs" "firmware: files/a.inputs: no such file, expected" "$firmware" files
refused "an unknown target" "firmware: no target 'z80', expected one of" "$firmware" -t z80 files
refused "too few images" "usage: firmware.sh" "$firmware" files 0

echo "== own_teacher"
refused "no argument" "usage: own_teacher" "$programs/own_teacher"
refused "no data" "own_teacher: nowhere: no such folder" "$programs/own_teacher" nowhere right.npy
refused "logits of fewer images" "few.npy: logits of 1 x 3 x 10, expected 1 x 500 x 10" "$programs/own_teacher" "$digits" few.npy
refused "probabilities" "probabilities.npy: rows are probabilities" "$programs/own_teacher" "$digits" probabilities.npy
refused "views and logits at once" "usage: own_teacher" "$programs/own_teacher" "$digits" right.npy --save-views views.npy
refused "views in a folder that is not there" "own_teacher: nowhere/views.npy" "$programs/own_teacher" "$digits" --save-views nowhere/views.npy
refused "a page of another kind" "own_teacher: --report: 'page', expected" "$programs/own_teacher" "$digits" right.npy --report page

echo "== pareto"
refused "no such data" "pareto: nowhere: no such folder" "$programs/pareto" --quick nowhere
refused "no budget" "pareto: --budget: '0', expected a whole number from 1 to" "$programs/pareto" --budget 0 "$digits"
refused "no such student" "--students: small not in {784-10-10-10,784-20-20-10,784-32-32-10,196-32-32-10,196-64-48-10}" \
  "$programs/pareto" --students small
refused "a learning rate below 0" "Adam: learning_rate is -1, expected" "$programs/pareto" --quick --learning-rate -1 "$digits"
refused "no teacher" "pareto: nowhere.safetensors: " "$programs/pareto" --quick --teacher nowhere.safetensors "$digits"
refused "a page that cannot be written" "pareto: nowhere/page.html: " "$programs/pareto" --quick --report nowhere/page.html "$digits"

echo "== schemes"
refused "no scheme is named" "usage: schemes" "$programs/schemes"
refused "an unknown scheme" "usage: schemes" "$programs/schemes" co_learning "$digits"
refused "an unknown option" "usage: schemes" "$programs/schemes" all --fast "$digits"
refused "too many arguments" "usage: schemes" "$programs/schemes" all "$digits" more
refused "no data" "schemes: nowhere: no such folder" "$programs/schemes" all --quick nowhere

echo "== feature_terms"
refused "an unknown option" "usage: feature_terms" "$programs/feature_terms" --fast "$digits"
refused "too many arguments" "usage: feature_terms" "$programs/feature_terms" "$digits" more
refused "no such student" "usage: feature_terms" "$programs/feature_terms" --student 784-10-10 "$digits"
refused "no data" "feature_terms: nowhere: no such folder" "$programs/feature_terms" --quick nowhere
refused "too few images" "500 training images, expected more than 13000: 3000 for the students, 10000 held out" \
  "$programs/feature_terms" "$digits"
refused "a page of another kind" "feature_terms: --report: 'page', expected" "$programs/feature_terms" --report page "$digits"

echo "== custom_dataset"
mkdir flowers
out=$folder/flowers # its student.safetensors goes to the current folder
custom() { (cd flowers && "$programs/custom_dataset" "$@"); }
rows() { printf '1,2,3,4,0\n5,6,7,8,1\n9,8,7,6,2\n'; }
rows >good.csv
custom "$folder/good.csv" >stdout && custom "$folder/good.csv" >again || failures=$((failures + 1))
if grep -q "will be replaced" stdout || [[ $(<again) != "student.safetensors is there, and will be replaced"* ]]; then
  echo "FAILED: custom_dataset says that of its student first: $(head -n 1 stdout), then: $(head -n 1 again)"
  failures=$((failures + 1))
fi
csv() { # TEXT PARTS: three good lines and this one
  { rows && printf '%b' "$1"; } >table.csv
  refused "csv with ${1%\\n}" "$2" custom "$folder/table.csv"
}
refused "no argument" "usage: custom_dataset" custom
refused "no such file" "nowhere.csv: cannot be read" custom nowhere.csv
csv '1,2,x,4,0\n' "table.csv: line 4, column 3: 'x', expected a number"
csv '1,2,3,4\n' "table.csv: line 4: columns: 4, expected 5"
csv '1,2,nan,4,0\n' "table.csv: line 4, column 3: 'nan', expected a number; it is missing"
csv '1,2,,4,0\n' "table.csv: line 4, column 3: '', expected a number; it is missing, and CsvOptions::missing"
csv '1,2,3,4,rose\n' "table.csv: line 4, column 5: label 'rose', expected a whole number"
csv '1,2,3,4,1.5\n' "table.csv: line 4, column 5: label '1.5', expected a whole number"
csv '1,2,3,4,-1\n' "table.csv: line 4, column 5: label '-1', expected a whole number"
csv '1,2,3,4,3\n' "table.csv: line 4, column 5: label '3', expected a whole number, 0 or more and less than 3"
csv '\n1,2,3,4,0\n' "table.csv: line 4: columns"
: >table.csv
refused "an empty csv" "table.csv: no samples" custom "$folder/table.csv"
rows | cut -d, -f 2- >table.csv
refused "a csv with too few columns" "3 features|4 inputs" custom "$folder/table.csv"
rows | tr , ';' >table.csv
refused "a csv with semicolons" "table.csv: line 1: columns: 1, expected at least 2|delimiter" custom "$folder/table.csv"

npy labels.npy '|u1' '(3,)' '\x00\x01\x02'
npy features.npy '|u1' '(3, 4)' 'abcdefghijkl'
refused "text as npy" "table.csv: magic number" custom "$folder/table.csv" "$folder/labels.npy"
npy bad.npy '|u1' '(3, 4)' 'abcdefghijk'
refused "npy truncated" "bad.npy: elements: 11 bytes, expected 12 for shape 3 x 4" \
  custom "$folder/bad.npy" "$folder/labels.npy"
npy bad.npy '<c8' '(3, 4)' 'abcdefghijkl'
refused "npy of complex numbers" "bad.npy: element type|expected" custom "$folder/bad.npy" "$folder/labels.npy"
npy bad.npy '|u1' '(4,)' '\x00\x01\x02\x00'
refused "npy with too many labels" "bad.npy: number of labels: 4, expected 3" \
  custom "$folder/features.npy" "$folder/bad.npy"
npy bad.npy '|i1' '(3,)' '\x00\x01\xff'
refused "npy with label -1" "bad.npy: label of sample 2: -1, expected" custom "$folder/features.npy" "$folder/bad.npy"
npy bad.npy '<f4' '(3, 4)' "$(printf '\\x00\\x00\\xc0\\x7f%.0s' {1..12})"
refused "npy with NaN" "bad.npy: element [0, 0]: nan, expected a finite number" custom "$folder/bad.npy" "$folder/labels.npy"

if ((failures > 0)); then
  echo "$failures failures" >&2
  exit 1
fi
echo "every mistake was answered with one line"

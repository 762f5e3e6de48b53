#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# answers.sh FOLDER DIGITS PROGRAMS TOOLS
#
# The programs agree with each other: predict makes as many errors as distill_mnist said, distill_mnist accepts its own
# teacher and then distils the same student, and custom_dataset learns the same from a table as from two arrays.
set -euo pipefail
folder=$1 digits=$2 programs=$3

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

rm -rf "$folder"
mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT
cd "$folder"

run=(--data "$digits" --recipe recommended --teacher-epochs 1 --epochs 10)
"$programs/distill_mnist" "${run[@]}" --out trained >report
predicted=$("$programs/predict" trained/student_distilled.safetensors "$digits")
echo "$predicted"
errors=$(tail -n 1 trained/metrics.jsonl | sed -E 's/.*"errors":([0-9]+).*/\1/')
[[ $predicted == *", $errors errors" ]] || fail "metrics.jsonl says $errors errors, predict: $predicted"
grep -qE "^student distilled .* $errors " report || fail "the table has no $errors errors: $(<report)"
[[ $(grep -c "image [0-4]: [0-9] (it is [0-9])" <<<"$predicted") == 5 ]] || fail "expected five images: $predicted"

"$programs/distill_mnist" "${run[@]}" --teacher trained/teacher.safetensors --out loaded --quiet >/dev/null
for file in teacher.safetensors student_alone.safetensors student_distilled.safetensors; do
  cmp "trained/$file" "loaded/$file" || fail "$file differs when the teacher is loaded"
done

# Three kinds of flowers that differ in the signs of four numbers, as text and as arrays. The numbers are
# 1 + n / 128 or its negative, n from 0 to 127: floats with n in the third byte, and exact in seven decimals.
npy() { # FILE TYPE SHAPE: a version 1.0 file, to which the elements are appended
  printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '$2', 'fortran_order': False, 'shape': $3, }" >"$1"
}
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

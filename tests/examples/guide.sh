#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# guide.sh FOLDER DIGITS PROGRAMS TOOLS
#
# The programs of the guide print what its pages show: its words and columns, with other numbers, as DIGITS are few and
# not MNIST's. The recipes of page 3 that need PyTorch are in pytorch_interop.py, and its table of logits is in
# answers.sh; page 10 shows no output, and its program is in tests/consumer.
set -euo pipefail
folder=$1 digits=$2 programs=$3
pages=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../docs/guide" && pwd)

# alike PAGE COMMAND...: the page has the lines of the command's output, but for spaces and numbers.
alike() {
  local line page
  page=$(form <"$pages/$1.md")
  "${@:2}" | tee shown
  [[ -s shown ]] || { echo "FAILED: ${*:2} prints nothing" >&2; exit 1; }
  form <shown >lines
  while read -r line; do
    grep -qxF -- "$line" <<<"$page" || { echo "FAILED: $1.md does not show: $line" >&2; exit 1; }
  done <lines
}
form() { sed -E 's/[0-9]+(,[0-9]{3})*(\.[0-9]+)?/N/g; s/ +/ /g; s/^ //'; }

# In the place of PyTorch's network of page 3.
teacher_of_zeros() { # FILE
  local header='{' end=0 tensor shape size
  while read -r tensor shape size; do
    header+="\"$tensor\":{\"dtype\":\"F32\",\"shape\":$shape,\"data_offsets\":[$end,$((end + 4 * size))]},"
    end=$((end + 4 * size))
  done <<<"0.weight [400,784] 313600
0.bias [400] 400
2.weight [400,400] 160000
2.bias [400] 400
4.weight [10,400] 4000
4.bias [10] 10"
  header="${header%,}}"
  size=$(printf '\\x%02x' $((${#header} % 256)) $((${#header} / 256)))
  {
    printf '%b%s' "$size\0\0\0\0\0\0" "$header"
    head -c "$end" /dev/zero
  } >"$1"
}

rm -rf "$folder"
mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir -p data build/release
ln -s "$digits" data/mnist
ln -s "$programs" build/release/examples

awk '/^```/ { within = $0 == "```sh" } within && !/^```/' "$pages/2_your_own_data.md" >your_own_data.sh
alike 2_your_own_data sh -e your_own_data.sh
rm student.safetensors # or quickstart says that it is there
without_seconds() { "$@" | sed -E 's/ +[0-9.]+ s$//'; } # as the pages show an epoch
alike 1_first_distillation without_seconds "$programs/quickstart"
all_images() { "$programs/predict" student.safetensors "$digits" | tail -n 1; }
alike 3_teacher_from_pytorch all_images
teacher_of_zeros teacher.safetensors
alike 3_teacher_from_pytorch "$programs/guide" weights_from_pytorch teacher.safetensors "$digits"
alike 4_temperature_and_weight "$programs/guide" temperature_and_weight "$digits"
alike 5_your_own_loss "$programs/guide" own_loss "$digits"
alike 6_your_own_layer "$programs/guide" own_layer "$digits"
alike 7_sweeps "$programs/sweep" --data "$digits" --split official --teacher-epochs 1 --epochs 1 \
  --temperature 1 2 4 --hard-weight 0.1 0.3 1 --seeds 3 --best-first --report sweep.html --quiet
job() { # whether distillation helped depends on the digits: answers.sh has that sentence
  "$programs/distill_mnist" --data "$digits" --seed 0 --out out --report out/report.html --teacher-epochs 1 --epochs 2 \
    --quiet | grep -v "^In this run distillation "
}
alike 8_reading_the_report job
alike 9_ship_the_student "$programs/guide" ship_the_student digit_int4.h "$digits"
gcc -O1 -include digit_int4.h -x c - -o classify <<'END'
int main(void) { return digit_selftest(); }
END
./classify || { echo "FAILED: the file's self-test" >&2; exit 1; }
alike 11_targets without_seconds "$programs/guide" multi_label "$digits"
alike 11_targets without_seconds "$programs/guide" regression "$digits"

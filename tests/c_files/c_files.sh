#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# c_files.sh FOLDER WRITE_C_FILES: the files of io::export_c compile without a warning, as C99 and C++, with all compilers
# that are here, and give the logits of the library, on emulated processors too, where they cost what they may. With
# MNIST_DIR on MNIST, else on synthetic digits.
set -euo pipefail
folder=$1
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$folder"
mkdir -p "$folder"
"$2" "$folder" ${MNIST_DIR:+"$MNIST_DIR"}
cd "$folder"

warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
failed=0
fail() {
  echo "c_files: $*" >&2
  failed=1
}
# tolerance FILE [exact]: in parts of an image's largest logit. A file differs from the same network in double by up to 0.4e-6,
# behind a LayerNorm by 0.8e-6; the library, which adds up one input after another, by up to 1.5e-6 and 3e-6, so the two differ
# by more. Those of rounded weights differ by what was rounded.
tolerance() {
  case "$1 ${2:-}" in
    norm_first_float32.h\ exact) echo 1e-5 ;; # of the inputs' LayerNorm, whose two sums have 784 terms
    various_float32.h\ exact) echo 2e-6 ;;
    *float32.h\ exact) echo 1e-6 ;;
    norm_first_float32.h*) echo 2e-5 ;; # twice that
    various_float32.h*) echo 6e-6 ;;
    *float32.h*) echo 3e-6 ;;
    *bfloat16.h*) echo 2e-2 ;;
  esac
}
compilers=("gcc -std=c99 -O3 -march=native" "g++ -x c++ -O1" "clang-19 -std=c99 -O2"
  "clang++-19 -x c++ -O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
  "clang++-19 -x c++ -O1 -march=native -fsanitize=address,undefined -fno-sanitize-recover=all"
  "gcc -std=c99 -O2 -ffreestanding -U__SSE2__" # without SIMD
  # With constants that are right only where the file's macros read them; also as short as can be.
  "gcc -std=c99 -O1 -ffreestanding -U__SSE2__ -include apart.c"
  "gcc -std=c99 -O1 -DDIGIT_SMALL -include apart.c -fsanitize=undefined -fno-sanitize-recover=all")
! grep -qw avx2 /proc/cpuinfo || compilers+=("gcc -std=c99 -O2 -mavx2 -mfma")
# Compiled alone: what the processor's libraries lack is not asked for.
targets=("arm-none-eabi-gcc -std=c99 -Os -mcpu=cortex-m4 -mthumb -ffreestanding"
  "arm-none-eabi-gcc -std=c99 -O2 -mcpu=cortex-m0plus -mthumb -ffreestanding"
  "arm-none-eabi-gcc -std=c99 -O2 -mcpu=arm926ej-s -ffreestanding" # DSP instructions without pairs of 16 bits
  "riscv64-unknown-elf-gcc -std=c99 -Os -march=rv32imac -mabi=ilp32 -ffreestanding"
  "avr-gcc -std=c99 -Os -mmcu=atmega2560 -ffreestanding")
cp "$here/apart.c" .
shopt -s nullglob
files=(*.h)
[ ${#files[@]} -ge 10 ] || fail "expected at least ten files, found ${#files[@]}"
for command in "${compilers[@]}"; do
  read -ra words <<<"$command"
  if ! command -v "${words[0]}" >/dev/null; then
    echo "c_files: ${words[0]} is not here, not tried"
    continue
  fi
  samples=10000
  [[ $command != *-U__SSE2__* && $command != *-DDIGIT_SMALL* ]] || samples=1000 # a number at a time takes long
  for file in "${files[@]}"; do
    name=${file%.h}
    floats=()
    [[ -z $(tolerance "$file") ]] || floats=(-DFLOATS)
    if ! "${words[@]}" "${warnings[@]}" "-DMODEL_FILE=\"$file\"" "${floats[@]}" -I. "$here/check.c" -o check -lm; then
      fail "$command: $file does not compile"
      continue
    fi
    ./check "$samples" "${name%_*}.inputs" "$name.logits" $(tolerance "$file") >"$name.txt" || fail "$command, $name: $(cat "$name.txt")"
    if [[ -e $name.exact ]]; then
      ./check "$samples" "${name%_*}.inputs" "$name.exact" $(tolerance "$file" exact) >"$name.txt" ||
        fail "$command, $name, in double: $(cat "$name.txt")"
    fi
  done
  echo "$command: ${#files[@]} files"
done
for command in "${targets[@]}"; do
  read -ra words <<<"$command"
  if ! command -v "${words[0]}" >/dev/null; then
    echo "c_files: ${words[0]} is not here, not tried"
    continue
  fi
  for file in *_int?.h; do
    "${words[@]}" "${warnings[@]}" -x c -c "$file" -o alone.o || fail "$command: $file does not compile"
  done
  echo "$command: compiles"
done

# In emulation, 300 samples of each; on an ATmega2560, whose emulator is slow, as many as lie beside the program.
firmware="$here/../../examples/ship_it/firmware/firmware.sh"
on_qemu=(-t cortex-m4 -t cortex-m4-no-dsp -t cortex-m0+ -t rv32imac)
"$firmware" "${on_qemu[@]}" . 300 student_int8 student_int4 >table || fail "firmware.sh failed"
"$firmware" -t atmega2560 . 260 student_int8 student_int4 | tail -n +2 >>table || fail "firmware.sh failed"
"$firmware" "${on_qemu[@]}" -o -O2 . 300 pooled_int8 pooled_int4 reals_int8 | tail -n +2 >>table || fail "firmware.sh failed"
"$firmware" -t atmega2560 -o -O2 . 260 pooled_int8 pooled_int4 reals_int8 | tail -n +2 >>table || fail "firmware.sh failed"
"$firmware" -t cortex-m4 -o -O2 . 300 student_float32 student_bfloat16 reals_float32 | tail -n +2 >>table ||
  fail "firmware.sh failed"
"$firmware" -t atmega2560 -o -Os . 20 student_bfloat16 reals_float32 | tail -n +2 >>table || fail "firmware.sh failed"
cat table

# at_most COLUMN LIMIT TARGET FILE OPTION: of these programs, if they could be tried; the last three are patterns.
at_most() {
  awk -v column="$1" -v limit="$2" -v target="^($3)\$" -v file="^$4\$" -v option="^$5\$" '
    NR == 1 { for (i = 1; i <= NF; ++i) columns[$i] = i; next }
    / not tried$/ { ++found; next }
    $1 ~ target && $2 ~ file && $3 ~ option { ++found }
    $1 ~ target && $2 ~ file && $3 ~ option && !($columns[column] <= limit) { print; over = 1 }
    END { exit over || !found }
  ' table || fail "$3, $4, $5: expected at most $2 of $1"
}
at_most flash 18000 '.*' student_int8.h -Os
at_most flash 10000 '.*' student_int4.h -Os
at_most flash 18000 cortex-m4 student_int8.h -O2
at_most flash 10000 cortex-m4 student_int4.h -O2
at_most RAM 200 '.*' 'student_int..h' '.*'
at_most stack 512 '.*' 'student_int..h' '.*'
at_most per 2.0 cortex-m4 student_int8.h -O2
at_most per 3.5 cortex-m4-no-dsp student_int8.h -O2
at_most per 12 'cortex-m0[+]' 'student_int..h' -O2

# An answer that is damaged shows.
sed 's/digit_biases_2\[10\] = {/&\n    100000 +/' student_int8.h >damaged_int8.h
! cmp -s damaged_int8.h student_int8.h || fail "no bias was changed"
cp student_int8.logits damaged_int8.logits
cp student.inputs damaged.inputs
gcc -std=c99 -O1 '-DMODEL_FILE="damaged_int8.h"' -I. "$here/check.c" -o check
status=0
./check 10000 student.inputs student_int8.logits >/dev/null || status=$?
((status == 1)) || fail "a bias that was changed is not noticed, or check was called wrongly: status $status"
if "$firmware" -t cortex-m4 -o -O2 . 10 damaged_int8 >damaged 2>&1; then
  grep -q 'not tried$' damaged || fail "a bias that was changed is not noticed in emulation"
fi
exit $failed

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# c_files.sh FOLDER WRITE_C_FILES: the files of io::export_c compile without a warning, as C99 and C++, with all compilers
# that are here, and give the logits of the library, on emulated processors too. With MNIST_DIR on MNIST, else on synthetic
# digits.
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
    various_float32.h\ exact) echo -DTOLERANCE=2e-6f ;;
    *float32.h\ exact) echo -DTOLERANCE=1e-6f ;;
    various_float32.h*) echo -DTOLERANCE=6e-6f ;;
    *float32.h*) echo -DTOLERANCE=3e-6f ;;
    *bfloat16.h*) echo -DTOLERANCE=2e-2f ;;
  esac
}
compilers=("gcc -std=c99 -O3 -march=native" "g++ -x c++ -O1" "clang-19 -std=c99 -O2"
  "clang++-19 -x c++ -O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
  "clang++-19 -x c++ -O1 -march=native -fsanitize=address,undefined -fno-sanitize-recover=all"
  "gcc -std=c99 -O2 -ffreestanding -U__SSE2__") # without SIMD
! grep -qw avx2 /proc/cpuinfo || compilers+=("gcc -std=c99 -O2 -mavx2 -mfma")
# Compiled alone: what the processor's libraries lack is not asked for.
targets=("arm-none-eabi-gcc -std=c99 -Os -mcpu=cortex-m4 -mthumb -ffreestanding"
  "arm-none-eabi-gcc -std=c99 -O2 -mcpu=cortex-m0plus -mthumb -ffreestanding"
  "riscv64-unknown-elf-gcc -std=c99 -Os -march=rv32imac -mabi=ilp32 -ffreestanding"
  "avr-gcc -std=c99 -Os -mmcu=atmega2560 -ffreestanding")
shopt -s nullglob
files=(*.h)
[ ${#files[@]} -ge 10 ] || fail "expected at least ten files, found ${#files[@]}"
for command in "${compilers[@]}"; do
  read -ra words <<<"$command"
  if ! command -v "${words[0]}" >/dev/null; then
    echo "c_files: ${words[0]} is not here, not tried"
    continue
  fi
  for file in "${files[@]}"; do
    name=${file%.h}
    if "${words[@]}" "${warnings[@]}" "-DNET_FILE=\"$file\"" $(tolerance "$file") -I. "$here/check.c" -o check -lm; then
      ./check "$name.inputs" "$name.logits" >"$name.txt" || fail "$command, $name: $(cat "$name.txt")"
    else
      fail "$command: $file does not compile"
    fi
    if [[ -e $name.exact ]]; then
      "${words[@]}" "-DNET_FILE=\"$file\"" $(tolerance "$file" exact) -I. "$here/check.c" -o check -lm
      ./check "$name.inputs" "$name.exact" >"$name.txt" || fail "$command, $name, in double: $(cat "$name.txt")"
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
# run_emulated QEMU OPTION... -- COMPILER OPTION...: 1,000 samples of each file on an emulated processor. Data lie apart from
# code, or qemu cannot map them.
run_emulated() {
  local qemu=()
  while [[ $1 != -- ]]; do qemu+=("$1") && shift; done
  shift
  if ! command -v "${qemu[0]}" >/dev/null || ! command -v "$1" >/dev/null; then
    echo "c_files: ${qemu[0]} or $1 is not here, not tried"
    return
  fi
  local names=(student_int8 student_int4 pooled_int8 pooled_int4 reals_int8)
  [[ $* != *-mfloat-abi=hard* ]] || names=(student_float32 student_bfloat16 reals_float32)
  for name in "${names[@]}"; do
    "$@" -std=c99 -ffreestanding -nostdlib -static -Wl,-Tdata=0x400000 -DSAMPLES=1000 "-DNET_FILE=\"$name.h\"" \
      $(tolerance "$name.h") -I. "$here/bare.c" -o bare -lgcc || fail "$1: $name does not link"
    "${qemu[@]}" ./bare 3<"$name.inputs" 4<"$name.logits" || fail "$*, $name: other logits"
  done
  echo "$* on ${qemu[*]}: ${#names[@]} files"
}
# A Cortex-A15 has the instructions of the others, DSP among them.
run_emulated qemu-arm -cpu cortex-a15 -- arm-none-eabi-gcc -O2 -mcpu=cortex-m4 -mthumb
run_emulated qemu-arm -cpu cortex-a15 -- arm-none-eabi-gcc -O2 -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16
run_emulated qemu-arm -cpu cortex-a15 -- arm-none-eabi-gcc -Os -mcpu=cortex-m0plus -mthumb
# No startup code sets the register of small data.
run_emulated qemu-riscv32 -- riscv64-unknown-elf-gcc -Os -march=rv32imac -mabi=ilp32 -msmall-data-limit=0

# An answer that is damaged shows.
sed 's/net_biases_2\[10\] = {/&\n    100000 +/' student_int8.h >damaged.h
! cmp -s damaged.h student_int8.h || fail "no bias was changed"
gcc -std=c99 -O1 '-DNET_FILE="damaged.h"' -I. "$here/check.c" -o check
if ./check student_int8.inputs student_int8.logits >/dev/null; then
  fail "a bias that was changed is not noticed"
fi
exit $failed

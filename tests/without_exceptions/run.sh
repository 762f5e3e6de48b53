#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh FOLDER WRITE_FILES INCLUDE: <retort/predict.hpp> in programs without exceptions, run-time type information and, on a
# Cortex-M4 in QEMU, without memory to allocate. They give the logits of the library.
set -euo pipefail
folder=$1 write_files=$2 include=$3
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$folder"
mkdir -p "$folder"
"$write_files" "$folder"
cd "$folder"
fail() {
  echo "without_exceptions: $*" >&2
  exit 1
}
flags=(-std=c++20 -fno-exceptions -fno-rtti -Wall -Wextra -Werror -I "$include")

for compiler in g++ clang++-19; do
  command -v "$compiler" >/dev/null || { echo "without_exceptions: $compiler is not here, not tried"; continue; }
  "$compiler" "${flags[@]}" -O1 "$here/host.cpp" -o host || fail "$compiler: host.cpp does not compile"
  ./host student.safetensors images "logits.$compiler" || fail "$compiler: no answers"
  "$write_files" . "logits.$compiler" || fail "$compiler: other logits"
  head -c 60000 student.safetensors >cut
  text=$(./host cut images none || true)
  [[ $text == "cut: tensor "*"(is it cut short?)"* ]] || fail "$compiler: a file that was cut: $text"
done
# Other logits show.
head -c 3996 logits.g++ >damaged
printf '\x00\x00\x80\x3f' >>damaged
! "$write_files" . damaged || fail "another logit is not noticed"

arm=(arm-none-eabi-g++ -mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard)
if ! command -v qemu-system-arm >/dev/null || ! "${arm[@]}" -std=c++20 -fsyntax-only -x c++ - <<<'#include <span>' 2>/dev/null; then
  echo "without_exceptions: arm-none-eabi-g++ with its C++ library, or qemu-system-arm, is not here, not tried"
  exit
fi
arm+=("${flags[@]}" -Wdouble-promotion -Wno-psabi -ffunction-sections -fdata-sections -nostartfiles --specs=nosys.specs -T "$here/board.ld"
  -Wl,--gc-sections,--no-warnings)
for level in -O3 -Os; do
  "${arm[@]}" $level "$here/board.cpp" -o "without$level.elf" || fail "$level: board.cpp does not compile"
  "${arm[@]}" $level '-DMODEL="student.safetensors"' "$here/board.cpp" -o "with$level.elf" || fail "$level: the student does not compile"
  # Numbers are where the file has them; there is nothing to throw with, and nothing to allocate from.
  ! arm-none-eabi-nm "with$level.elf" | grep -E ' (malloc|_malloc_r|_Znwj|__cxa_throw|_Unwind_.+|_ZSt[0-9]+__throw_.+)$' ||
    fail "$level: an unwanted function"
  read -r with data bss < <(arm-none-eabi-size "with$level.elf" | awk 'NR == 2 { print $1, $2, $3 }')
  read -r without _ bss_without < <(arm-none-eabi-size "without$level.elf" | awk 'NR == 2 { print $1, $2, $3 }')
  [[ $data == 0 && $bss == "$bss_without" ]] || fail "$level: $data bytes of data, $bss of bss, expected 0 and $bss_without"
  answer=$(timeout 120 qemu-system-arm -M mps2-an386 -semihosting -display none -serial none -monitor none -icount shift=0 \
    -kernel "with$level.elf" 2>&1) || fail "$level: $answer"
  "$write_files" . logits || fail "$level: other logits"
  echo "Cortex-M4 $level: $answer; $((with - without - $(stat -c %s student.safetensors))) bytes of code beside the file"
  [[ $answer == "100 images"* ]] || fail "$level: $answer"
done

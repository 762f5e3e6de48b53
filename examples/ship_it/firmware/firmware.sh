#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# firmware.sh [-t TARGET]... [-o OPTION]... FOLDER [IMAGES [NAME...]]
#
# Builds a program for each target with each file NAME.h of io::export_c in FOLDER (prefix "digit"; all of them by default),
# once for size (-Os) and once for speed (-O2), and runs it in emulation: its self-test and IMAGES (100) of the inputs in
# FOLDER, which must give the logits that are there: bit for bit in integers. Prints a table of what the model costs, for
# one call of digit_classify. ship_it writes such a folder: a file digit_int8.h has its inputs in digit.inputs and their
# logits in digit_int8.logits. -t and -o choose targets and options of the compilers. Ends with 1 if an answer was wrong or
# a program could not be built; targets whose compiler or emulator is missing are named and left out.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
usage="usage: firmware.sh [-t TARGET]... [-o OPTION]... FOLDER [IMAGES [NAME...]]"

all_targets=(cortex-m4 cortex-m4-no-dsp cortex-m0+ rv32imac atmega2560)
# describe TARGET: sets compiler, emulator and sources. A Cortex-M3 has the instructions of a Cortex-M4 without DSP, and a
# Cortex-M0 (microbit) those of a Cortex-M0+.
describe() {
  sources=(semihosting.c)
  local cortex_m=(-mthumb -std=c99 -ffreestanding -nostdlib -T "$here/cortex_m.ld")
  local on_arm=(-nographic -semihosting -kernel)
  case $1 in
    cortex-m4)
      compiler=(arm-none-eabi-gcc -mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16 "${cortex_m[@]}")
      emulator=(qemu-system-arm -M mps2-an386 "${on_arm[@]}")
      ;;
    cortex-m4-no-dsp)
      compiler=(arm-none-eabi-gcc -mcpu=cortex-m3 "${cortex_m[@]}")
      emulator=(qemu-system-arm -M mps2-an386 "${on_arm[@]}")
      ;;
    cortex-m0+)
      compiler=(arm-none-eabi-gcc -mcpu=cortex-m0plus "${cortex_m[@]}")
      emulator=(qemu-system-arm -M microbit "${on_arm[@]}")
      ;;
    rv32imac)
      compiler=(riscv64-unknown-elf-gcc -march=rv32imac -mabi=ilp32 -std=c99 -ffreestanding -nostdlib
        "-Wl,-Tdata=0x400000" "-Wl,--section-start=.sdata=0x500000") # pages apart from code's
      emulator=(qemu-riscv32)
      ;;
    atmega2560)
      compiler=(avr-gcc -mmcu=atmega2560 -std=gnu99 -include "$here/avr.h")
      emulator=(simavr -m atmega2560 -f 16000000)
      sources=(avr.c avr_samples.s)
      ;;
    *)
      echo "firmware: no target '$1', expected one of ${all_targets[*]}" >&2
      exit 2
      ;;
  esac
  case $1 in
    cortex-*) sources+=(cortex_m.c) ;;
    rv32*) sources+=(risc_v.s) ;;
  esac
}

fail() {
  echo "firmware: $*" >&2
  failed=1
}

targets=()
options=()
if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  echo "$usage"
  exit 0
fi
while getopts t:o: option; do
  case $option in
    t) targets+=("$OPTARG") ;;
    o) options+=("$OPTARG") ;;
    *) echo "$usage" >&2 && exit 2 ;;
  esac
done
shift $((OPTIND - 1))
if (($# == 0)) || [[ ! ${2:-100} =~ ^[1-9][0-9]{0,3}$ ]]; then
  echo "$usage" >&2
  exit 2
fi
folder=$(cd "$1" 2>/dev/null && pwd) || {
  echo "firmware: $1: no such folder, expected what ship_it writes" >&2
  exit 1
}
images=${2:-100}
names=("${@:3}")
((${#targets[@]} > 0)) || targets=("${all_targets[@]}")
for target in "${targets[@]}"; do
  describe "$target"
done
((${#options[@]} > 0)) || options=(-Os -O2)
if ((${#names[@]} == 0)); then
  shopt -s nullglob
  for file in "$folder"/*.logits; do
    name=$(basename "$file" .logits)
    names+=("$name")
  done
fi
if ((${#names[@]} == 0)); then
  echo "firmware: $1: no file NAME.logits, expected what ship_it writes" >&2
  exit 1
fi
for name in "${names[@]}"; do
  for file in "$name.h" "$name.logits" "${name%_*}.inputs"; do
    if [[ ! -f $folder/$file ]]; then
      echo "firmware: $1/$file: no such file, expected what ship_it writes" >&2
      exit 1
    fi
  done
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0

# build PROGRAM OPTION...: main.c as main.o, with main.su and the program.
build() {
  local program=$1
  shift
  local flags=("$@" -DMODEL_FILE="\"$folder/$name.h\"" "-I$here" -I.)
  flags+=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -ffunction-sections -fdata-sections)
  "${compiler[@]}" "${flags[@]}" -fstack-usage -c "$here/main.c" -o main.o &&
    "${compiler[@]}" "${flags[@]}" -Wl,--gc-sections main.o "${sources[@]/#/$here/}" -lgcc -o "$program"
}

# measure_size PROGRAM: bytes of flash and of RAM.
measure_size() {
  "${compiler[0]%-gcc}-size" "$1" | awk 'NR == 2 { print $1 + $2, $2 + $3 }'
}

# measure_stack PROGRAM: bytes of stack that classify and what it calls take, along the deepest chain of calls: as main.su
# says, and for functions of the compiler's library by the registers that they push.
measure_stack() {
  local return_address=0
  [[ $target != atmega2560 ]] || return_address=3
  "${compiler[0]%-gcc}-objdump" -d --no-show-raw-insn "$1" | awk -F '\t' -v return_address=$return_address '
    FNR == NR { count = split($1, place, ":"); frames[place[count]] = $2; known[place[count]] = 1; next }
    /^[0-9a-f]+ <.*>:$/ {
      name = $1
      gsub(/.*<|>:/, "", name)
      if (!(name in known)) frames[name] = return_address
      next
    }
    match($0, /<[^+>]*>/) { calls[name] = calls[name] " " substr($0, RSTART + 1, RLENGTH - 2) }
    name in known { next }
    $2 == "push" || $2 ~ /^stmdb/ { frames[name] += $3 ~ /{/ ? 4 * gsub(/[,}]/, "", $3) - ($2 != "push") * 4 : 1 }
    $2 == "sub" && sub(/^sp, (sp, )?#/, "", $3) { frames[name] += $3 }
    $2 ~ /^addi?$/ && sub(/^sp,sp,-/, "", $3) { frames[name] += $3 }
    function depth(name,   list, count, below, deepest) {
      active[name] = 1 # the library jumps to and fro within its functions
      count = split(calls[name], list, " ")
      while (count > 0) {
        below = list[count--]
        if (below in frames && !active[below] && (below = depth(below)) > deepest) deepest = below
      }
      active[name] = 0
      return frames[name] + deepest
    }
    END { print depth("classify") }
  ' main.su -
}

# count_instructions PROGRAM: those of one call of classify, of which qemu prints each that it executes.
count_instructions() {
  local single=(-singlestep) process
  if "${emulator[0]}" -help | grep -q one-insn-per-tb; then # since qemu 8.1
    single=(-one-insn-per-tb)
    [[ ${emulator[0]} != qemu-system-* ]] || single=(-accel "tcg,one-insn-per-tb=on")
  fi
  rm -f trace
  mkfifo trace
  "${emulator[0]}" "${single[@]}" -d exec,nochain -D trace "${emulator[@]:1}" "$1" >/dev/null 2>&1 &
  process=$!
  timeout 60 awk '/ board_start$/ { count = 0 } { ++count } / board_stop$/ { print count; exit }' trace || true
  kill "$process" 2>/dev/null || true
  wait "$process" 2>/dev/null || true
}

# read_constant NAME: of the file's macros.
read_constant() {
  sed -n "s/^#define $1 //p" "$folder/$name.h"
}

# take_samples FIRST COUNT: into the files that programs read.
take_samples() {
  tail -c +$(($1 * input_bytes + 1)) "$folder/${name%_*}.inputs" | head -c $(($2 * input_bytes)) >inputs
  tail -c +$(($1 * logit_bytes + 1)) "$folder/$name.logits" | head -c $(($2 * logit_bytes)) >logits
}

# try FIRST COUNT OPTION...: builds and runs `program` on these samples; sets `cycles`.
try() {
  local said
  take_samples "$1" "$2"
  build program "${@:3}" || return
  said=$(timeout 120 "${emulator[@]}" program 2>&1) || true
  if [[ ! $said =~ samples\ $2\ wrong\ 0\ self-test\ 0\ cycles\ ([0-9]+) ]]; then
    echo "expected $2 samples without a mistake, got: $said" >&2
    return 1
  fi
  cycles=${BASH_REMATCH[1]}
}

# try_all OPTION...: one row of the table.
try_all() {
  local flash ram flash_without ram_without stack taken unit=instructions cycles first
  try 0 "$per_run" "$@" || return
  build without_model "$@" -DWITHOUT_MODEL || return
  read -r flash_without ram_without < <(measure_size without_model)
  build program "$@" || return
  read -r flash ram < <(measure_size program)
  stack=$(measure_stack program)
  if ((cycles > 0)); then
    taken=$cycles
    unit=cycles
  else
    taken=$(count_instructions program)
  fi
  if [[ ! $taken =~ ^[1-9] || ! $stack =~ ^[1-9] ]]; then
    echo "could not be counted: stack '$stack', $unit '$taken'" >&2
    return 1
  fi
  for ((first = per_run; first < count; first += per_run)); do
    try "$first" $((count - first < per_run ? count - first : per_run)) "$@" || return
  done
  printf '%-16s  %-19s  %-7s  %6d  %4d  %5d  %6.2f %s\n' "$target" "$name.h" "$1" $((flash - flash_without)) \
    $((ram - ram_without)) "$stack" "$(awk "BEGIN { print $taken / $multiply_adds }")" $unit
}

printf '%-16s  %-19s  %-7s  %6s  %4s  %5s  %s\n' target file options flash RAM stack "per multiply-add"
for target in "${targets[@]}"; do
  describe "$target"
  for program in "${compiler[0]}" "${emulator[0]}"; do
    if ! command -v "$program" >/dev/null; then
      echo "$target: $program is not here, not tried"
      continue 2
    fi
  done
  for name in "${names[@]}"; do
    tolerance=()
    logit_bytes=$(read_constant DIGIT_OUTPUTS)
    case $name in
      *_float32) tolerance=(-DTOLERANCE=3e-6f) ;;
      *_bfloat16) tolerance=(-DTOLERANCE=2e-2f) ;;
    esac
    if ((${#tolerance[@]} > 0)); then
      logit_bytes=$((4 * logit_bytes))
      constants=$(sed -n 's/.* \([0-9]*\) bytes of constants, .*/\1/p' "$folder/$name.h")
      if [[ $target == atmega2560 ]] && ((constants > 32767)); then
        echo "$target: $name.h has more constants than the compiler's arrays hold there, not tried"
        continue
      fi
    fi
    input_bytes=$(read_constant DIGIT_INPUTS)
    ! grep -q '^typedef float digit_input;' "$folder/$name.h" || input_bytes=$((4 * input_bytes))
    multiply_adds=$(sed -n 's/^ \* Form .*: \([0-9]*\) multiply-adds .*/\1/p' "$folder/$name.h")
    count=$(($(stat -L -c %s "$folder/$name.logits") / logit_bytes)) # that there are
    count=$((count < images ? count : images))
    per_run=$count
    if [[ $target == atmega2560 ]]; then
      room=$((212992 / (input_bytes + logit_bytes))) # beside the program in 256 kB
      per_run=$((count < room ? count : room))
    fi
    for option in "${options[@]}"; do
      try_all "$option" "${tolerance[@]}" || fail "$target, $name.h, $option: failed"
    done
  done
done
exit $failed

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# benchmarks/compile_time/run.sh [--rounds N] [--compilers "NAME..."] [--output FILE]
#
# What programs cost to compile: seconds, those of a processor (fewer on a busy machine) and peak memory of each compiler
# found (g++ and clang++, or those named), for this processor, for any, and without optimisation, by turns in N rounds
# (3); and the size of the program, linked and stripped. The programs are the README's; one that answers with a saved
# student by the whole library (read_digit.cpp); and the same by <retort/predict.hpp> (examples/read_digit). Of these two
# also the time from start to end with an answer, by turns. The tables go to standard output, progress to standard error.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$here/../..

rounds=3 compilers=() output=
usage() {
  echo "run.sh: $*; usage: benchmarks/compile_time/run.sh [--rounds N] [--compilers \"NAME...\"] [--output FILE]" >&2
  exit 2
}
while (($# > 0)); do
  case $1 in
    --rounds) rounds=${2:-} && shift ;;
    --compilers) read -ra compilers <<<"${2:-}" && shift && ((${#compilers[@]} > 0)) || usage "--compilers: expected names" ;;
    --output) output=${2:-} && shift && [[ -n $output ]] || usage "--output: expected a file" ;;
    *) usage "unknown option $1" ;;
  esac
  shift || usage "an option lacks its value"
done
[[ $rounds =~ ^[1-9][0-9]{0,3}$ ]] || usage "--rounds: '$rounds', expected a whole number from 1 to 9999"
for compiler in "${compilers[@]}"; do
  command -v "$compiler" >/dev/null || usage "--compilers: $compiler is not installed"
done
[[ -z $output || (! -d $output && -w $(dirname "$output")) ]] || usage "--output: cannot write $output"

source "$here/../replace_file.sh"
source "$repository/scripts/lock.sh"
source "$repository/scripts/packages.sh"
hold_lock benchmarks/compile_time/run.sh "$repository/build/compile_time.lock"
install_missing g++ pkg-config libeigen3-dev libxtensor-dev libxsimd-dev zlib1g-dev python3 >&2
if ((${#compilers[@]} == 0)); then
  compilers=(g++)
  for compiler in clang++-20 clang++-19 clang++-18 clang++; do
    if command -v "$compiler" >/dev/null; then
      compilers+=("$compiler")
      break
    fi
  done
fi
build=$repository/build/compile_time
rm -rf "$build"
mkdir -p "$build"
read -ra eigen < <(pkg-config --cflags eigen3)
common=(-std=c++20 -I "$repository/include" "${eigen[@]}")
settings=("-O3 -march=native" "-O3" "-O0")
declare -A sources=(["README's"]=examples/quickstart/main.cpp ["answers, retort.hpp"]=benchmarks/compile_time/read_digit.cpp
  ["answers, predict.hpp"]=examples/read_digit/main.cpp)
programs=("README's" "answers, retort.hpp" "answers, predict.hpp")

for ((round = 1; round <= rounds; ++round)); do
  for compiler in "${compilers[@]}"; do
    for setting in "${settings[@]}"; do
      read -ra flags <<<"$setting"
      for program in "${programs[@]}"; do
        name="$compiler ${setting// /} $program"
        python3 "$here/measure.py" "$compiler" "${common[@]}" "${flags[@]}" -c "$repository/${sources[$program]}" \
          -o "$build/$name.o" >>"$build/$name.times" || {
          echo "run.sh: $compiler $setting failed" >&2
          exit 1
        }
      done
    done
  done
  echo "round $round of $rounds" >&2
done

table=$build/table.md
{
  echo "| program | compiler | flags | seconds | of a processor | peak MB | program KB |"
  echo "|---|---|---|---|---|---|---|"
  for program in "${programs[@]}"; do
    for compiler in "${compilers[@]}"; do
      for setting in "${settings[@]}"; do
        name="$compiler ${setting// /} $program"
        "$compiler" "$build/$name.o" -o "$build/$name" -lz -pthread >&2
        strip "$build/$name"
        version="$(basename "$compiler") $("$compiler" -dumpfullversion -dumpversion)"
        echo "| $program | $version | \`$setting\` | $(python3 "$here/measure.py" --median "$build/$name.times") |" \
          "$(($(stat -c %s "$build/$name") / 1000)) |"
      done
    done
  done
  name="${compilers[0]} ${settings[0]// /}"
  "$build/$name answers, retort.hpp" "$build/student.safetensors"
  { printf 'P5 28 28 255\n' && head -c 784 /dev/zero; } >"$build/image.pgm"
  echo
  python3 "$here/measure.py" --start "$build/student.safetensors" "$build/image.pgm" "$build/$name answers, retort.hpp" \
    "$build/$name answers, predict.hpp"
} >"$table"
cat "$table"
if [[ -n $output ]]; then
  replace_file "$table" "$output"
fi

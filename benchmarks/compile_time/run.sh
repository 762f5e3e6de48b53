#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# benchmarks/compile_time/run.sh [--rounds N] [--compilers "NAME..."] [--output FILE]
#
# What programs cost to compile: seconds, those of a processor (fewer on a busy machine) and peak memory of each compiler
# found (g++ and clang++, or those named), for this processor, for any, and without optimisation, by turns in N rounds
# (3); and the size of the program, linked and stripped. The programs are the README's; the same with another Linear and
# ReLU in its student; the same as one of several files, with its models and trainings declared (extern.hpp), then also
# with retort.hpp precompiled, and the file that instantiates them; one that answers with a saved student by the whole
# library (read_digit.cpp); the same by <retort/predict.hpp> (examples/read_digit); and the README's in libtorch, where
# that is found. Of the two that answer also the time from start to end with an answer, by turns. The tables go to
# standard output, progress to standard error.
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

source "$here/../libtorch.sh"
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
readme=$repository/examples/quickstart/main.cpp
trainings=("NETWORK(Teacher)" "NETWORK(Student)" "TRAINER(Teacher, retort::CrossEntropy, retort::Adam)"
  "TRAINER(Student, retort::CrossEntropy, retort::Adam)"
  "DISTILLATION(Teacher, Student, retort::HintonLoss, retort::Adam)")
printf 'RETORT_EXTERN_%s;\n' "${trainings[@]}" >"$build/extern"
sed "/^static_assert/r $build/extern" "$readme" >"$build/declared.cpp"
{ sed -n '1,/^static_assert/p' "$readme" && printf 'RETORT_INSTANTIATE_%s;\n' "${trainings[@]}"; } >"$build/instantiated.cpp"
layer='rt::Linear<20, 20>, rt::ReLU,'
sed -e "s/$layer/rt::Linear<20, 30>, rt::ReLU, rt::Linear<30, 20>, rt::ReLU,/" -e '/^static_assert/d' "$readme" \
  >"$build/another_layer.cpp"
grep -qF "$layer" "$readme" || usage "$readme has no '$layer' to put another layer behind"
declare -A sources=(["README's"]=$readme ["README's, another layer"]=$build/another_layer.cpp
  ["README's, declared"]=$build/declared.cpp ["README's, declared, precompiled"]=$build/declared.cpp
  ["README's, instantiated"]=$build/instantiated.cpp
  ["answers, retort.hpp"]=$here/read_digit.cpp ["answers, predict.hpp"]=$repository/examples/read_digit/main.cpp)
programs=("README's" "README's, another layer" "README's, declared" "README's, declared, precompiled"
  "README's, instantiated" "answers, retort.hpp" "answers, predict.hpp")
libtorch_flags=() libtorch_libraries=()
if read -r _ libtorch < <(find_libtorch); then
  set_libtorch_flags "$libtorch"
  sources["README's, in libtorch"]=$here/libtorch.cpp
  programs+=("README's, in libtorch")
else
  echo "libtorch: not found (python3 -m pip install torch, or apt-get install libtorch-dev); left out" >&2
fi

# precompile COMPILER SETTING: sets `precompiled` to the flags by which COMPILER takes retort.hpp in precompiled form.
precompile() {
  local header="$build/precompiled $1 ${2// /}.hpp" flags
  read -ra flags <<<"$2"
  precompiled=(-include "$header")
  if [[ ! -e $header ]]; then
    echo '#include <retort/retort.hpp>' >"$header"
    "$1" "${common[@]}" "${flags[@]}" -x c++-header "$header" -o "$header.gch"
  fi
}

for ((round = 1; round <= rounds; ++round)); do
  for compiler in "${compilers[@]}"; do
    for setting in "${settings[@]}"; do
      read -ra flags <<<"$setting"
      for program in "${programs[@]}"; do
        name="$compiler ${setting// /} $program"
        includes=("${common[@]}") precompiled=()
        if [[ $program == *precompiled ]]; then
          precompile "$compiler" "$setting"
        elif [[ $program == *libtorch ]]; then
          includes=(-std=c++20 "${libtorch_flags[@]}")
        fi
        python3 "$here/measure.py" "$compiler" "${precompiled[@]}" "${includes[@]}" "${flags[@]}" -c "${sources[$program]}" \
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
        objects=("$build/$name.o") libraries=(-lz -pthread) size="-"
        if [[ $program == *declared* ]]; then
          objects+=("$build/$compiler ${setting// /} README's, instantiated.o")
        fi
        if [[ $program == *libtorch ]]; then
          libraries=("${libtorch_libraries[@]}")
        fi
        if [[ $program != *instantiated ]]; then
          "$compiler" "${objects[@]}" -o "$build/$name" "${libraries[@]}" >&2
          strip "$build/$name"
          size=$(($(stat -c %s "$build/$name") / 1000))
        fi
        version="$(basename "$compiler") $("$compiler" -dumpfullversion -dumpversion)"
        echo "| $program | $version | \`$setting\` | $(python3 "$here/measure.py" --median "$build/$name.times") |" \
          "$size |"
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

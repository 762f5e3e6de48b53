#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh FOLDER COMPILER INCLUDES...: a program of two files, one for any x86-64 processor and one for those with AVX2.
# They share no function of the library, so the first runs on a processor without AVX2 (of qemu-user). INCLUDES are the
# folders of the headers, Retort's first. Exits with 77 (skipped) where this cannot be tried.
set -euo pipefail
folder=$1 compiler=$2
shift 2
sources=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

[[ $(uname -m) == x86_64 ]] || { echo "skipped: the two instruction sets are x86-64's"; exit 77; }

mkdir -p "$folder"
cd "$folder"
includes=(-I "$1")
shift
for include in "$@"; do
  [[ $include == /usr/include ]] || includes+=(-isystem "$include")
done
# Whether optimised or not, a file of nvcc has the types of g++'s optimised files.
name() {
  echo '#include <retort/core/instruction_set.hpp>
RETORT_INSTRUCTION_SET_NAME' | "$compiler" -std=c++20 -march=icelake-server "${includes[@]}" "$@" -x c++ -E -P - | tail -1
}
optimised=$(name -O1)
for level in -O0 -O1; do
  of_nvcc=$(name "$level" -D__CUDACC__)
  [[ $of_nvcc == "$optimised" ]] || { echo "nvcc's name at $level is $of_nvcc, not $optimised"; exit 1; }
done

# So little optimised, most inline functions become ones that the linker could share.
compile() { "$compiler" -std=c++20 -O1 -Wall -Wextra "${includes[@]}" -c "$@"; }
compile -march=x86-64 -DFUNCTION=train_baseline "$sources/train.cpp" -o baseline.o
compile -march=x86-64-v3 -DFUNCTION=train_wide "$sources/train.cpp" -o wide.o
compile -march=x86-64 "$sources/main.cpp" -o main.o

# Functions of namespace retort that both define, and of which the linker would keep one. Exceptions are types of both;
# their destructors and inherited constructors only pass on a pointer.
functions() { nm --defined-only "$1" | awk '$2 ~ /[WT]/ && $3 ~ /^_ZZ*NK*6retort/ { print $3 }' | sort; }
shared=$(comm -12 <(functions baseline.o) <(functions wide.o) | c++filt | grep -vE '^retort::[A-Za-z]*Error::[^[]*$' || true)
if [[ -n $shared ]]; then
  echo "both files define:"
  echo "$shared"
  exit 1
fi
(($(functions wide.o | wc -l) > 20)) || { echo "wide.o has no functions to compare"; exit 1; }

# What is std's has one name in both, and is the first file's.
"$compiler" main.o baseline.o wide.o -lz -pthread -o program
./program baseline
if grep -qw avx2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo; then
  ./program wide
fi
command -v qemu-x86_64 >/dev/null || { echo "skipped: the functions are apart, but there is no qemu-x86_64 (qemu-user) to run them"; exit 77; }
qemu-x86_64 -cpu Nehalem ./program baseline
if qemu-x86_64 -cpu Nehalem ./program wide >/dev/null 2>&1; then
  echo "the emulated processor runs AVX2, so that it shows nothing"
  exit 1
fi

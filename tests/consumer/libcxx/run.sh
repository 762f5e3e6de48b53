#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh REPOSITORY FOLDER INCLUDES...: the library with clang and libc++: what reads and writes numbers is tested,
# README's program is read and instantiated, and the example of a dataset of one's own runs. INCLUDES are the folders
# of the headers that they need. Exits with 77 (skipped) where there is no such clang.
set -euo pipefail
repository=$1 folder=$2
shift 2

compiler=
for name in clang++-19 clang++; do
  if command -v $name >/dev/null && echo '#include <string>' | $name -stdlib=libc++ -x c++ -fsyntax-only - 2>/dev/null; then
    compiler=$name
    break
  fi
done
[[ -n $compiler ]] || { echo "skipped: no clang with libc++ (apt-get install clang-19 libc++-19-dev libc++abi-19-dev)"; exit 77; }

source "$repository/tests/link_headers.sh"
link_headers "$folder/include" "Eigen unsupported xsimd xtensor xtl catch2 nlohmann" "$@"
cd "$folder"
flags=(-stdlib=libc++ -std=c++20 -O0 -Wall -Wextra -Werror)
read_with() { "$compiler" "${flags[@]}" -I "$repository/include" -I "$repository/tests" -isystem include "$@"; }
compile() { # OUTPUT SOURCES...
  local output=$1
  shift
  read_with "$@" -o "$output" -lz -pthread
}

tests=()
for test in core/parse_number core/text core/json data/csv; do
  tests+=("$repository/tests/${test}_test.cpp")
done
compile numbers "$repository/tests/main.cpp" "${tests[@]}"
./numbers

read_with -fsyntax-only "$repository/examples/quickstart/main.cpp"
compile custom_dataset -I "$repository/examples" "$repository/examples/custom_dataset/main.cpp"
awk 'BEGIN {
  for (i = 0; i < 150; ++i) printf "%g,%g,%g,%g,%d\n", i % 3 + i % 7 / 10, i % 3 * 2, i % 5 / 10, i % 3 + 0.5, i % 3
}' >flowers.csv
./custom_dataset flowers.csv

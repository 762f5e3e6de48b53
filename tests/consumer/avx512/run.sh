#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh COMPILER INCLUDES...: with README's flags for a processor with AVX-512 and its products of bfloat16, and all
# headers by -I, a program compiles without a warning. Not run: no such processor is needed. Exits with 77 (skipped) on
# other processors.
set -euo pipefail
compiler=$1
shift
[[ $(uname -m) == x86_64 ]] || { echo "skipped: AVX-512 is x86-64's"; exit 77; }
includes=()
for include in "$@"; do
  [[ $include == /usr/include ]] || includes+=(-I "$include")
done
"$compiler" -std=c++20 -O3 -march=sapphirerapids -fopenmp -DEIGEN_DONT_PARALLELIZE -Wall -Wextra -Werror "${includes[@]}" \
  -c "$(dirname "${BASH_SOURCE[0]}")/main.cpp" -o /dev/null

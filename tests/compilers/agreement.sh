#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# agreement.sh FOLDER INCLUDES...
#
# g++ and clang++ train the same models to the same bits with -ffp-contract=off, with AVX2 where this processor has it:
# compiled otherwise, each is free to contract a product and a sum into one operation where the other does not. INCLUDES
# are the folders of the headers needed. Exit code 77: skipped, for the reason printed.
set -euo pipefail
folder=$1
shift
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

skip() {
  echo "skipped: $*"
  exit 77
}
command -v g++ >/dev/null || skip "no g++ to compare"
clang=$(command -v clang++-19 || command -v clang++) || skip "no clang++ to compare"

target=()
if grep -qw avx2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo; then
  target=(-mavx2 -mfma)
fi

includes=()
for include in "$@"; do
  [[ $include == /usr/include ]] || includes+=("-isystem$include") # a compiler's own folders keep their order
done

mkdir -p "$folder"
for compiler in g++ "$clang"; do
  program=$folder/$(basename "$compiler")
  "$compiler" -std=c++20 -O1 -ffp-contract=off "${target[@]}" -I "$tests/../include" -I "$tests" "${includes[@]}" \
    "$tests/compilers/agreement.cpp" -lz -pthread -o "$program"
  "$program" | tee "$program.txt"
done
diff "$folder/g++.txt" "$folder/$(basename "$clang").txt"

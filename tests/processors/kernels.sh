#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kernels.sh FOLDER PROCESSOR MAIN INCLUDES...
#
# The tests of the SIMD kernels, of activations on vectors, of CONTRIBUTING.md's formulas and of whole models on panels,
# compiled for PROCESSOR (avx512, avx2, neon, plain) and run: on this machine, or for 64-bit ARM under qemu-user.
# INCLUDES are the folders of the headers that they need, MAIN is the object of tests/main.cpp for this machine. Of
# AVX-512 what this machine has is run, the rest checked as far as types go. Exit code 77: skipped, for the reason
# printed.
set -euo pipefail
folder=$1 processor=$2 main=$3
shift 3
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

skip() {
  echo "skipped: $*"
  exit 77
}
require() { command -v "$1" >/dev/null || skip "$processor needs $1 ($2)"; }

has() { grep -qw "$1" /proc/cpuinfo; }

# prefer_clang FLAGS...: where there is clang, it takes half as long. What this machine has of SIMD clang compiles in the
# build with sanitizers, so g++ does here.
prefer_clang() { ! command -v clang++-19 >/dev/null || compiler=(clang++-19 "$@"); }
compiler=(g++ -Wno-maybe-uninitialized) run=()
# Not optimised: the few steps of brief tests take less time than an optimiser.
optimisation=-O0
runs=yes bfloat16=no plain=false
case $processor in
  avx512)
    [[ $(uname -m) == x86_64 ]] || skip "avx512 needs an x86-64 processor"
    compiler+=(-march=x86-64-v4 -Wno-uninitialized) # g++ 12 warns of its own headers
    optimisation=-Og                                # without, g++ does not compile xsimd (core/instruction_set.hpp)
    has avx512f && has avx512vl && has avx512bw && has avx512dq && has avx512cd || runs=no
    # Only AVX512_BF16 has products of bfloat16 of its own.
    if [[ $runs == no ]] || has avx512_bf16; then
      compiler+=(-mavx512bf16)
      bfloat16=yes
    fi
    ;;
  avx2)
    [[ $(uname -m) == x86_64 ]] || skip "avx2 needs an x86-64 processor"
    has avx2 && has fma || skip "this processor has no AVX2 and FMA"
    ! has avx512f || prefer_clang
    compiler+=(-mavx2 -mfma)
    ;;
  neon)
    require aarch64-linux-gnu-g++ g++-aarch64-linux-gnu
    require qemu-aarch64 qemu-user
    compiler=(aarch64-linux-gnu-g++ -static -Wno-maybe-uninitialized -Wno-psabi)
    prefer_clang --target=aarch64-linux-gnu -static
    run=(qemu-aarch64)
    main=
    ;;
  plain)
    prefer_clang
    compiler+=(-DRETORT_PLAIN_SIMD)
    plain=true
    ;;
  *)
    echo "kernels.sh: unknown processor $processor, expected avx512, avx2, neon or plain" >&2
    exit 2
    ;;
esac
require "${compiler[0]}" g++

source "$tests/link_headers.sh"
link_headers "$folder/include" "Eigen xsimd catch2" "$@"
cd "$folder"
compiler+=(-std=c++20 $optimisation -DRETORT_BRIEF_TESTS=1 -Wall -Wextra -Werror -Winvalid-pch
  -I "$tests/../include" -I "$tests" -isystem include)
# What most of them include is read once, and by clang instantiated once.
precompile=(-x c++-header)
[[ ${compiler[0]} != *clang* ]] || precompile+=(-fpch-instantiate-templates)
printf '#include "%s"\n' catch.hpp retort/retort.hpp >precompiled.hpp
"${compiler[@]}" "${precompile[@]}" precompiled.hpp -o precompiled.hpp.gch
# The small ones are compiled as one.
printf '#include "%s"\n' "$tests"/simd/*_test.cpp "$tests"/nn/activations_test.cpp "$tests"/processors/worked_examples.hpp \
  >small.cpp
echo "static_assert(retort::instruction_set.ends_with(\"_plain\") == $plain, \"tests/processors: not $processor's SIMD\");" \
  >>small.cpp
panels=()
for source in "$tests"/backend/eigen/panel/*_test.cpp; do
  [[ $source == *bf16_products* && $bfloat16 == no ]] || panels+=("$source")
done
"$tests/../scripts/unite.sh" panels.cpp "${panels[@]}"
objects=()
for source in small.cpp panels.cpp; do
  if [[ $runs == no ]]; then
    "${compiler[@]}" -include precompiled.hpp -fsyntax-only $source
    continue
  fi
  "${compiler[@]}" -include precompiled.hpp -c $source -o $source.o
  objects+=($source.o)
done
rm precompiled.hpp.gch # hundreds of megabytes
if [[ $runs == no ]]; then
  skip "this processor has no AVX-512: the kernels' types are checked for it, and nothing is run"
fi
if [[ -z $main ]]; then
  main=main.o
  "${compiler[@]}" -c "$tests/main.cpp" -o $main
fi
"${compiler[@]}" "$main" "${objects[@]}" -pthread -o kernels
"${run[@]}" ./kernels

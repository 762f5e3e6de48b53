#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tests/fuzz/run.sh MINUTES [TARGETS...]
#
# Builds the fuzz targets with clang++-19, or the compiler that CXX names, in build/fuzz and fuzzes all of them, or those named (json, csv, ...), for
# MINUTES in all. What they find interesting is kept in build/fuzz/corpus and is where the next run begins; an input
# that fails is left in build/fuzz/failures and named at the end. Exit code 1 where one failed, 77 where there is no
# libFuzzer, for the reason printed.
#
# run.sh --target PROGRAM SECONDS FOLDER fuzzes one target that is built, and keeps its files in FOLDER.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# fuzz_target PROGRAM SECONDS CORPUS FAILURES
fuzz_target() {
  local program=$1 seconds=$2 corpus=$3 failures=$4 scratch status=0
  mkdir -p "$corpus" "$failures"
  scratch=$(mktemp -d -p "$([[ -d /dev/shm ]] && echo /dev/shm || echo /tmp)" retort-fuzz-XXXXXX)
  "$program" --seeds "$corpus"
  # An input of some kilobytes costs milliseconds and a few megabytes; limits far above that find what does not.
  TMPDIR=$scratch "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=512 \
    -max_len=16384 -error_exitcode=1 -artifact_prefix="$failures/" -print_final_stats=1 "$corpus" || status=$?
  rm -rf "$scratch"
  return "$status"
}

if [[ ${1:-} == --target ]]; then
  (($# == 4)) || { echo "usage: run.sh --target PROGRAM SECONDS FOLDER" >&2; exit 2; }
  fuzz_target "$2" "$3" "$4/corpus" "$4/failures"
  exit
fi

if (($# == 0)) || ! [[ $1 =~ ^[1-9][0-9]{0,4}$ ]]; then
  echo "usage: tests/fuzz/run.sh MINUTES [TARGETS...], MINUTES from 1 to 99999" >&2
  exit 2
fi
minutes=$1
shift
source "$repository/scripts/lock.sh"
compiler=${CXX:-clang++-19}
if ! command -v "$compiler" >/dev/null; then
  echo "skipped: fuzzing needs $compiler (clang-19)"
  exit 77
fi
build=$repository/build/fuzz
hold_lock tests/fuzz/run.sh "$build.lock"
mkdir -p "$build"
cmake -S "$repository" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Debug \
  -DCMAKE_CXX_FLAGS_DEBUG=-O1 -DRETORT_SANITIZE=ON -DRETORT_BUILD_EXAMPLES=OFF -DRETORT_CUDA=OFF \
  -DRETORT_THRUST=OFF -DRETORT_BLAS=OFF \
  >"$build/configure.log" 2>&1 || { cat "$build/configure.log" >&2; exit 1; }
if ! grep -q '^RETORT_HAS_LIBFUZZER:INTERNAL=1' "$build/CMakeCache.txt"; then
  echo "skipped: $compiler links no libFuzzer (libclang-rt-19-dev)"
  exit 77
fi
targets=("$@")
if ((${#targets[@]} == 0)); then
  read -ra targets <"$build/tests/fuzz/targets.txt"
fi
cmake --build "$build" --target "${targets[@]/#/retort_fuzz_}"

failed=()
for target in "${targets[@]}"; do
  echo "fuzzing $target"
  fuzz_target "$build/tests/fuzz/retort_fuzz_$target" $((minutes * 60 / ${#targets[@]})) "$build/corpus/$target" \
    "$build/failures/$target" 2>"$build/$target.log" || failed+=("$target")
  grep -E '^(stat::number_of_executed_units|stat::average_exec_per_sec|stat::new_units_added)' "$build/$target.log" |
    sed 's/^stat:://' || true
done
for target in ${failed[@]+"${failed[@]}"}; do
  echo "failed: $target, see $build/$target.log and $build/failures/$target" >&2
done
((${#failed[@]} == 0))

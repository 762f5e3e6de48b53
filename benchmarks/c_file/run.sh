#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# benchmarks/c_file/run.sh BENCHMARK [ROUNDS]: one answer by the exported C files, by the library and by onnxruntime, in
# ROUNDS (7) turns: medians in nanoseconds. BENCHMARK is the program benchmark_c_file; the folder c_file is beside it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
(($# == 1 || $# == 2)) && [[ -x $1 && ${2:-7} =~ ^[1-9][0-9]{0,3}$ ]] || {
  echo "usage: benchmarks/c_file/run.sh BENCHMARK [ROUNDS]" >&2
  exit 2
}
times=$(mktemp)
trap 'rm -f "$times"' EXIT
onnxruntime=yes
for ((round = 0; round < ${2:-7}; ++round)); do
  "$1" --benchmark_enable_random_interleaving=true --benchmark_repetitions=5 --benchmark_min_time=0.05 \
    --benchmark_format=csv 2>/dev/null | sed -nE 's/^"(one_sample[^"]*)_median",[^,]*,([^,]*),.*/\1 \2/p' >>"$times"
  if [[ $onnxruntime == yes ]] && ns=$(python3 "$here/onnxruntime_one.py" "$(dirname "$1")/c_file"); then
    echo "one_sample/float32/onnxruntime $ns" >>"$times"
  else
    onnxruntime=no
  fi
done
[[ -s $times ]] || {
  echo "run.sh: $1 gave no times" >&2
  exit 1
}
sort -k1,1 -k2,2g "$times" | awk '
  $1 != name { show(); name = $1; n = 0 }
  { ns[++n] = $2 }
  END { show() }
  function show() {
    if (n > 0) { printf "%-34s %7.0f ns (%.0f to %.0f)\n", name, ns[int((n + 1) / 2)], ns[1], ns[n] }
  }'

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# predict.sh INCLUDE COMPILER [FLAGS...]: what <retort/predict.hpp> brings into a program, directly or not. It has no
# trainer, no reader of data or JSON, no Eigen, no zlib, and none of the standard headers that take long to read.
set -euo pipefail
include=$1
shift
heavy='(^|/)(Eigen|nlohmann|xsimd|xtensor)/|/zlib\.h$|/c\+\+/([0-9.]+|v1)/(algorithm|filesystem|format|fstream|functional|iomanip|iostream|map|memory|regex|set|sstream|thread|vector)$'
ours='/retort/(predict\.hpp|(core|nn|predict)/[a-z_0-9]+\.hpp|backend/generic/(dot_products|normalized_row|square_means|strands)\.hpp)$'
read_header() { printf '#include <%s>\n' "$1" | "${@:2}" -std=c++20 -I "$include" -M -x c++ - | tr -s ' \\' '\n\n'; }

files=$(read_header retort/predict.hpp "$@")
unwanted=$({ grep -E "$heavy" || true; } <<<"$files"; grep '/retort/' <<<"$files" | { grep -Ev "$ours" || true; })
for name in core/json core/thread_pool nn/network nn/describe; do
  if grep -q "/retort/$name\.hpp$" <<<"$files"; then unwanted+=$'\n'retort/$name.hpp; fi
done
if [[ -n $unwanted ]]; then
  printf 'predict.sh: retort/predict.hpp includes\n%s\n' "$unwanted" >&2
  exit 1
fi
# What is looked for is found where it is.
for header in retort/data/gzip.hpp retort/io/safetensors.hpp; do
  grep -qE "$heavy" <<<"$(read_header $header "$@")" || { echo "predict.sh: nothing unwanted in $header" >&2; exit 1; }
done
echo "$(grep -c /retort/ <<<"$files") of the library's headers"

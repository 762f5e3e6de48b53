#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# alone.sh COMPILER [FLAGS...] -- HEADERS...
#
# Reads each header as the only line of a translation unit: it includes what it needs, and is free of warnings. HEADERS
# are named as in an #include line.
set -euo pipefail
command=() headers=()
while (($# > 0)) && [[ $1 != -- ]]; do
  command+=("$1")
  shift
done
shift
headers=("$@")
((${#headers[@]} > 0)) || { echo "alone.sh: no headers" >&2; exit 2; }

failed=()
for header in "${headers[@]}"; do
  printf '#include "%s"\n' "$header" | "${command[@]}" -std=c++20 -fsyntax-only -x c++ - || failed+=("$header")
done
if ((${#failed[@]} > 0)); then
  printf 'does not stand alone, or warns: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo "${#headers[@]} headers stand alone"

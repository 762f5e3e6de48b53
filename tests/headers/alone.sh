#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# alone.sh INCLUDE FOLDER COMPILER [FLAGS...] -- HEADERS...
#
# Reads each header as the only line of a translation unit: it includes what it needs, and is free of warnings. HEADERS
# are named as in an #include line, below INCLUDE.
#
# clang reads what most headers share only once. A header that includes another sees the same declarations whether that
# one is read before it or by it. So FOLDER keeps some headers in precompiled form, and a header is read after the largest
# of those that it includes, directly or not.
set -euo pipefail
include=$1 folder=$2
shift 2
command=()
while (($# > 0)) && [[ $1 != -- ]]; do
  command+=("$1")
  shift
done
shift
headers=("$@")
((${#headers[@]} > 0)) || { echo "alone.sh: no headers" >&2; exit 2; }

# From the smallest to the largest. To precompile one is to read it alone.
shared=()
if [[ ${command[0]} == *clang* ]]; then
  shared=(core/instruction_set core/text backend/plan core/error backend/generic/generic simd/vector core/json nn/network
    backend/cuda/block/layout data/dataset backend/generic/backend backend/thrust/backend io/safetensors_file
    backend/eigen/panel/panel backend/eigen/eigen train/epoch_trainer train/fit)
fi

# For each header a line: the last of the shared ones that it includes, directly or not, or -; then the header.
with_shared() {
  (cd "$include" && grep -rH '^#include "retort/' retort) | awk -v headers="$*" -v shared="${shared[*]}" '
    { split($0, part, /:#include "|"/); included[part[1]] = included[part[1]] " " part[2] }
    function collect(header,   names, i) {
      split(included[header], names, " ")
      for (i in names) if (!(names[i] in closure)) { closure[names[i]]; collect(names[i]) }
    }
    END {
      split(shared, candidates, " "); split(headers, names, " ")
      for (i in names) {
        delete closure; collect(names[i]); last = "-"
        for (j = 1; j in candidates; ++j) if ("retort/" candidates[j] ".hpp" in closure) last = candidates[j]
        print last, names[i]
      }
    }'
}

rm -rf "$folder"
mkdir -p "$folder"
failed=() count=0
for name in "${shared[@]}"; do
  if [[ " ${headers[*]} " == *" retort/$name.hpp "* ]]; then
    printf '#include "retort/%s.hpp"\n' "$name" |
      "${command[@]}" -std=c++20 -fpch-instantiate-templates -x c++-header - -o "$folder/${name//\//_}.pch" ||
      failed+=("retort/$name.hpp")
  fi
done

while read -r name header; do
  ((++count))
  own=${header#retort/}
  [[ " ${shared[*]} " != *" ${own%.hpp} "* ]] || continue
  precompiled=$folder/${name//\//_}.pch
  before=()
  [[ -f $precompiled ]] && before=(-include-pch "$precompiled")
  printf '#include "%s"\n' "$header" | "${command[@]}" -std=c++20 -fsyntax-only "${before[@]}" -x c++ - || failed+=("$header")
done < <(with_shared "${headers[@]}")
rm -rf "$folder"
((count == ${#headers[@]})) || { echo "alone.sh: $count of ${#headers[@]} headers were read" >&2; exit 1; }
if ((${#failed[@]} > 0)); then
  printf 'does not stand alone, or warns: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo "${#headers[@]} headers stand alone"

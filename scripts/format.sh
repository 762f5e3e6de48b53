#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# scripts/format.sh [--check]
#
# Formats every C++ and CUDA source by clang-format 19 (another version formats otherwise), or with --check names those
# that are not, and comments beyond column 120, which clang-format leaves alone. CLANG_FORMAT names the program where it
# is not clang-format-19; `pip install clang-format==19.1.7` has one. Exit code 77: there is none (the reason is printed),
# 1: some file is not formatted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

formatter=
for candidate in "${CLANG_FORMAT:-}" clang-format-19 clang-format; do
  if [[ -n $candidate ]] && "$candidate" --version 2>/dev/null | grep -q 'version 19\.'; then
    formatter=$candidate
    break
  fi
done
if [[ -z $formatter ]]; then
  echo "skipped: no clang-format 19 here"
  exit 77
fi

mode=(-i)
if [[ ${1:-} == --check ]]; then
  mode=(--dry-run --Werror)
fi
mapfile -t sources < <(
  find include tests examples benchmarks -name '*.hpp' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' | LC_ALL=C sort
)
"$formatter" "${mode[@]}" "${sources[@]}"
if grep -nHE '^.{121}' "${sources[@]}" | grep -E '^[^:]*:[0-9]+: *//'; then
  echo "these comments end beyond column 120"
  exit 1
fi

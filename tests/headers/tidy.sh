#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tidy.sh REPOSITORY BUILD: clang-tidy over all headers of the library, by the build's compile commands. The checks are in
# .clang-tidy, less one that takes longer than all others and is left to the target tidy; any finding fails. Exit code 77:
# skipped, for the reason printed.
set -euo pipefail
repository=$1 build=$2
command -v clang-tidy-19 >/dev/null || { echo "skipped: no clang-tidy-19 here"; exit 77; }
exec clang-tidy-19 --quiet --checks=-performance-unnecessary-value-param -p "$build" \
  --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-double-promotion \
  --extra-arg=-Wno-unused-command-line-argument "--header-filter=^$repository/include/" \
  "$build/tests/headers/all_headers.cpp"

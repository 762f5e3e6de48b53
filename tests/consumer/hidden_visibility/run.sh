#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh REPOSITORY FOLDER COMPILER [FLAGS...]: exceptions thrown in a shared object and caught in the program, both
# compiled with hidden visibility. Exits with 77 (skipped) where the compiler or its standard library is missing.
set -euo pipefail
repository=$1 folder=$2
shift 2
sources=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

command -v "$1" >/dev/null || { echo "skipped: $1 is not installed"; exit 77; }
if ! echo '#include <string>' | "$@" -x c++ -fsyntax-only - 2>/dev/null; then
  echo "skipped: $* finds no standard library"
  exit 77
fi

# Every exception of the library is among those that are thrown.
names=$(grep -rhoE '^class .*\b[A-Za-z]+ : public ([a-z]+::)*[A-Za-z]*[eE]rror \{' "$repository/include" |
  sed -E 's/.*\b([A-Za-z]+) : public .*/\1/')
for name in $names; do
  grep -qw "retort::$name" "$sources/errors.cpp" || { echo "errors.cpp does not throw $name"; exit 1; }
done

mkdir -p "$folder"
flags=(-std=c++20 -O1 -Wall -Wextra -Werror -fvisibility=hidden -fvisibility-inlines-hidden -I "$repository/include")
"$@" "${flags[@]}" -fPIC -shared "$sources/errors.cpp" -o "$folder/liberrors.so"
"$@" "${flags[@]}" "$sources/main.cpp" "$folder/liberrors.so" "-Wl,-rpath,$folder" -o "$folder/program"
"$folder/program"

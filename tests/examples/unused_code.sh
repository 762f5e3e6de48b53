#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# unused_code.sh FOLDER DIGITS PROGRAMS
#
# A program without checkpoints has none of their code, and one with checkpoints has.
set -euo pipefail
programs=$3
command -v nm >/dev/null || { echo "skipped: there is no nm, which lists a program's functions" && exit 77; }

# has PROGRAM FUNCTION: whether the program defines a function of that name.
has() { grep -c "::$2(" < <(nm -C --defined-only "$programs/$1") >/dev/null; }

for function in save_checkpoint load_checkpoint; do
  if ! has distill_mnist "$function"; then
    echo "FAILED: distill_mnist lacks $function, expected it in a program with checkpoints" >&2
    exit 1
  fi
  if has quickstart "$function"; then
    echo "FAILED: quickstart has $function, expected a program without checkpoints to leave it out" >&2
    exit 1
  fi
done

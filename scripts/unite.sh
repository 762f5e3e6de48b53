#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# unite.sh UNIT SOURCES...
#
# Writes UNIT, one source file made of SOURCES: what they include first, then each in a namespace of its own, where the
# names that are internal to it do not meet those of the others. What several of them instantiate is compiled once. Only
# for sources that define nothing for other sources, as tests do.
set -euo pipefail
unit=$1
shift
{
  grep -h '^#include' "$@" | LC_ALL=C sort -u
  number=0
  for source in "$@"; do
    printf 'namespace source_%d {\n#include "%s"\n}\n' $((++number)) "$source"
  done
} >"$unit"

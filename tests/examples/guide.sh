#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# guide.sh FOLDER DIGITS PROGRAMS TOOLS
#
# The programs of the guide print what its pages show.
set -euo pipefail
folder=$1 digits=$2 programs=$3
pages=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../docs/guide" && pwd)

# alike PAGE PROGRAM [FILE]: the page has the program's lines, but for spaces and the digits of its numbers.
alike() {
  local line page
  page=$(form <"$pages/$1.md")
  "$programs/guide" "${@:2}" "$digits" | tee shown
  [[ -s shown ]]
  form <shown >lines
  while read -r line; do
    grep -qxF -- "$line" <<<"$page" || { echo "FAILED: $1.md does not show: $line" >&2; exit 1; }
  done <lines
}
form() { sed -E 's/[0-9]+/N/g; s/ +/ /g; s/^ //'; }

rm -rf "$folder"
mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
alike 4_temperature_and_weight temperature_and_weight
alike 5_your_own_loss own_loss
alike 6_your_own_layer own_layer
alike 9_ship_the_student ship_the_student digit_int4.h
gcc -O1 -include digit_int4.h -x c - -o classify <<'END'
int main(void) { return digit_selftest(); }
END
./classify || { echo "FAILED: the file's self-test" >&2; exit 1; }

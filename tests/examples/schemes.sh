#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# schemes.sh FOLDER DIGITS PROGRAMS TOOLS
#
# Each scheme has its lines in the table, alone as among all, its students learn, and another number of threads changes
# nothing: two students that teach each other take turns, whoever is faster.
set -euo pipefail
folder=$1 digits=$2 programs=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

rm -rf "$folder"
mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT
cd "$folder"

"$programs/schemes" all --quick --report all.html "$digits" | tee all
[[ $(head -n 1 all) == "Errors on 200 test images; 250 training images, 20 epochs, 1 seed." ]] || fail "$(head -n 1 all)"
(($(wc -l <all) == 14)) || fail "expected 13 networks: $(<all)"
awk 'NR > 1 && $NF >= 120 { exit 1 }' all || fail "nothing learnt would be 180 errors of 200: $(<all)"
[[ -z $(tail -n +2 all | awk '{ print $NF }' | sort | uniq -c | awk '$1 > 4') ]] || fail "too many networks are equal"

if command -v python3 >/dev/null; then
  python3 "$here/check_page.py" all.html || fail "the page"
fi
errors=$(awk '/^student of the assistant of 60/ { print $NF }' all)
tr -d '\n' <all.html | grep -qF "<th scope=\"row\">student of the assistant of 60</th><td>$errors</td>" ||
  fail "the page has other errors"

one_thread=()
if command -v taskset >/dev/null; then
  one_thread=(taskset -c "$(taskset -cp $$ | sed -E 's/.*: ([0-9]+).*/\1/')")
fi
declare -A lines=([born_again]=4 [mutual_learning]=2 [teacher_assistant]=4)
for scheme in "${!lines[@]}"; do
  ${one_thread[@]+"${one_thread[@]}"} "$programs/schemes" $scheme --quick "$digits" >one
  (($(wc -l <one) == 4 + lines[$scheme])) || fail "$scheme: $(<one)"
  [[ -z $(grep -vxFf all one) ]] || fail "$scheme, on one thread, differs from all: $(<one)"
done

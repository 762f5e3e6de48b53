#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# feature_terms.sh FOLDER DIGITS PROGRAMS TOOLS
#
# Each term has its row, in the table and on the page; its students learn, and differ from those without it.
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

"$programs/feature_terms" --quick --report page.html "$digits" | tee shown
grep -qF "Errors of 784-20-20-10 on 200 test images; 200 training images, 20 epochs, 2 seeds." shown || fail "$(head -n 1 shown)"
grep -F -- " +- " shown | sed -E 's/  .*//' >rows
diff rows - <<'END' || fail "the rows"
HintonLoss
labels alone
Hint, first layer
Hint, second layer
SimilarityPreserving
Relational
ActivationProfile
END
grep -F -- " +- " shown | sed -E 's/^[^0-9]*([0-9.]+) .*/\1/' >errors
awk '$1 >= 120 { exit 1 }' errors || fail "nothing learnt would be 180 errors of 200: $(<errors)"
(($(sort -u errors | wc -l) >= 4)) || fail "too many rows are equal: $(<errors)"
grep -qE "^  HintonLoss\(.*\) \+ Hint\(weight=[0-9.]+\) of layer 1 beside the teacher's layer 2$" shown ||
  fail "a row says what was chosen"

if command -v python3 >/dev/null; then
  python3 "$here/check_page.py" page.html || fail "the page"
fi
while read -r row; do
  tr -d '\n' <page.html | grep -qF "<th scope=\"row\">$row</th>" || fail "the page has no row $row"
done <rows

"$programs/feature_terms" --quick --student 196-64-48-10 "$digits" | tee pooled
grep -qF "Errors of 196-64-48-10 on 200 test images" pooled || fail "$(head -n 1 pooled)"
(($(grep -cE "of layer (2|4) beside the teacher's layer (2|5)$" pooled) == 5)) || fail "the layers of 196-64-48-10"

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# over_seeds.sh FOLDER DIGITS PROGRAMS TOOLS
#
# The comparison over seeds: its two tests on differences whose results are published, then the job itself, with the
# numbers of its own logs. What an earlier comparison left stays where nothing is said of it.
set -euo pipefail
folder=$1 digits=$2 programs=$3
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

rm -rf "$folder"
mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
over_seeds() { PYTHONDONTWRITEBYTECODE=1 python3 "$repository/examples/distill_mnist/over_seeds.py" "$@"; }
says() { # LINE: the report has it
  grep -qxF -- "$1" report || fail "expected '$1' in: $(<report)"
}

# Darwin's fifteen pairs of plants, in eighths of an inch. Fisher, The Design of Experiments (1935), sections 17 and 21:
# t = 2.148 with 14 degrees of freedom, and of the 32,768 patterns of signs 863 have a sum of 314 or more.
cat >darwin <<'END'
#!/usr/bin/env bash
differences=(49 -67 8 16 6 23 28 41 14 29 56 24 75 60 -48)
while (($# > 0)); do
  case $1 in
    --seed) seed=$2 ;;
    --out) out=$2 ;;
  esac
  shift
done
mkdir -p "$out"
{
  echo '{"phase":"alone","epoch":1,"errors":900,"accuracy":0.1}'
  echo '{"phase":"alone","epoch":2,"errors":200,"accuracy":0.8}'
  echo "{\"phase\":\"distilled\",\"epoch\":1,\"errors\":$((200 - differences[seed])),\"accuracy\":0.9}"
} >"$out/metrics.jsonl"
END
chmod +x darwin
over_seeds --program ./darwin --seeds 15 --out plants >report
cat report
says "seed 1: errors alone 200, distilled 267"
says "alone      errors    200.00 +- 0.00   accuracy     80.00 +- 0.00 %"
says "distilled - alone: errors    -20.93 +- 37.74, lower in 13 of 15 seeds"
says "paired t = -2.15 with 14 degrees of freedom; exact sign-flip test, one-sided: p = 0.0263"

echo "== the job"
job=(--data "$digits" --recipe original --split official --teacher-epochs 1 --epochs 10 --batch-size 32 --lr 3e-3)
over_seeds --program "$programs/distill_mnist" --seeds 2 --out seeds -- "${job[@]}" >report
cat report
errors() { # SEED PHASE
  sed -n "s/.*\"phase\":\"$2\".*\"errors\":\([0-9]*\).*/\1/p" "seeds/seed_$1/metrics.jsonl" | tail -n 1
}
differences=()
for seed in 0 1; do
  alone=$(errors $seed alone) distilled=$(errors $seed distilled)
  says "seed $seed: errors teacher $(errors $seed teacher), alone $alone, distilled $distilled"
  differences+=($((distilled - alone)))
done
# Of two differences a and b: t = (a + b) / |a - b|, and only four patterns of signs.
expected=$(awk -v a="${differences[0]}" -v b="${differences[1]}" 'BEGIN {
  apart = a > b ? a - b : b - a
  if (apart > 0) {
    p = 1 + (a - b <= a + b) + (b - a <= a + b) + (-a - b <= a + b)
    printf "paired t = %.2f with 1 degrees of freedom; exact sign-flip test, one-sided: p = %.4f", (a + b) / apart, p / 4
  }
}')
[[ -z $expected ]] || says "$expected"

contents() { (cd seeds && find . -type f -exec cksum {} + | sort); }
before=$(contents)
if over_seeds --program "$programs/distill_mnist" --seeds 2 --out seeds -- "${job[@]}" --beta1 0.8 >report 2>stderr; then
  fail "an earlier comparison was replaced without a word"
fi
[[ $(<stderr) == *"of an earlier run, expected --resume"*"over_seeds.py: seed 0: the program ended with 2"* ]] ||
  fail "what is there is not named: $(<stderr)"
[[ $(contents) == "$before" ]] || fail "the files of an earlier comparison changed"
over_seeds --program "$programs/distill_mnist" --seeds 1 --out seeds -- "${job[@]}" --beta1 0.8 --overwrite >report
[[ $(contents) != "$before" ]] || fail "--overwrite replaced nothing"

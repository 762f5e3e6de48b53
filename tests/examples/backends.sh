#!/usr/bin/env bash
# backends.sh FOLDER DIGITS PROGRAMS TOOLS
#
# The job on every backend of this build: one seed ends with Eigen's accuracies, a run goes on from its checkpoints, and
# another backend's checkpoint is refused. A GPU that is not there is one line, and nothing is written.
set -euo pipefail
folder=$1 digits=$2 programs=$3
rm -rf "$folder"
mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT
cd "$folder"

job() { # OUT OPTIONS...
  local out=$1
  shift
  "$programs/distill_mnist" --data "$digits" --split official --teacher-epochs 1 --epochs 4 --lr 0.002 --quiet \
    --out "$out" "$@"
}
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
accuracies() { awk '/^(teacher|student alone|student distilled) / { for (i = 1; i <= NF; ++i) if ($(i + 1) == "%") print $i }' "$1"; }

job eigen --backend eigen >eigen.txt
[[ $(accuracies eigen.txt | wc -l) == 3 ]] || fail "no closing table"
"$programs/distill_mnist" --help >help.txt
for backend in thrust-cpp thrust-omp thrust-tbb thrust-cuda; do
  grep -q "$backend" help.txt || fail "--help does not name $backend"
  status=0
  job $backend --backend $backend >$backend.txt 2>$backend.err || status=$?
  if [[ $status != 0 ]]; then
    # Left out of this build, or no GPU: one line, and nothing written.
    cat $backend.err
    [[ $(wc -l <$backend.err) == 1 ]] || fail "$backend: expected one line"
    grep -Eq "was not compiled in: it needs|CUDA: no NVIDIA driver|CUDA: no (CUDA )?device" $backend.err ||
      fail "$backend: not a reason"
    [[ ! -e $backend ]] || fail "$backend: wrote to its folder"
    continue
  fi
  # 200 digits held out: half a point is one of them.
  paste <(accuracies eigen.txt) <(accuracies $backend.txt) |
    awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 0.1) far = 1; ++rows } END { exit far || rows != 3 }' ||
    fail "$backend: $(accuracies $backend.txt | xargs), Eigen $(accuracies eigen.txt | xargs)"
  # Done already: going on changes nothing.
  cp $backend/student_distilled.safetensors before
  job $backend --backend $backend --resume >/dev/null
  cmp before $backend/student_distilled.safetensors || fail "$backend: resuming a finished run changed it"
  if job $backend --backend eigen --resume >/dev/null 2>refused.err; then
    fail "$backend: its checkpoint went on with eigen"
  fi
  [[ $(wc -l <refused.err) == 1 ]] && grep -q "backend" refused.err || fail "$backend: $(<refused.err)"
  echo "$backend: $(accuracies $backend.txt | xargs)"
done

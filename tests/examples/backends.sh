#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# backends.sh FOLDER DIGITS PROGRAMS TOOLS
#
# distill_mnist on every backend that was compiled in: about the same accuracies as with Eigen, a run that is killed ends
# with the same bytes when it is resumed, and no backend goes on from another's checkpoint. A backend without its device
# is left out, and said so.
set -euo pipefail
folder=$1 program=$3/distill_mnist tools=$4

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

rm -rf "$folder"
mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT
cd "$folder"

"$tools/make_digits" digits 400 250
# In the place of the shell that calls it, so that to kill a job in the background is to kill the program.
exec_job() { # BACKEND OUT OPTIONS...
  exec "$program" --data digits --recipe recommended --warmup 20 --teacher-epochs 2 --epochs 4 --batch-size 16 --seed 3 \
    --checkpoint-seconds 0 --quiet --backend "$1" --out "$2" "${@:3}"
}
job() { (exec_job "$@"); }
errors() { # OUT: those of each phase's last epoch
  sed -nE 's/.*"phase":"([a-z]+)".*"errors":([0-9]+).*/\1 \2/p' "$1/metrics.jsonl" |
    awk '{ last[$1] = $2 } END { print last["teacher"], last["alone"], last["distilled"] }'
}
contents() { (cd "$1" && find . -type f -exec cksum {} + | sort -k 3); }
weights() { (cd "$1" && cksum ./*.safetensors); }

"$program" --help >help
mapfile -t compiled_in < <(sed -n 's/^ *\(.*\) is compiled in$/\1/p' help)
[[ ${compiled_in[0]:-} == eigen ]] || fail "--help does not say that eigen is compiled in: $(<help)"
[[ $((${#compiled_in[@]} + $(grep -c "was not compiled in: it needs" help || true))) == 10 ]] ||
  fail "--help does not say of ten backends whether they are compiled in: $(<help)"

job eigen eigen >/dev/null
read -ra expected < <(errors eigen)
echo "eigen: errors of 250: teacher ${expected[0]}, alone ${expected[1]}, distilled ${expected[2]}"
# Half of the answers right is far above chance: an agreement of networks that learnt nothing would say nothing.
for count in "${expected[@]}"; do
  ((count < 125)) || fail "eigen: $count of 250 wrong, so little was learnt that the comparison says nothing"
done

refused() { # BACKEND OUT: of another backend
  local before status=0
  before=$(contents "$2")
  job "$1" "$2" --resume >stdout 2>stderr || status=$?
  echo "$1 resumes the run of $2: $(<stderr)"
  ((status != 0 && status < 128)) || fail "$1 resumes the run of $2: ended with $status"
  [[ $(wc -l <stderr) == 1 && $(<stderr) == *"made with backend = $2, cannot be resumed with $1"* ]] ||
    fail "$1 resumes the run of $2: expected one line that names the setting backend: $(<stderr)"
  [[ $(contents "$2") == "$before" ]] || fail "$1 changed files of the run of $2"
}

for backend in "${compiled_in[@]:1}"; do
  if ! job "$backend" "$backend" >/dev/null 2>stderr; then
    [[ $backend == *cuda* && $(<stderr) == *"CUDA: no "* ]] || fail "$backend: $(<stderr)"
    echo "not tested: $(<stderr)"
    continue
  fi
  read -ra found < <(errors "$backend")
  echo "$backend: errors of 250: teacher ${found[0]}, alone ${found[1]}, distilled ${found[2]}"
  # In so short a training at so high a rate another rounding parts the runs by up to 2 errors (measured); that the same
  # steps are taken is what tests/every_backend compares.
  for ((phase = 0; phase < 3; ++phase)); do
    difference=$((found[phase] - expected[phase]))
    ((difference >= -5 && difference <= 5)) || fail "$backend: ${found[*]} errors of 250, eigen makes ${expected[*]}"
  done

  # Killed when the teacher has one of its two epochs behind it, or soon after.
  exec_job "$backend" killed >/dev/null 2>stderr &
  process=$!
  until [[ -s killed/metrics.jsonl ]] || ! kill -0 $process 2>/dev/null; do
    sleep 0.002
  done
  kill -KILL $process 2>/dev/null || true
  status=0
  wait $process 2>/dev/null || status=$?
  ((status == 137 || status == 0)) || fail "$backend: ended with $status: $(<stderr)"
  [[ -s killed/metrics.jsonl ]] || fail "$backend: ended before its first epoch: $(<stderr)"
  echo "$backend: killed after $(wc -l <killed/metrics.jsonl) of 10 epochs"
  cp killed/metrics.jsonl log
  job "$backend" killed --resume >/dev/null
  cmp -n "$(wc -c <log)" log killed/metrics.jsonl || fail "$backend: did not go on from the epochs that were done"
  [[ $(weights killed) == "$(weights "$backend")" ]] || fail "$backend: other weights after being killed and resumed"
  rm -rf killed

  refused "$backend" eigen
  refused eigen "$backend"
done

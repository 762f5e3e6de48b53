#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kill_and_resume.sh FOLDER DIGITS PROGRAMS TOOLS KILLS [OPTIONS OF distill_mnist...]
#
# A run that is killed KILLS times and resumed each time must leave the files of a run that nobody disturbed: the same
# weights bit for bit, the same log except for the times. Attempts alternate between one and two threads. Each is killed
# some milliseconds after it has started or done an epoch, or while it writes a file; the epochs are drawn so that the
# kills spread over the phases. RETORT_KILL_SEED repeats the draws of an earlier test.
set -euo pipefail
folder=$1 digits=$2 program=$3/distill_mnist kills=$5
shift 5

teacher_epochs=4
epochs=24
total=$((teacher_epochs + 2 * epochs)) # lines of metrics.jsonl
seed=${RETORT_KILL_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
echo "the kills are drawn with RETORT_KILL_SEED=$seed"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

rm -rf "$folder"
mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT
options=(--data "$digits" --teacher-epochs "$teacher_epochs" --epochs "$epochs" --batch-size 64 --seed 7
  --checkpoint-seconds 0 "$@") # a checkpoint each epoch

# The log without what a clock decides.
untimed() { sed -E 's/"(seconds|samples_per_second)":[^,}]*,?//g' "$1/metrics.jsonl"; }
epochs_done() {
  local lines=()
  [[ ! -e $folder/killed/metrics.jsonl ]] || mapfile -t lines 2>/dev/null <"$folder/killed/metrics.jsonl" || true
  done_now=${#lines[@]}
}
# A run that began anew would give the same weights too, but its log would have other times.
keep_log() { cp "$folder/killed/metrics.jsonl" "$folder/log" 2>/dev/null || : >"$folder/log"; }
require_log_kept() {
  [[ ! -s $folder/log ]] || cmp -n "$(wc -c <"$folder/log")" "$folder/log" "$folder/killed/metrics.jsonl" ||
    fail "$1 did not go on from the epochs that were done"
}
contents() { (cd "$1" && find . -type f -exec cksum {} + | sort -k 3); }

"$program" "${options[@]}" --threads 1 --out "$folder/whole" --quiet >/dev/null
[[ $(untimed "$folder/whole" | sort -u | wc -l) == "$total" ]] || fail "the undisturbed run has no log of $total epochs"

# How many epochs may be done when an attempt is killed: a third of the kills for each phase.
furthest() { # ATTEMPT
  local third=$(((kills + 2) / 3))
  local phase=$((($1 - 1) / third)) step=$((($1 - 1) % third + 1))
  if ((phase == 0)); then
    echo $((teacher_epochs * step / third))
  else
    echo $((teacher_epochs + (phase - 1) * epochs + epochs * step / third))
  fi
}

declare -A kills_in=()
count() { kills_in[$1]=$((${kills_in[$1]:-0} + 1)); }
for ((attempt = 1; attempt <= kills; ++attempt)); do
  epochs_done
  at_start=$done_now
  keep_log
  most=$(($(furthest $attempt) - done_now))
  goal=$((done_now + (most > 0 ? RANDOM % (most + 1) : 0)))
  delay=$(printf '0.%03d' $((1 << RANDOM % 8))) # 1 to 128 ms
  until_writing=$((RANDOM % 3 == 0))
  "$program" "${options[@]}" --threads $((1 + attempt % 2)) --out "$folder/killed" --resume --quiet \
    >/dev/null 2>"$folder/stderr" &
  process=$!
  while ((done_now < goal)) && kill -0 $process 2>/dev/null; do
    sleep 0.002
    epochs_done
  done
  if ((until_writing)); then
    until compgen -G "$folder/killed/*.tmp" || compgen -G "$folder/killed/checkpoints/*.tmp" ||
      ! kill -0 $process 2>/dev/null; do
      :
    done >/dev/null
  elif ((done_now < teacher_epochs || goal == at_start)); then
    sleep "$delay"
  fi
  kill -KILL $process 2>/dev/null || true
  status=0
  wait $process 2>/dev/null || status=$?
  ((status == 137 || status == 0)) || fail "attempt $attempt ended with $status: $(<"$folder/stderr")"

  require_log_kept "attempt $attempt"
  epochs_done
  if ((status == 0)); then
    count finished
  elif ((done_now < teacher_epochs)); then
    count teacher
  elif ((done_now < teacher_epochs + epochs)); then
    count alone
  else
    count distilled
  fi
  if [[ -n $(find "$folder/killed" -name '*.tmp' 2>/dev/null) ]]; then
    count writing
  fi
done
echo "killed $kills times: teacher ${kills_in[teacher]:-0}, alone ${kills_in[alone]:-0}, distilled" \
  "${kills_in[distilled]:-0}, too late ${kills_in[finished]:-0}; while a file was written: ${kills_in[writing]:-0}"

keep_log
"$program" "${options[@]}" --out "$folder/killed" --resume --quiet >/dev/null
require_log_kept "the last attempt"
for file in teacher.safetensors student_alone.safetensors student_distilled.safetensors; do
  cmp "$folder/whole/$file" "$folder/killed/$file" || fail "$file differs after being killed and resumed"
done
diff <(untimed "$folder/whole") <(untimed "$folder/killed") || fail "metrics.jsonl differs after being killed and resumed"
left_over=$(find "$folder/killed" -name '*.tmp')
[[ -z $left_over ]] || fail "left behind: $left_over"

before=$(contents "$folder/killed")
"$program" "${options[@]}" --out "$folder/killed" --resume --quiet >/dev/null
[[ $(contents "$folder/killed") == "$before" ]] || fail "resuming a finished run changed its files"

# What would give another result is refused, by name, and nothing is touched. (The last of two equal options counts.)
refused() { # NAME OPTIONS...
  local name=$1 status=0
  shift
  "$program" "${options[@]}" --out "$folder/killed" --resume --quiet "$@" >"$folder/stdout" 2>"$folder/stderr" || status=$?
  ((status != 0 && status < 128)) || fail "$*: ended with $status"
  [[ $(wc -l <"$folder/stderr") == 1 ]] || fail "$*: expected one line, got: $(<"$folder/stderr")"
  grep -qF -- "$name" "$folder/stderr" || fail "$*: does not name $name: $(<"$folder/stderr")"
  [[ $(contents "$folder/killed") == "$before" ]] || fail "$*: changed files of the earlier run"
  cat "$folder/stderr"
}
refused "--batch-size: $folder/killed/checkpoints/teacher.safetensors: made with batch_size = " --batch-size 32
refused "--seed: " --seed 8
refused "--loss, --temperature or --hard-weight: " --temperature 3
refused "--data, --split or --seed: $folder/killed/checkpoints/teacher.safetensors: made with other training data" \
  --split validation
refused "--student-fraction" --student-fraction 0.5
more=$((epochs + 2))
if [[ " $* " == *" recommended "* ]]; then # under a cosine, which depends on the number of epochs
  refused "--epochs: " --epochs $more
else # at a constant learning rate: as if it had been asked for them at once
  "$program" "${options[@]}" --epochs $more --out "$folder/longer" --quiet >/dev/null
  "$program" "${options[@]}" --epochs $more --out "$folder/killed" --resume --quiet >/dev/null
  for file in student_alone.safetensors student_distilled.safetensors; do
    cmp "$folder/longer/$file" "$folder/killed/$file" || fail "$file differs after more epochs"
  done
  diff <(untimed "$folder/longer") <(untimed "$folder/killed") || fail "metrics.jsonl differs after more epochs"
fi
echo "equal to the undisturbed run"

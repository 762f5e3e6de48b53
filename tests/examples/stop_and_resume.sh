#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# stop_and_resume.sh FOLDER DIGITS PROGRAMS TOOLS
#
# SIGINT and SIGTERM end distill_mnist and sweep after a step, with one sentence and a status of their own, and a run that
# is resumed ends with the files of one that nobody disturbed. A folder is written by one run at a time, and the results
# of an earlier one are replaced only on request.
set -euo pipefail
folder=$1 digits=$2 programs=$3
set -m # a job in the background does not ignore SIGINT then

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

rm -rf "$folder"
mkdir -p "$folder"
process=
trap '[[ -z $process ]] || kill -KILL $process 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"

common=(--data "$digits" --split official --batch-size 32 --warmup 5 --quiet)
job=("$programs/distill_mnist" --recipe recommended "${common[@]}" --teacher-epochs 4 --epochs 3 --seed 4 --initialization he)
untimed() { sed -E 's/"(seconds|samples_per_second)":[^,}]*,?//g' "$1"; }
untimed_page() { grep -v 'class="seconds"' "$1"; }
contents() { (cd "$1" && find . -type f -exec cksum {} + | sort -k 3); }

lines() { { cat "$1" 2>/dev/null || true; } | wc -l; }

# stop SIGNAL STATUS LINES COMMAND...: starts the command and sends the signal as soon as its log has so many lines.
stop() {
  local signal=$1 expected=$2 enough=$3 status=0
  shift 3
  "$@" >stdout 2>stderr &
  process=$!
  until (($(lines stopped/metrics.jsonl) >= enough)) || ! kill -0 $process 2>/dev/null; do
    sleep 0.002
  done
  kill -s "$signal" $process 2>/dev/null || true
  wait $process || status=$?
  echo "$signal: $status, $(<stderr)"
  [[ $status == "$expected" ]] || fail "$signal: ended with $status, expected $expected: $(<stderr)"
  [[ $(wc -l <stderr) == 1 ]] || fail "$signal: expected one sentence: $(<stderr)"
}
# refused PART_OF_THE_MESSAGE STATUS FOLDER COMMAND...: and nothing in the folder is touched.
refused() {
  local part=$1 expected=$2 kept=$3 status=0 before
  shift 3
  before=$(contents "$kept")
  timeout 60 "$@" >stdout 2>stderr || status=$?
  echo "$(<stderr)"
  [[ $status == "$expected" && $(wc -l <stderr) == 1 && $(<stderr) == *"$part"* ]] ||
    fail "expected $expected and '$part', got $status and: $(<stderr)"
  [[ $(contents "$kept") == "$before" ]] || fail "$*: changed files of an earlier run"
}

echo "== distill_mnist"
"${job[@]}" --out whole --report whole.html >/dev/null
long=("${job[@]}" --out stopped) # an epoch of the teacher takes far longer than a signal
stop INT 130 1 "${long[@]}"
[[ $(<stderr) == "distill_mnist: SIGINT: training stopped as asked, after epoch "*"; go on with --resume" ]] ||
  fail "SIGINT: $(<stderr)"
[[ ! -e stopped/.retort-lock && -z $(find stopped -name '*.tmp') ]] || fail "left behind: $(find stopped)"
cp stopped/metrics.jsonl log
stop TERM 143 $(($(lines stopped/metrics.jsonl) + 1)) "${long[@]}" --resume
cmp -n "$(wc -c <log)" log stopped/metrics.jsonl || fail "did not go on from the epochs that were done"
"${long[@]}" --resume --report stopped.html >/dev/null
diff <(untimed_page whole.html) <(untimed_page stopped.html) || fail "the page differs after being stopped and resumed"
for file in teacher student_alone student_distilled; do
  cmp {whole,stopped}/$file.safetensors || fail "$file differs after being stopped and resumed"
done
diff <(untimed whole/metrics.jsonl) <(untimed stopped/metrics.jsonl) || fail "metrics.jsonl differs"

echo "== a folder that is used"
refused "--out: whole holds metrics.jsonl and " 2 whole \
  "${job[@]}" --out whole
refused "--resume excludes --overwrite" 2 whole "${job[@]}" --out whole --resume --overwrite
"${job[@]}" --out whole --overwrite --seed 5 >/dev/null
! cmp -s {whole,stopped}/teacher.safetensors || fail "--overwrite trained nothing"
[[ $(wc -l <whole/metrics.jsonl) == 10 ]] || fail "--overwrite kept an old log: $(<whole/metrics.jsonl)"

echo "== a folder in use"
began=$SECONDS
"${job[@]}" --out busy --teacher-epochs 100000 >/dev/null 2>&1 &
process=$!
until [[ -s busy/metrics.jsonl ]] || ! kill -0 $process; do
  sleep 0.002
done
status=0
timeout 60 "${job[@]}" --out busy --resume 2>stderr || status=$?
echo "$(<stderr)"
[[ $status == 1 && $(<stderr) == "distill_mnist: busy: in use by process $process on host "*", since 20"*"; wait for it, or"* ]] ||
  fail "a folder in use: $status, $(<stderr)"
kill -KILL $process
wait $process 2>/dev/null || true
[[ -e busy/.retort-lock ]] || fail "who holds the lock is written nowhere"
((SECONDS - began > 8)) || [[ ! -e busy/checkpoints/teacher.safetensors ]] ||
  fail "a checkpoint was written after less than ten seconds, for an epoch of less than one"
# The lock has ended with the process; so has what it was writing.
: >busy/checkpoints/teacher.safetensors.retort-abcdef.tmp
"${job[@]}" --out busy --overwrite >/dev/null
[[ ! -e busy/.retort-lock && -z $(find busy -name '*.tmp') ]] || fail "left behind: $(find busy)"

# Nobody waits for a second signal: the first is answered within a step, but a step may be long.
"${job[@]}" --out twice --teacher-epochs 100000 --batch-size 500 >/dev/null 2>&1 &
process=$!
until [[ -s twice/metrics.jsonl ]] || ! kill -0 $process; do
  sleep 0.002
done
kill -TERM $process && kill -TERM $process 2>/dev/null || true
status=0
wait $process || status=$?
[[ $status == 143 ]] || fail "two signals: ended with $status"

echo "== sweep"
sweep=("$programs/sweep" "${common[@]}" --teacher whole/teacher.safetensors --temperature 1 3 --hard-weight 0.2 0.6
  --learning-rate 0.01 --seed 4 --seeds 2 --save-students --threads 2)
table() { awk '{ NF = NF - 1; print }' "$1"; } # without the last column, the times
"${sweep[@]}" --epochs 40 --out sweep --report sweep.html >table
mkdir -p killed/students
for signal in KILL INT KILL TERM KILL; do
  status=0
  before=$(find killed/students -name '*.safetensors' 2>/dev/null | wc -l)
  "${sweep[@]}" --epochs 40 --out killed --resume >/dev/null 2>stderr &
  process=$!
  # Once one student more is there.
  until (($(find killed/students -name '*.safetensors' 2>/dev/null | wc -l) > before)) || ! kill -0 $process 2>/dev/null; do
    sleep 0.002
  done
  find killed/students -name '*.safetensors' -exec stat -c '%n %i' {} + | sort >kept
  kill -s $signal $process 2>/dev/null || true
  wait $process 2>/dev/null || status=$?
  echo "$signal: $status, $(wc -l <kept) students, $(<stderr)"
  case $signal-$status in
    KILL-137 | *-0) ;;
    INT-130 | TERM-143)
      [[ $(<stderr) == "sweep: SIG$signal: sweep stopped as asked, after "*" of 8 students; go on with --resume" ]] ||
        fail "$signal: $(<stderr)"
      ;;
    *) fail "$signal: ended with $status: $(<stderr)" ;;
  esac
done
"${sweep[@]}" --epochs 40 --out killed --resume --report killed.html >table_killed
diff <(untimed_page sweep.html) <(untimed_page killed.html) || fail "the page differs after being killed and resumed"
diff <(table table) <(table table_killed) || fail "another table after being killed and resumed"
for ((student = 0; student < 8; ++student)); do
  cmp {sweep,killed}/students/$student.safetensors || fail "student $student differs after being killed and resumed"
done
diff <(sed 's/"seconds":.*//' sweep/runs.jsonl) <(sed 's/"seconds":.*//' killed/runs.jsonl) || fail "runs.jsonl differs"
[[ -z $(find killed -name '*.tmp' -o -name '.retort-lock') ]] || fail "left behind: $(find killed)"
cp killed/runs.jsonl runs
"${sweep[@]}" --epochs 40 --out killed --resume >table_killed
cmp runs killed/runs.jsonl || fail "a finished sweep that is resumed trains again"

refused "--out: killed holds " 2 killed "${sweep[@]}" --epochs 1 --out killed
refused "--epochs or --teacher-epochs: killed/checkpoints/" 2 killed "${sweep[@]}" --epochs 41 --out killed --resume
refused "is of a sweep of more students, expected at most the 4 of this one" 2 killed \
  "${sweep[@]}" --epochs 40 --seeds 1 --out killed --resume
refused "--resume: there is no folder of an earlier run, expected --out" 2 killed "$programs/sweep" "${common[@]}" --resume
"${sweep[@]}" --epochs 1 --seeds 1 --out killed --overwrite >/dev/null
[[ $(find killed/students killed/checkpoints -type f | wc -l) == 8 && $(wc -l <killed/runs.jsonl) == 4 ]] ||
  fail "students of an older sweep lie beside a new table: $(find killed -type f)"
echo "stopped, killed and resumed: equal to the undisturbed runs"

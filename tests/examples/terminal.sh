#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# terminal.sh FOLDER DIGITS PROGRAMS TOOLS
#
# The programs as a terminal, a pipe and a machine meet them: versions, output that cannot be written, widths, names that
# hold control characters, and as many threads as there are.
set -euo pipefail
folder=$1 digits=$2 programs=$3
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

failures=0
fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

rm -rf "$folder"
mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT
cd "$folder"

quick=(--data "$digits" --teacher-epochs 1 --epochs 2 --batch-size 64 --overwrite)
distill() { "$programs/distill_mnist" "${quick[@]}" "$@"; }
sweep() {
  "$programs/sweep" --data "$digits" --split official --epochs 1 --batch-size 64 --teacher out/teacher.safetensors "$@"
}
distill --out out --quiet >/dev/null
for kind in 0 1 2; do
  for ((i = 0; i < 20; ++i)); do
    echo "$((kind == 0)).$i,$((kind == 1)).$i,$((kind == 2)).$i,0.5,$kind"
  done
done >flowers.csv

echo "== --version"
version=$("$programs/distill_mnist" --version)
[[ $version =~ ^distill_mnist\ [0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "distill_mnist --version: $version"
for program in sweep predict custom_dataset; do
  [[ $("$programs/$program" --version) == "$program ${version#* }" ]] || fail "$program --version"
done
for program in distill_mnist sweep predict custom_dataset; do
  [[ $("$programs/$program" --help) == *"$program"* ]] || fail "$program --help does not say what it is"
done
for program in distill_mnist sweep predict custom_dataset; do
  widest=$("$programs/$program" --help | awk '{ if (length($0) > most) most = length($0) } END { print most }')
  ((widest < 80)) || fail "$program --help: lines of $widest"
done
[[ $("$repository/examples/run.sh" --version) == "$version" ]] || fail "examples/run.sh --version: not $version"

echo "== output that cannot be written"
# unwritten COMMAND...: ends with one line about it. To be called with its standard output as it is to be met.
unwritten() {
  local status=0
  "$@" 2>stderr || status=$?
  echo "${*##*/}: $(<stderr)" >&2
  if ((status == 0 || status > 123)) || [[ $(wc -l <stderr) != 1 || $(<stderr) != *": standard output: cannot be written"* ]]; then
    fail "$*: exit status $status, $(<stderr)"
  fi
}
if [[ -c /dev/full ]]; then
  for program in distill_mnist sweep predict custom_dataset; do
    unwritten "$programs/$program" --help >/dev/full
    unwritten "$programs/$program" --version >/dev/full
  done
  unwritten distill --out full >/dev/full
  unwritten distill --out full_quiet --quiet >/dev/full
  unwritten sweep --seeds 1 >/dev/full
  unwritten "$programs/predict" out/student_alone.safetensors "$digits" >/dev/full
  unwritten "$programs/custom_dataset" flowers.csv >/dev/full
else
  echo "not tested: there is no /dev/full"
fi
# The files must not get what is printed to a descriptor that nobody opened.
unwritten distill --out closed >&-
for file in teacher.safetensors student_alone.safetensors student_distilled.safetensors; do
  cmp "out/$file" "closed/$file" || fail "$file differs where standard output is closed"
done

echo "== widths"
cat >terminal.py <<'EOF'
"""terminal.py COLUMNS COMMAND...: runs it on a terminal of that width, prints what it printed, exits as it did."""
import fcntl, os, pty, struct, sys, termios
process, terminal = pty.fork()
if process == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:  # the other side is closed
        break
    if not part:
        break
    sys.stdout.buffer.write(part)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
EOF
# What stands on the terminal's lines at one time, in words of progress or of the table.
pieces() { tr '\r' '\n' <shown | grep -E "$1" || true; }
fits() { # COLUMNS PATTERN
  local widest
  widest=$(pieces "$2" | awk '{ if (length($0) > most) most = length($0) } END { print most + 0 }')
  ((widest > 0 && widest < $1)) || fail "$1 columns: lines of $widest: $(pieces "$2")"
  if grep -q $'\033' shown; then
    fail "$1 columns: escape codes: $(cat -v shown)"
  fi
}
if command -v python3 >/dev/null; then
  for columns in 40 60 80 120; do
    TERM=xterm python3 terminal.py $columns "$programs/distill_mnist" "${quick[@]}" --out out >shown
    fits $columns '^(teacher|alone|distilled)  epoch '
    TERM=xterm python3 terminal.py $columns "$programs/sweep" --data "$digits" --split official --epochs 1 --seeds 2 \
      --teacher out/teacher.safetensors >shown
    fits $columns '^student '
    ((columns < 80)) || fits $columns '(temperature|[+]-)'
  done
  TERM=dumb python3 terminal.py 80 "$programs/distill_mnist" "${quick[@]}" --out out >shown
  ! grep -q '\[' shown || fail "a bar on a dumb terminal: $(cat -v shown)"
else
  echo "not tested: widths (needs python3)"
fi

echo "== names"
name=$'\033]0;owned\007\n'
# harmless PROGRAM ARGUMENTS...: ends with one line of text, whatever the arguments hold.
harmless() {
  local status=0
  "$programs/$1" "${@:2}" >/dev/null 2>stderr || status=$?
  echo "$1: $(<stderr)"
  if ((status == 0 || status > 123)) || [[ $(wc -l <stderr) != 1 || $(wc -c <stderr) -gt 5000 ||
    $(<stderr) != *'\x1b]0;owned\x07\n'* ]] || LC_ALL=C grep -q '[[:cntrl:]]' stderr; then
    fail "$*: exit status $status, $(cat -v stderr)"
  fi
}
harmless predict "$name" "$digits"
harmless predict out/student_alone.safetensors "$name"
harmless custom_dataset "$name"
harmless distill_mnist --data "$name"
harmless distill_mnist --loss "$name"
harmless distill_mnist "$name"
harmless sweep --data "$digits" --temperature "$name"
harmless sweep --data "$digits" --teacher "$name$(printf '%100000s' '')"

echo "== threads"
threads() { sed -nE 's/.*, ([0-9]+) threads?$/\1/p' | head -n 1; }
if command -v taskset >/dev/null; then
  first=$(taskset -pc $$ | sed -E 's/.*: ([0-9]+).*/\1/')
  mapfile -t backends < <("$programs/distill_mnist" --help | sed -n 's/^ *\(.*\) is compiled in$/\1/p' |
    grep -xE 'eigen|thrust-omp|thrust-tbb')
  for backend in "${backends[@]}"; do
    found=$(taskset -c "$first" "$programs/distill_mnist" "${quick[@]}" --backend "$backend" --out out | threads)
    [[ $found == 1 ]] || fail "$backend takes $found threads on one processor"
  done
else
  echo "not tested: affinity (needs taskset)"
fi
# Nobody may start no process more, and no thread. Copies, since nobody may not reach these.
if [[ $(id -u) == 0 ]] && command -v setpriv prlimit >/dev/null; then
  cp -r "$digits" "$programs/distill_mnist" .
  mkdir -m 777 nobody
  chmod -R a+rX "$folder"
  as_nobody() {
    prlimit --nproc=1 setpriv --reuid=65533 --regid=65533 --clear-groups ./distill_mnist --data "${digits##*/}" \
      --teacher-epochs 1 --epochs 1 --batch-size 64 --out nobody --overwrite "$@"
  }
  if setpriv --reuid=65533 --regid=65533 --clear-groups test -x ./distill_mnist; then
    for backend in "${backends[@]:-eigen}"; do
      as_nobody --backend "$backend" >shown 2>stderr || fail "$backend: threads that nobody asked for: $(<stderr)"
      [[ $(threads <shown) == 1 ]] || fail "$backend: $(threads <shown) threads, of which the system starts one"
      status=0
      as_nobody --backend "$backend" --threads 3 >shown 2>stderr || status=$?
      [[ $status == 2 && $(<stderr) == *"threads: 3, expected at most the 1 that the system can start"* ]] ||
        fail "$backend --threads 3: exit status $status, $(<stderr)"
    done
  else
    echo "not tested: threads that the system does not start (nobody cannot reach $folder)"
  fi
else
  echo "not tested: threads that the system does not start (needs root, setpriv and prlimit)"
fi

exit $((failures > 0))

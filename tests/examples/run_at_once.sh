#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run_at_once.sh FOLDER REPOSITORY
#
# examples/run.sh started four times at once: one configures and builds while the others wait and say so, and each runs the
# job. The build is a stand-in that finds out whether it is alone. Then tests/run.sh twice, of which the first is killed, and
# each other script that builds, while another holds its lock.
set -euo pipefail
folder=$1 repository=$2
command -v flock >/dev/null || { echo "skipped: no flock" && exit 77; }

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/copy"
trap 'rm -rf "$folder"' EXIT
scripts=(examples/run.sh tests/run.sh tests/run_gpu.sh tests/fuzz/run.sh benchmarks/{,peers/,compile_time/}run.sh)
(cd "$repository" && cp -r --parents scripts "${scripts[@]}" tests/gpu benchmarks/{libtorch,replace_file}.sh \
  benchmarks/peers/cells.txt "$folder/copy")
cd "$folder"

cat >bin/cmake <<'END'
#!/usr/bin/env bash
if [[ $* == *" -- -n" ]]; then
  echo "[1/1] the job"
  exit
fi
mkdir building || echo "not alone: $*" >>overlaps
sleep 0.2
if [[ " $* " == *" --build "* ]]; then
  mkdir -p build/examples/examples
  printf '#!/bin/sh\necho "the job ran with $*"\n' >build/examples/examples/distill_mnist
  chmod +x build/examples/examples/distill_mnist
fi
rmdir building
END
printf '#!/bin/sh\necho installed\n' >bin/dpkg-query
printf '#!/bin/sh\nexit 1\n' >bin/apt-get
chmod +x bin/*

processes=()
for run in 1 2 3 4; do
  PATH=$folder/bin:$PATH copy/examples/run.sh --data synthetic --out "out$run" >"report$run" 2>&1 &
  processes+=($!)
done
for run in 1 2 3 4; do
  wait "${processes[run - 1]}" || fail "run $run ended with $?: $(<"report$run")"
  grep -qF "the job ran with --data synthetic --out out$run" "report$run" || fail "run $run: $(<"report$run")"
done
PATH=$folder/bin:$PATH copy/examples/run.sh --help >report_help 2>&1 || fail "--help: $(<report_help)"
grep -qF "building distill_mnist for this processor first" report_help || fail "--help builds and does not say so: $(<report_help)"
[[ ! -e copy/overlaps ]] || fail "$(<copy/overlaps)"
[[ $(cat report? | grep -c "another run .*is building here; waiting for it") == 3 ]] || fail "a run that waits does not say so: $(cat report?)"

# The lock ends with the start of the job, not with its end.
printf '#!/bin/sh\nexec sleep 100\n' >job
chmod +x job
sed -i 's|sleep 0.2|sleep 0.02|; s|printf .*distill_mnist|cp ../job build/examples/examples/distill_mnist|' bin/cmake
PATH=$folder/bin:$PATH copy/examples/run.sh --data synthetic >report 2>&1 &
long=$!
trap 'kill $long 2>/dev/null || true; rm -rf "$folder"' EXIT
for ((i = 0; i < 500; ++i)); do
  flock --nonblock copy/build/examples.lock true && grep -q sleep "/proc/$long/cmdline" && break
  sleep 0.02
done
((i < 500)) || fail "the lock is held while the job runs"
kill $long

# seen PATTERN FILE: waits until a line of FILE matches.
seen() {
  for ((i = 0; i < 500; ++i)); do
    ! grep -qs -- "$1" "$2" || return 0
    sleep 0.02
  done
  return 1
}

# What a killed run started may go on, and its lock with it; then the next has its turn.
cat >bin/ctest <<'END'
#!/usr/bin/env bash
echo testing
mkdir testing || echo "two ran their tests at once"
while [[ -e build/hang ]]; do sleep 0.02; done
rmdir testing
END
chmod +x bin/ctest
touch copy/build/hang
PATH=$folder/bin:$PATH copy/tests/run.sh --quick >report1 2>&1 &
first=$!
trap 'rm -rf "$folder"' EXIT
seen '^testing' report1 || fail "the first does not come to its tests: $(<report1)"
PATH=$folder/bin:$PATH copy/tests/run.sh --quick >report2 2>&1 &
second=$!
seen "^tests/run.sh: another run (process $first on host .*) is building here; waiting for it" report2 ||
  fail "the second does not wait: $(<report2)"
kill -KILL $first
sleep 0.1
! grep -q '^packages' report2 || fail "the second does not wait for the tests that the first left"
rm copy/build/hang
wait $second || fail "after the first was killed the second ended with $?: $(<report2)"
grep -q "every test passed" report2 || fail "the second: $(<report2)"
! grep -q "at once" report2 || fail "the second: $(<report2)"

# waits SCRIPT LOCK ARGUMENTS...
waits() {
  local script=$1 holder process
  exec {holder}>>"copy/build/$2.lock"
  flock "$holder"
  CUDACXX=true CXX=true PATH=$folder/bin:$PATH "copy/$script" "${@:3}" >report 2>&1 {holder}>&- &
  process=$!
  seen "^$script: another run is building here; waiting for it" report || fail "$script does not wait: $(<report)"
  kill $process
  exec {holder}>&-
}
waits tests/run_gpu.sh gpu --host --only machine
waits tests/fuzz/run.sh fuzz 1
waits benchmarks/run.sh benchmarks machine
waits benchmarks/peers/run.sh peers
waits benchmarks/compile_time/run.sh compile_time
echo "of runs at once one builds, the others wait"

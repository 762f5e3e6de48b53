#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run_at_once.sh FOLDER REPOSITORY
#
# examples/run.sh started four times at once: one configures and builds while the others wait and say so, and each runs the
# job. The build is a stand-in that finds out whether it is alone.
set -euo pipefail
folder=$1 repository=$2
command -v flock >/dev/null || { echo "skipped: no flock" && exit 77; }

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/copy/examples"
trap 'rm -rf "$folder"' EXIT
cp -r "$repository/scripts" "$folder/copy"
cp "$repository/examples/run.sh" "$folder/copy/examples"
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
[[ $(cat report? | grep -c "another run is building here; waiting for it") == 3 ]] || fail "who waits does not say so: $(cat report?)"

# The lock ends with the start of the job, not with its end.
printf '#!/bin/sh\nexec sleep 100\n' >job
chmod +x job
sed -i 's|printf .*distill_mnist|cp ../job build/examples/examples/distill_mnist|' bin/cmake
PATH=$folder/bin:$PATH copy/examples/run.sh --data synthetic >report 2>&1 &
long=$!
trap 'kill $long 2>/dev/null || true; rm -rf "$folder"' EXIT
for ((i = 0; i < 500; ++i)); do
  flock --nonblock copy/build/examples.lock true && grep -q sleep "/proc/$long/cmdline" && break
  sleep 0.02
done
((i < 500)) || fail "the lock is held while the job runs"
echo "four runs at once: one builds, the others wait"

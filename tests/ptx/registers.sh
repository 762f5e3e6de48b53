#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# registers.sh PTXAS STUDENT_PTX
#
# What ptxas makes of the student's kernels for sm_90: registers, spills, static shared memory. Those of MNIST's bytes in
# single chunks spill nothing; of the other two the spills are bounded by what they were. Prints the table of RESULTS.
set -euo pipefail
ptxas=$1 ptx=$2

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

log=$("$ptxas" -v -arch=sm_90 "$ptx" -o /dev/null 2>&1) || fail "$log"
echo "| kernel | registers | spilled, read back | stack | static shared memory |"
echo "|---|---|---|---|---|"
# number PATTERN: before the words that match, in the lines of the kernel; 0 where there are none.
number() { grep -oE "[0-9]+ $1" <<<"$lines" | head -n 1 | grep -oE '^[0-9]+' || echo 0; }
kernels=0
while read -r kernel most_spilled; do
  lines=$(awk -v kernel="'$kernel'" '/Compiling entry function/ { within = index($0, kernel) } within' <<<"$log")
  [[ -n $lines ]] || fail "no kernel $kernel"
  registers=$(grep -oE 'Used [0-9]+ registers' <<<"$lines" | grep -oE '[0-9]+') || fail "no registers of $kernel: $lines"
  spilled=$(number "bytes spill stores")
  echo "| $kernel | $registers | $spilled, $(number "bytes spill loads") bytes | $(number "bytes stack frame") bytes | $(number "bytes smem") bytes |"
  ((registers <= 255)) || fail "$kernel: $registers registers"
  ((spilled <= most_spilled)) || fail "$kernel spills $spilled bytes, expected at most $most_spilled"
  kernels=$((kernels + 1))
done <<'END'
MnistBlock 0
MnistSweep 0
MnistCluster 0
MnistAny 600
MnistReals 500
END
((kernels == $(grep -c "Compiling entry function" <<<"$log"))) || fail "a kernel has no bound here"

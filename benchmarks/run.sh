#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# benchmarks/run.sh [--repetitions N] [--output FILE] [--quick] [SECTION...]
#
# Makes benchmarks/RESULTS.md: measures each SECTION named (all of them where none is), and puts it where the file has
# its place, as soon as it is ready. What is written outside of these places stays.
#
#   machine        processor, system, compilers, libraries
#   kernels        the programs of benchmarks/, each over N repetitions (9) in random order          about 15 minutes
#   peers          peers/run.sh with one and two threads, N rounds each (3)                          about 45 minutes
#   compile-time   compile_time/run.sh                                                               a few minutes
#   main-job       distill_mnist --recipe original on MNIST, three times                             about 2 minutes
#   accuracy       distill_mnist over seeds: 10 of the recipe few-images, 5 of original, 12 of
#                  recommended                                                                      about 16 minutes
#
# Installs what is missing (Debian, Ubuntu) and builds for this processor in build/benchmarks. --output names another
# file that has the places; --quick tries everything out in a minute or two for each section, on a copy of RESULTS.md
# in build/benchmarks. MNIST comes from where scripts/mnist.sh finds it. Measure on a machine that has nothing else to
# do: each section says how busy it was.
#
# Exit code: 0 where every section was made, 1 where one was not (one line says why, the others go on), 2 for arguments
# it does not know.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$here")
build=$repository/build/benchmarks
source "$repository/scripts/lock.sh"
source "$repository/scripts/packages.sh"
source "$repository/scripts/mnist.sh"
export PYTHONDONTWRITEBYTECODE=1

all_sections=(machine kernels peers compile-time main-job accuracy)

usage() {
  echo "run.sh: $*; usage: benchmarks/run.sh [--repetitions N] [--output FILE] [--quick] [${all_sections[*]}]" >&2
  exit 2
}

repetitions='' output='' quick=no sections=()
while (($# > 0)); do
  case $1 in
    --repetitions | --output)
      (($# > 1)) || usage "$1 lacks its value"
      printf -v "${1#--}" %s "$2"
      shift
      ;;
    --quick) quick=yes ;;
    -*) usage "unknown option $1" ;;
    *)
      [[ " ${all_sections[*]} " == *" $1 "* ]] || usage "unknown section $1"
      sections+=("$1")
      ;;
  esac
  shift
done
command="benchmarks/run.sh"
if [[ -n $repetitions ]]; then
  [[ $repetitions =~ ^[1-9][0-9]{0,3}$ ]] || usage "--repetitions: '$repetitions', expected a whole number from 1 to 9999"
  command+=" --repetitions $repetitions"
fi
((${#sections[@]} > 0)) || sections=("${all_sections[@]}")
hold_lock benchmarks/run.sh "$build.lock"
min_time=0.2 runs=3 peer_rounds=${repetitions:-3} peer_cells=()
few_images_seeds=10 original_seeds=5 recommended_seeds=12 job_arguments=()
if [[ $quick == yes ]]; then
  command+=" --quick"
  repetitions=${repetitions:-2}
  min_time=0.01 runs=1 peer_rounds=1 peer_cells=(--cells 'ReLU-20/(1|64)$')
  few_images_seeds=2 original_seeds=2 recommended_seeds=2
  job_arguments=(--teacher-epochs 1 --epochs 1)
  if [[ -z $output ]]; then
    mkdir -p "$build"
    output=$build/RESULTS.md
    cp "$here/RESULTS.md" "$output"
  fi
fi
repetitions=${repetitions:-9}
output=${output:-$here/RESULTS.md}
# Before minutes of measuring, not after them.
install_missing cmake ninja-build g++ python3 git >&2
python3 "$here/results.py" check "$output" "${sections[@]}"

# --- What the sections have in common ---

fail() { # ends the section
  echo "run.sh: $section: $*" >&2
  exit 1
}

quietly() { # LOG COMMAND...
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "'$*' failed; its whole output is in $log"
  }
}

build_programs() { # TARGETS...: none for all
  install_missing libeigen3-dev libxtensor-dev libxsimd-dev zlib1g-dev libcli11-dev libbenchmark-dev \
    pkg-config >&2
  install_missing libopenblas-dev >&2 || echo "libopenblas-dev cannot be installed here: nothing is measured with a BLAS" >&2
  echo "building" >&2
  # Thrust on a CPU is not for speed, and a GPU has tests/run_gpu.sh.
  quietly "$build/configure.log" cmake -S "$repository" --preset release -B "$build" -DRETORT_CUDA=OFF -DRETORT_THRUST=OFF
  quietly "$build/build.log" cmake --build "$build" ${1:+--target "$@"}
}

find_data() {
  data=$(find_mnist "$repository") || fail "MNIST is not found (MNIST_DIR, ../shared/data/mnist, data/mnist)"
}

processor() {
  local model cores
  model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
  cores=$(nproc)
  echo "$cores $( ((cores == 1)) && echo core || echo cores) of ${model:-$(uname -m)}"
}

library_version() {
  sed -nE 's/^#define RETORT_VERSION_[A-Z]+ ([0-9]+)$/\1/p' "$repository/include/retort/version.hpp" | paste -sd.
}

commit() { # "+" where files differ from it
  local name
  name=$(git -C "$repository" rev-parse --short HEAD 2>/dev/null) || return 0
  git -C "$repository" diff --quiet HEAD -- . ':!benchmarks/RESULTS.md' || name+=+
  echo " ($name)"
}

# Which command made the section, of what, where and when.
head_of() { # SECTION
  echo "    $command $1"
  echo
  echo "Retort $(library_version)$(commit), $(processor), $(g++ --version | head -n 1), \`-O3 -march=native\`;" \
    "$(date -u '+%Y-%m-%d'), load average before it $(cut -d ' ' -f 1 /proc/loadavg)."
  [[ $quick == no ]] || echo "A trial of the script: NOT FOR THE RECORD."
  echo
}

# --- The sections: each prints Markdown ---

section_machine() {
  local package tool
  echo "| | |"
  echo "|---|---|"
  echo "| processor | $(processor), $(sed -n 's/^cache size[^:]*: //p' /proc/cpuinfo | head -n 1) cache each |"
  echo "| instruction sets | $(sed -n 's/^flags[^:]*: //p' /proc/cpuinfo | head -n 1 | tr ' ' '\n' |
    grep -E '^(sse4_2|avx|avx2|fma|avx512.*|avx_vnni)$' | paste -sd' ') |"
  echo "| memory | $(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1024 / 1024 }' /proc/meminfo) |"
  echo "| system | $(sed -n 's/^PRETTY_NAME="\(.*\)"$/\1/p' /etc/os-release), $(uname -s) $(uname -r | cut -d - -f 1) |"
  for tool in g++ clang++-19 cmake; do
    if command -v "$tool" >/dev/null; then
      echo "| $tool | $("$tool" --version | head -n 1) |"
    fi
  done
  for package in libeigen3-dev libxsimd-dev libbenchmark-dev libopenblas-dev; do
    if command -v dpkg-query >/dev/null && is_installed "$package"; then
      echo "| $package | $(dpkg-query -W -f '${Version}' "$package") |"
    fi
  done
}

section_kernels() {
  build_programs
  local results=$build/kernels program name
  rm -rf "$results"
  mkdir -p "$results"
  quietly "$results/peak.log" g++ -std=c++20 -O3 -march=native -DNDEBUG "$here/peers/peak.cpp" -o "$results/peak" \
    -lbenchmark_main -lbenchmark -pthread
  for program in "$build"/benchmarks/benchmark_*; do
    name=${program##*/}
    echo "$name" >&2
    quietly "$results/peak.log" "$results/peak" "--benchmark_out=$results/peak.$name.json" --benchmark_out_format=json
    "$program" --benchmark_list_tests=true >"$results/$name.list" 2>"$results/$name.log"
    quietly "$results/$name.log" "$program" --benchmark_enable_random_interleaving=true \
      "--benchmark_repetitions=$repetitions" "--benchmark_min_time=$min_time" --benchmark_report_aggregates_only=true \
      "--benchmark_out=$results/$name.json" --benchmark_out_format=json
  done
  python3 "$here/results.py" kernels "$results"
}

section_peers() {
  local threads
  for threads in 1 2; do
    [[ $threads == 1 ]] && echo "### One thread" || printf '\n### Two threads\n'
    echo
    quietly "$build/peers.log" "$here/peers/run.sh" --rounds "$peer_rounds" --threads "$threads" \
      "${peer_cells[@]}" --output "$build/peers.$threads.md"
    grep -E ': .*(not found|left out)' "$build/peers.log" >&2 || true
    sed '/^|/!s/^./- &/' "$build/peers.$threads.md"
  done
}

section_compile_time() {
  [[ -x $here/compile_time/run.sh ]] || fail "compile_time/run.sh is not here"
  "$here/compile_time/run.sh" || fail "compile_time/run.sh failed"
}

section_main_job() {
  find_data
  build_programs distill_mnist
  local run begin
  local seconds=()
  for ((run = 1; run <= runs; ++run)); do
    begin=$EPOCHREALTIME
    quietly "$build/main-job.log" "$build/examples/distill_mnist" --recipe original --seed 0 --data "$data" \
      --out "$build/main-job" --overwrite "${job_arguments[@]}"
    seconds+=("$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')")
    echo "run $run of $runs: ${seconds[-1]} s" >&2
  done
  echo "\`distill_mnist --recipe original --seed 0 ${job_arguments[*]}\` on MNIST, all cores: ${seconds[*]} s from start to table."
  echo "The last run's table:"
  echo
  echo '```'
  grep -A 3 -E '^ +parameters +accuracy' "$build/main-job.log" || fail "the job printed no table"
  echo '```'
}

over_seeds() { # RECIPE SEEDS ARGUMENTS...
  local out=$build/accuracy/$1
  rm -rf "$out"
  echo "\`over_seeds.py --seeds $2 -- --recipe $1 ${job_arguments[*]}\`, seed by seed and over all"
  echo
  echo '```'
  python3 "$repository/examples/distill_mnist/over_seeds.py" --program "$build/examples/distill_mnist" --seeds "$2" \
    --out "$out" -- --data "$data" --recipe "$1" "${@:3}" "${job_arguments[@]}" | tee /dev/stderr ||
    fail "over_seeds.py failed"
  echo '```'
}

over_seeds_of_one_teacher() { # RECIPE SEEDS
  local out=$build/accuracy/teacher-$1
  echo "training the teacher of the recipe $1" >&2
  quietly "$build/teacher.log" "$build/examples/distill_mnist" --recipe "$1" --seed 0 --data "$data" --out "$out" \
    --overwrite "${job_arguments[@]}"
  over_seeds "$1" "$2" --teacher "$out/teacher.safetensors"
  echo
  echo "The recipe $1 has one teacher for all seeds, that of seed 0, which makes $(
    sed -n '/"phase":"teacher"/s/.*"errors":\([0-9]*\).*/\1/p' "$out/metrics.jsonl" | tail -n 1) errors."
}

section_accuracy() {
  find_data
  build_programs distill_mnist
  over_seeds_of_one_teacher few-images "$few_images_seeds"
  echo
  over_seeds original "$original_seeds"
  echo
  over_seeds_of_one_teacher recommended "$recommended_seeds"
}

# --- Making them ---

mkdir -p "$build"
failed=()
for section in "${sections[@]}"; do
  echo "== $section" >&2
  fragment=$build/$section.md
  # Not as a condition, in which errors would not end the shell.
  set +e
  (
    set -e
    head_of "$section"
    "section_${section//-/_}"
  ) >"$fragment"
  status=$?
  set -e
  if ((status == 0)) && python3 "$here/results.py" replace "$output" "$section" <"$fragment"; then
    echo "$section: in $output" >&2
  else
    failed+=("$section")
  fi
done
((${#failed[@]} == 0)) || {
  echo "run.sh: not made: ${failed[*]}" >&2
  exit 1
}

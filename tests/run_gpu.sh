#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tests/run_gpu.sh [--quick] [--host] [--build-here] [--programs FOLDER] [--only STEP,...] [--jobs N] [--results FILE]
#                  [-- CMAKE ARGUMENTS...]
#
# Everything that needs a GPU, in one command or step by step. No package registry is needed. The steps, each of which
# goes on after another one failed, and at most how long each takes on an H100 with 16 cores:
#
#   machine     GPU, driver, compilers                                                                         seconds
#   configure   Release, CUDA on, for this GPU and this processor, in build/gpu, which is kept between calls   seconds
#   build       the programs with CUDA: tests, benchmarks, distill_mnist, sweep                                8 minutes
#   pack        with --build-here: the programs, stripped, in build/gpu-programs                               seconds
#   tests       all tests on the GPU, the long ones too                                                        8 minutes
#   memcheck, racecheck, initcheck   compute-sanitizer over the operations, short trainings and a sweep        5 minutes each
#   job         distill_mnist --recipe original with each of the GPU's backends and eigen, over five seeds: mean
#               accuracies within 0.5 points of eigen's                                                        8 minutes
#   sweep       the students of the program sweep on the GPU, 132 at once and one: times, and that one of a
#               seed is the same in both                                                                       5 minutes
#   benchmarks  Google Benchmark, times by CUDA events                                                         5 minutes
#   pytorch     the same steps in PyTorch on the same GPU, where python3 (or PYTHON) has it, and in JAX        8 minutes
#   points      what the GPU backend is to reach, each point with its figure: met, missed or not measured.
#               Takes what the steps before it left, also in earlier calls after the same build; fails where
#               one is missed                                                                                  seconds
#
# --only names the steps to do (sanitizer: the three tools; `--only configure,build,tests`), --quick leaves the long
# tests out and shortens the rest, --host needs no GPU: it runs what of the programs a host can. The report, in
# Markdown, goes to FILE: $OUT/results.md where OUT is set, else build/gpu/results.md. Paths count from the repository.
# A step that cannot be done here (no compute-sanitizer, no PyTorch) is reported as not done, with the reason.
#
# On a machine that has nvcc but no GPU, --build-here builds for another: GPUs of compute capability 9.0, processors of
# x86-64-v3. There, with a copy of build/gpu-programs beside the sources, `--programs build/gpu-programs` does all steps
# but the building.
#
# Dependencies come from the prefix DEPENDENCIES, else from .gpu-deps/usr where that is a folder, else from the system.
# To carry them to a machine without a package registry that builds for itself, fill that folder where there is one, on
# a system as that of the machine with the GPU, and copy it beside the sources:
#
#   apt-get download libeigen3-dev libxtensor-dev xtl-dev libxsimd-dev nlohmann-json3-dev catch2 libcli11-dev \
#     libbenchmark-dev libbenchmark1debian zlib1g-dev
#   for package in *.deb; do dpkg -x "$package" .gpu-deps; done
#
# MNIST comes from where scripts/mnist.sh finds it, else the built-in digits take its place. Arguments after -- go to
# CMake.
#
# tests/gpu/rehearse.sh, the test examples/rehearse_gpu, runs all of this on a host, with stand-ins for what needs a GPU.
#
# Exit code: 0 nothing failed, 1 something did, 2 for arguments it does not know, 77 where there is no GPU or no nvcc.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
repository=$PWD
source scripts/lock.sh
source scripts/mnist.sh
export PYTHONDONTWRITEBYTECODE=1 LC_ALL=C

building=(machine configure build)
using=(tests memcheck racecheck initcheck job sweep benchmarks pytorch points)
build=$repository/build/gpu
python=${PYTHON:-python3}

# --- Arguments ---

fail_usage() {
  echo "run_gpu.sh: $*" >&2
  exit 2
}

quick=no host=no build_here=no
only='' jobs='' results='' programs=''
cmake_arguments=()
while (($# > 0)); do
  case $1 in
    --quick | --host) printf -v "${1#--}" yes ;;
    --build-here) build_here=yes ;;
    --only | --jobs | --results | --programs)
      (($# > 1)) || fail_usage "$1: expected a value"
      printf -v "${1#--}" '%s' "$2"
      shift
      ;;
    --)
      shift
      cmake_arguments=("$@")
      break
      ;;
    *)
      fail_usage "$1: expected --quick, --host, --build-here, --programs FOLDER, --only STEP,..., --jobs N," \
        "--results FILE or -- CMAKE ARGUMENTS"
      ;;
  esac
  shift
done
[[ -z $jobs || $jobs =~ ^[1-9][0-9]*$ ]] || fail_usage "--jobs $jobs: expected a whole number from 1"
if [[ $build_here == yes ]]; then
  [[ -z $programs ]] || fail_usage "--build-here makes what --programs uses: expected one of the two"
  all_steps=("${building[@]}" pack)
elif [[ -n $programs ]]; then
  [[ -d $programs/tests ]] || fail_usage "--programs $programs: expected the folder that --build-here made"
  programs=$(cd "$programs" && pwd)
  all_steps=(machine "${using[@]}")
else
  all_steps=("${building[@]}" "${using[@]}")
fi
programs=${programs:-$build}

steps=()
if [[ -z $only ]]; then
  steps=("${all_steps[@]}")
else
  IFS=, read -ra wanted <<<"${only/sanitizer/memcheck,racecheck,initcheck}"
  for step in "${wanted[@]}"; do
    [[ " ${all_steps[*]} " == *" $step "* ]] || fail_usage "--only $step: expected ${all_steps[*]} or sanitizer"
  done
  for step in "${all_steps[@]}"; do
    [[ " ${wanted[*]} " == *" $step "* ]] && steps+=("$step")
  done
fi

# --- What is here ---

# find_program NAME PATH...
# Prints NAME's path, from PATH or from the first of the further paths that is a program; returns 1 where there is none.
find_program() {
  local name=$1 path
  shift
  for path in "$(command -v "$name")" "$@"; do
    if [[ -n $path && -x $path ]]; then
      echo "$path"
      return 0
    fi
  done
  return 1
}

nvidia_smi=$(find_program nvidia-smi /usr/local/nvidia/bin/nvidia-smi)
gpu=
if [[ $host == no && $build_here == no ]]; then
  gpu=$([[ -z $nvidia_smi ]] || "$nvidia_smi" -L 2>/dev/null | grep -m 1 '^GPU ')
  if [[ -z $gpu ]]; then
    echo "run_gpu.sh: skipped: no GPU is here (nvidia-smi lists none); --host builds and runs what needs none"
    exit 77
  fi
fi
nvcc=${CUDACXX:-$(find_program nvcc "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" /usr/local/cuda/bin/nvcc)}
if [[ -z $nvcc ]]; then
  echo "run_gpu.sh: skipped: no nvcc is here (PATH, CUDACXX, CUDA_HOME, /usr/local/cuda)"
  exit 77
fi
export CUDACXX=$nvcc
if [[ $programs != "$build" ]]; then # built where the toolkit may lie elsewhere
  export LD_LIBRARY_PATH=$programs/lib:${nvcc%/*}/../lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
fi

if MNIST_DIR=$(find_mnist "$repository"); then
  export MNIST_DIR
  data=$MNIST_DIR
else
  unset MNIST_DIR
  data=synthetic
fi

# --- The steps. Each runs in a shell of its own that ends at the first failure; not_done ends it as not done. ---

not_done() {
  echo "not done: $*"
  exit 77
}

failed() {
  echo "failed: $*"
  exit 1
}

# limited SECONDS NAME COMMAND...: fails by a line that names what failed or took longer; what ends with 77 is not done.
limited() {
  local limit=$1 name=$2 status=0
  shift 2
  timeout "$limit" "$@" || status=$?
  ((status != 124)) || failed "$name ran past $limit s"
  ((status != 77)) || exit 77
  ((status == 0)) || failed "$name: exit code $status"
}

# What was found out about other programs says nothing of these.
forget_results() {
  rm -f "$build"/logs/*.outcome "$build"/benchmark_*.json "$build/torch_gpu.jsonl" "$build/jax.json"
}

# The tests that need a device and nothing else.
device_tests=(tests/retort_test_backend_cuda_runtime tests/retort_test_backend_cuda_graph_device)

# require_programs PATH...: those of the build
require_programs() {
  local program
  for program in "$@"; do
    [[ -x $programs/$program ]] || failed "$program is not built in $programs"
  done
}

source tests/gpu/build.sh
source tests/gpu/check.sh
source tests/gpu/train.sh
source tests/gpu/measure.sh

# --- Running them ---

hold_lock tests/run_gpu.sh "$build.lock"
mkdir -p "$build/logs" || exit 1
if [[ $programs != "$build" ]] && ! cmp -s "$programs/commit" "$build/programs"; then
  forget_results
  cp "$programs/commit" "$build/programs" || exit 1
fi
results=${results:-${OUT:-$build}/results.md}
mkdir -p "$(dirname "$results")" && : >"$results" || exit 1
say() { printf '%s\n' "$@" >>"$results"; }

# A log, its middle left out where it is long.
quote_log() {
  local lines
  lines=$(wc -l <"$1")
  echo '```'
  if ((lines > 400)); then
    head -n 100 "$1"
    echo "[... $((lines - 400)) lines ...]"
    tail -n 300 "$1"
  else
    cat "$1"
  fi
  echo '```'
}

say "# Retort on ${gpu:-a host, no GPU used}" ""
names=()
outcomes=()
code=0
undone=0
for step in "${steps[@]}"; do
  echo "--- $step"
  log=$build/logs/$step.log
  rm -f "$build/logs/$step.outcome" # of an earlier call, should this one be killed
  started=$EPOCHREALTIME
  (
    set -e
    "step_$step"
  ) 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  seconds=$(awk -v from="$started" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }')
  case $status in
    0) outcome=passed ;;
    77)
      outcome="NOT DONE: $(tail -n 1 "$log" | sed 's/^not done: //')"
      undone=$((undone + 1))
      ;;
    *)
      outcome="FAILED (exit code $status): $(tail -n 1 "$log")"
      code=1
      ;;
  esac
  echo "$outcome" >"$build/logs/$step.outcome"
  names+=("$step")
  outcomes+=("$seconds s, $outcome")
  say "## $step: $outcome, $seconds s" "" "$(quote_log "$log")" ""
done

summary=$(
  echo "## Summary"
  echo
  for i in "${!names[@]}"; do
    echo "- ${names[i]}: ${outcomes[i]}"
  done
  echo
  if ((code != 0)); then
    echo "Something failed."
  elif ((undone > 0)); then
    echo "Nothing failed; $undone of ${#names[@]} steps not done."
  else
    echo "All ${#names[@]} steps passed."
  fi
)
say "$summary"
echo "$summary"
echo "written: $results, after $SECONDS s"
if [[ -n ${OUT:-} ]]; then
  for file in "$build"/benchmark_*.json "$build/torch_gpu.jsonl" "$build/jax.json"; do
    [[ -f $file ]] && cp "$file" "$OUT"
  done
fi
exit "$code"

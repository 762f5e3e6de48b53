#!/usr/bin/env bash
# tests/run_gpu.sh [--only STEP,STEP...]
#
# What needs a GPU, on a machine with one and nvcc, and without a package registry: dependencies are taken from
# .gpu-deps/usr below the repository where that folder exists (unpacked Debian packages), else from the system. Steps:
#   build      the GPU tests, the main job and the benchmarks, in build/gpu
#   tests      the tests over every backend (the long ones too) and those of the CUDA plumbing
#   sanitizer  compute-sanitizer's memcheck, racecheck and initcheck over a short training with every kind of layer
#   job        the main job on thrust-cuda and on eigen: accuracies within 0.1 points
#   benchmarks Google Benchmark, thrust-cuda and eigen
#   torch      the same steps in PyTorch, where python3 has it with CUDA (benchmarks/peers/torch_gpu.py)
# A step that fails does not stop the others. Everything is written to results.md in build/gpu, or in the folder that
# OUT names. Exits 1 where a step failed, 77 where there is no GPU.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
repository=$PWD
source scripts/mnist.sh

steps=build,tests,sanitizer,job,benchmarks,torch
case ${1:-} in
  '') ;;
  --only) steps=${2:?--only needs a list of steps} ;;
  *)
    echo "tests/run_gpu.sh: '$1', expected --only STEP,STEP..." >&2
    exit 2
    ;;
esac
for step in ${steps//,/ }; do
  if [[ ,build,tests,sanitizer,job,benchmarks,torch, != *",$step,"* ]]; then
    echo "tests/run_gpu.sh: there is no step '$step'" >&2
    exit 2
  fi
done
if ! command -v nvidia-smi >/dev/null || ! nvidia-smi -L >/dev/null 2>&1; then
  echo "tests/run_gpu.sh: skipped: no CUDA device (nvidia-smi finds none)"
  exit 77
fi

build=build/gpu
results=${OUT:-$repository/$build}
mkdir -p "$build" "$results"
report=$results/results.md
export PATH=$PATH:/usr/local/cuda/bin
if MNIST_DIR=$(find_mnist "$repository"); then
  export MNIST_DIR
else
  unset MNIST_DIR
fi

say() { echo "$@" | tee -a "$report"; }
say "# GPU run of $(git rev-parse --short HEAD 2>/dev/null || echo 'a tree without git'), $(date -u +%F)"
say ""
say "- $(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | head -n 1)"
say "- $(nvcc --version | tail -n 1)"
say "- $(nproc) CPU cores, MNIST: $([[ -n ${MNIST_DIR:-} ]] && echo found || echo 'not found, synthetic digits')"

outcomes=()
failed=no
# run_step NAME COMMAND...: the command's last lines go to the report, its whole output to NAME.log.
run_step() {
  local name=$1 started=$SECONDS status
  shift
  if [[ ,$steps, != *",$name,"* ]]; then
    return 0
  fi
  say ""
  say "## $name"
  say ""
  "$@" >"$results/$name.log" 2>&1
  status=$?
  { echo '```'; tail -n 60 "$results/$name.log"; echo '```'; } | tee -a "$report"
  case $status in
    0) outcomes+=("$name: passed in $((SECONDS - started)) s") ;;
    77) outcomes+=("$name: skipped, $(tail -n 1 "$results/$name.log")") ;;
    *)
      outcomes+=("$name: FAILED with exit status $status after $((SECONDS - started)) s")
      failed=yes
      ;;
  esac
}

build_all() {
  local arguments=(-S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DRETORT_CUDA=ON -DRETORT_BUILD_BENCHMARKS=ON
    -DCMAKE_CUDA_ARCHITECTURES=90-real)
  if [[ -d .gpu-deps/usr ]]; then
    arguments+=("-DCMAKE_PREFIX_PATH=$repository/.gpu-deps/usr;$repository/.gpu-deps/usr/lib/x86_64-linux-gnu")
  fi
  cmake "${arguments[@]}" &&
    cmake --build "$build" --parallel "$(nproc)" --target retort_test_every_backend retort_test_backend_thrust_cuda \
      distill_mnist benchmark_train benchmark_nn
}

run_tests() {
  RETORT_LONG_TESTS=1 RETORT_PRINT_DIFFERENCES=1 "$build/tests/retort_test_every_backend" '*OnThrustCuda' &&
    "$build/tests/retort_test_backend_thrust_cuda"
}

run_sanitizer() {
  local tool
  if ! command -v compute-sanitizer >/dev/null; then
    echo "compute-sanitizer is not on PATH"
    return 77
  fi
  # Every kind of layer forward and backward, losses, optimizers, gathering, and a short training.
  local tests='forward, inference*OnThrustCuda,losses and*OnThrustCuda,optimizers*OnThrustCuda,batches*OnThrustCuda'
  tests+=',gradients are clipped*OnThrustCuda,a training repeats*OnThrustCuda'
  for tool in memcheck racecheck initcheck; do
    echo "compute-sanitizer --tool $tool"
    compute-sanitizer --tool "$tool" --error-exitcode 1 "$build/tests/retort_test_every_backend" "$tests" || return 1
  done
}

accuracy_of() { # FILE: the accuracies of its closing table
  awk '/^(teacher|student alone|student distilled) / { for (i = 1; i <= NF; ++i) if ($(i + 1) == "%") print $i }' "$1"
}

run_job() {
  local backend
  for backend in thrust-cuda eigen; do
    echo "distill_mnist --recipe original --seed 0 --backend $backend"
    "$build/examples/distill_mnist" --data "${MNIST_DIR:-synthetic}" --recipe original --seed 0 --quiet \
      --backend "$backend" --out "$build/out-$backend" >"$build/job-$backend.txt" || return 1
    cat "$build/job-$backend.txt"
  done
  paste <(accuracy_of "$build/job-thrust-cuda.txt") <(accuracy_of "$build/job-eigen.txt") |
    awk '{ d = $1 - $2; if (d < 0) d = -d; print $1, $2, "points apart:", d; if (d > 0.1) far = 1; ++rows }
         END { exit far || rows != 3 }'
}

run_benchmarks() {
  "$build/benchmarks/benchmark_train" --benchmark_filter='cuda|eigen' --benchmark_repetitions=5 \
    --benchmark_report_aggregates_only=true --benchmark_out="$results/benchmark_train.json" &&
    "$build/benchmarks/benchmark_nn" --benchmark_filter='cuda|eigen' --benchmark_repetitions=5 \
      --benchmark_report_aggregates_only=true --benchmark_out="$results/benchmark_nn.json"
}

run_step build build_all
run_step tests run_tests
run_step sanitizer run_sanitizer
run_step job run_job
run_step benchmarks run_benchmarks
run_step torch python3 benchmarks/peers/torch_gpu.py

say ""
say "## Summary"
say ""
for outcome in "${outcomes[@]}"; do
  say "- $outcome"
done
echo "written to $report"
[[ $failed == no ]]

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# rehearse.sh FOLDER REPOSITORY BUILD DIGITS
#
# The whole flow of tests/run_gpu.sh without a GPU: each tool that it needs has a stand-in (tests/gpu/stand_ins), and
# the trainings are those of BUILD's example programs on the CPU, on DIGITS. First all is well; then one thing after
# another is wrong, and is to be noticed and named. What was not run is said in the end.
set -euo pipefail
export LC_ALL=C
folder=$1 repository=$2 real=$3 digits=$4
command -v flock >/dev/null || { echo "skipped: no flock" && exit 77; }
command -v python3 >/dev/null || { echo "skipped: no python3" && exit 77; }

rm -rf "$folder"
mkdir -p "$folder"/{state,bin,programs/{tests,benchmarks,examples,lib}}
folder=$(cd "$folder" && pwd)
trap 'rm -rf "$folder"' EXIT
bin=$folder/bin programs=$folder/programs state=$folder/state copy=$folder/copy
mkdir "$copy"
(cd "$repository" && cp -r --parents scripts tests/run_gpu.sh tests/gpu benchmarks/peers "$copy")
stand_ins=$copy/tests/gpu/stand_ins
cp "$stand_ins"/{cmake,compute-sanitizer,nvidia-smi,nvcc,python3,timeout,with_torch.py} "$bin"
for program in backend_cuda_runtime backend_cuda_graph_device every_backend; do
  cp "$stand_ins/test_program" "$programs/tests/retort_test_$program"
done
for program in data nn train; do
  cp "$stand_ins/benchmark" "$programs/benchmarks/benchmark_$program"
done
cp "$stand_ins/trainer" "$programs/examples/distill_mnist"
cp "$stand_ins/trainer" "$programs/examples/sweep"
echo 0123abc >"$programs/commit"

STAND_IN_PYTHON=$(python3 -c 'import sys; print(sys.executable)') STAND_IN_TIMEOUT=$(command -v timeout)
export STAND_IN_PYTHON STAND_IN_TIMEOUT STAND_IN_STATE=$state STAND_IN_REAL=$real STAND_IN_FAULT=''
export STAND_IN_GENERATOR=Ninja
export PATH=$bin:$PATH CUDACXX=$bin/nvcc PYTHON=$bin/python3 MNIST_DIR=$digits
unset OUT DEPENDENCIES CUDA_HOME RETORT_LONG_TESTS
checks=0

fail() {
  echo "FAILED: $*" >&2
  tail -n 40 "$folder/said" | sed 's/^/| /' >&2
  exit 1
}

# run ARGUMENTS...: of run_gpu.sh; what it says is left in $folder/said, and its exit code in $code.
run() {
  code=0
  "$copy/tests/run_gpu.sh" "$@" >"$folder/said" 2>&1 </dev/null || code=$?
}

# expect CODE TEXT...: of the last run.
expect() {
  local text
  ((code == $1)) || fail "$what: exit code $code, expected $1"
  for text in "${@:2}"; do
    grep -qF -- "$text" "$folder/said" || fail "$what: \"$text\" is not said"
  done
  checks=$((checks + 1))
}

# never TEXT: the last run does not say it.
never() {
  ! grep -qF -- "$1" "$folder/said" || fail "$what: \"$1\" is said"
}

# with FAULT STEPS CODE TEXT...: these steps with that fault end so. $quick is --quick, or nothing.
quick=''
with() {
  what="$2 with $1"
  STAND_IN_FAULT=$1 run ${quick:+"$quick"} --programs "$programs" --only "$2"
  expect "${@:3}"
}

# good STEPS TEXT...
good() {
  with '' "$1" 0 "${@:2}"
}

# --- All is well ---

# The names of the real tests, where they are built with those of the GPU's backends.
check_real_names() {
  local tests=$real/tests/retort_test_every_backend benchmarks=$real/benchmarks/benchmark_train name
  real_names=no
  if [[ -x $tests ]]; then # Catch2 2 exits with the number of names
    "$tests" --list-test-names-only '*Cuda' >"$state/case_names" 2>/dev/null || true
    if grep -q 'OnCuda$' "$state/case_names"; then
      real_names=yes
    else
      rm "$state/case_names"
    fi
  fi
  if [[ -x $benchmarks ]] && "$benchmarks" --benchmark_list_tests=true 2>/dev/null >"$folder/said" &&
    grep -q /cuda/ "$folder/said"; then
    while IFS= read -r name; do
      grep -qxF "$name" "$folder/said" || fail "benchmark_train has no benchmark $name, of which a figure is rehearsed"
    done < <("$programs/benchmarks/benchmark_train" --benchmark_list_tests=true)
  fi
}

all_steps=(machine tests memcheck racecheck initcheck job sweep benchmarks pytorch points)

whole_flow() {
  local step arguments
  what="the whole flow"
  mkdir "$folder/out"
  OUT=$folder/out run --programs "$programs"
  expect 0 "All ${#all_steps[@]} steps passed." "16 met, 0 missed, 0 not measured" "Retort on NVIDIA H200 (sm_90)" \
    "NVIDIA H200, 580.159.04, 9.0" "programs of 0123abc" "cuda-bf16 %" "the one student is the same beside others"
  for step in "${all_steps[@]}"; do
    grep -q "^## $step: passed, " "$folder/out/results.md" || fail "$what: the report has no passed step $step"
  done
  [[ $(cd "$folder/out" && echo *) == \
    "benchmark_data.json benchmark_nn.json benchmark_train.json results.md torch_gpu.jsonl" ]] ||
    fail "$what: OUT has $(ls "$folder/out")"
  [[ $(sort "$state/sanitized") == "$(for step in initcheck memcheck racecheck; do
    printf "$step %s\n" retort_test_{backend_cuda_graph_device,backend_cuda_runtime,every_backend} sweep
  done)" ]] || fail "under compute-sanitizer ran $(<"$state/sanitized")"
  grep -q '^retort_test_every_backend long:1 ' "$state/tested" || fail "$what: no long test"
  # The five seeds of each backend.
  for step in cuda cuda-cluster cuda-tf32 cuda-bf16 thrust-cuda eigen; do
    [[ $(grep -c "^distill_mnist .*--backend $step --out" "$state/trained") == 5 ]] ||
      fail "$what: not five seeds of $step"
  done
  if [[ $real_names == yes ]]; then
    # What the real program makes of the names that the script has quoted.
    arguments=$(sort -u "$state/asked" | grep -v '^\*Cuda$' | paste -sd ,)
    "$real/tests/retort_test_every_backend" --list-test-names-only "$arguments" >"$folder/names" || true
    cmp "$folder/names" "$state/case_names" || fail "of the quoted names Catch2 does not find all"
  fi
}

quick_flow() {
  rm "$state"/{tested,trained,measured}
  what="the quick flow"
  run --quick --programs "$programs" --results quick.md --jobs 3
  expect 0 "All ${#all_steps[@]} steps passed." "written: quick.md"
  [[ -s $copy/quick.md ]] || fail "$what: no report"
  ! grep -v ' long:0 ' "$state/tested" || fail "$what: long tests"
  ! grep '^distill_mnist' "$state/trained" | grep -v -- '--epochs 2' || fail "$what: long trainings"
  grep -q 'benchmark_train .*repetitions=2 .*min_time=0.05' "$state/measured" || fail "$what: long benchmarks"
  [[ ! -e $state/idle ]] || fail "of a sanitizer's filters these leave no test out: $(sort -u "$state/idle")"
  rm -f "$state/case_names" # fewer tests do from here on
}

# What a host can do of it.
host_flow() {
  what="the flow with --host"
  STAND_IN_FAULT=no-gpu run --host --programs "$programs"
  expect 0 "Nothing failed; " " of ${#all_steps[@]} steps not done." "NOT DONE: no GPU" "PyTorch 2.11.0 on the CPU" \
    "of 2: "
  ! grep -q '^- .*FAILED' "$folder/said" || fail "$what: a step failed"
}

# --- One thing is wrong ---

wrong_tests() {
  local name=retort_test_every_backend
  with retort_test_backend_cuda_runtime-fails tests 1 "failed: tests: retort_test_backend_cuda_runtime" "exit code 1" \
    "Something failed."
  with "$name-fails:bit for bit" tests 1 "error: 2 is not 1" \
    "failed: tests: a training repeats bit for bit - retort::test::OnCuda;" "exit code 1  a training repeats"
  with "$name-ends-early:bit for bit" tests 1 "failed: tests: a training" "exit code 1  a training repeats bit for bit"
  with "$name-killed:bit for bit" tests 1 "failed: tests: a training" "exit code 137  a training repeats bit for bit"
  with "$name-hangs" tests 1 "failed: tests: " "exit code 124  a training repeats bit for bit"
  with retort_test_backend_cuda_graph_device-skips tests 1 "there is a GPU, and tests were skipped for want of one"
  with retort_test_backend_cuda_runtime-hangs tests 1 "failed: tests: retort_test_backend_cuda_runtime" "exit code 124"
}

wrong_sanitizer() {
  local tool
  for tool in memcheck racecheck initcheck; do
    with "$tool-retort_test_every_backend" "$tool" 1 \
      "failed: compute-sanitizer --tool $tool: tests/retort_test_every_backend: exit code 1"
  done
  with memcheck-sweep memcheck 1 "failed: compute-sanitizer --tool memcheck: examples/sweep: exit code 1"
  with racecheck-warning racecheck 1 "examples/sweep: RACECHECK SUMMARY: 1 hazard displayed (0 errors, 1 warning)"
  with initcheck-dies initcheck 1 "examples/sweep: no summary of compute-sanitizer"
  with memcheck-hangs memcheck 1 "examples/sweep ran past 270 s"
  with retort_test_every_backend-fails memcheck 1 "tests/retort_test_every_backend: exit code 1"
  with retort_test_every_backend-ends-early: memcheck 1 "tests/retort_test_every_backend: no test case ran to its end"
  with retort_test_backend_cuda_runtime-skips memcheck 1 "there is a GPU, and tests were skipped for want of one"
  with sweep-fails memcheck 1 "the sweep does not run without compute-sanitizer either"
}

wrong_trainings() {
  local quick=''
  with accuracy:cuda-bf16:-0.006 job 1 "failed: accuracies: cuda-bf16's are more than 0.5 points from eigen's;" "-0.600"
  quick=--quick
  with accuracy:thrust-cuda:0.016 job 1 "failed: accuracies: thrust-cuda's are more than 1.5 points from eigen's;"
  with accuracy:cuda:-0.014 job 0 "-1.400"
  with one-phase job 1 "failed: accuracies: cuda's" # of eigen too, so that none differs
  with distill_mnist-fails:cuda-cluster:0 job 1 "failed: distill_mnist --backend cuda-cluster --seed 0: exit code 1" \
    "illegal memory access"
  with distill_mnist-writes-nothing job 1 "failed: accuracies: cuda's are"
  with distill_mnist-hangs job 1 "failed: distill_mnist --backend cuda --seed 0 ran past 120 s"
  with other-student sweep 1 'failed: the one student is another beside others: "model":'
  with sweep-fails sweep 1 "failed: sweep of one student: exit code 1" "illegal memory access"
  with sweep-hangs sweep 1 "failed: sweep of one student ran past 300 s"
}

wrong_measurements() {
  local step="distillation_step/cached/cuda/batch:64/manual_time"
  with "benchmark-error:$step" benchmarks 1 "failed: benchmark_train: " "CUDA: out of memory"
  with benchmark_nn-does-not-list benchmarks 1 "failed: benchmark_nn does not list its benchmarks: " "libbenchmark.so.1"
  with benchmark_train-hangs benchmarks 1 "failed: benchmark_train ran past 300 s"
  with benchmark_train-crashes benchmarks,points 1 "failed: benchmark_train: exit code 139" \
    "points: "
  never "points: 0.0 s, passed"
  # The points are judged by what other steps left.
  good sanitizer
  with "no-figure:$step" benchmarks,points 0 \
    "batch 64, one block: distillation_step/cached/cuda/batch:64: not measured" \
    "NOT DONE: 13 met, 0 missed, 3 not measured" "1 of 2 steps not done"
  with "slow:$step=15.1" benchmarks,points 1 "one block: 15.1 us, wanted at most 8 us: missed" \
    "FAILED (exit code 1): 15 met, 1 missed, 0 not measured"
  with "slow:sweep/cuda/students:132/manual_time=37.2" benchmarks,points 1 \
    "132 students divided by one: 1.86 times, wanted at most 1.2 times: missed"
  good benchmarks,points "16 met, 0 missed, 0 not measured"
  with other-gpu pytorch,points 0 "PyTorch ran on NVIDIA H100 80GB HBM3, Retort on NVIDIA H200 (sm_90)" \
    "8 met, 0 missed, 8 not measured"
  with no-compiler pytorch 0 "compile, high, teacher, batch 64: skipped: RuntimeError: Cannot find a working triton"
  with torch_gpu-hangs pytorch 1 "failed: torch_gpu.py ran past 480 s"
}

# A tool that is not here. The steps go on.
missing_tools() {
  with no-gpu tests 77 "skipped: no GPU is here"
  with torch-without-cuda pytorch,points 0 "pytorch: " "NOT DONE: skipped: PyTorch finds no CUDA device"
  if ! python3 -c 'import torch' 2>/dev/null; then
    with no-torch pytorch,points 0 "NOT DONE: skipped: python3 has no PyTorch"
  fi
  PYTHON=no-such-python with '' pytorch,points 0 "NOT DONE: no-such-python is not here" "2 of 2 steps not done"
  mv "$bin/compute-sanitizer" "$folder"
  if ! command -v compute-sanitizer >/dev/null; then
    good memcheck,points "NOT DONE: compute-sanitizer is not here" "compute-sanitizer --tool memcheck: NOT DONE: " \
      "15 met, 0 missed, 1 not measured"
  fi
  mv "$folder/compute-sanitizer" "$bin"
  mv "$programs/benchmarks/benchmark_train" "$folder"
  with '' benchmarks 1 "failed: benchmarks/benchmark_train is not built in $programs"
  mv "$folder/benchmark_train" "$programs/benchmarks"
}

# --- Calls one after another ---

# A run that ends amid a step leaves nothing that says the step passed, and the next one has its turn.
killed_run() {
  local process i
  good memcheck "memcheck: " "passed"
  what="a killed run"
  rm -f "$state/hanging"
  printf '#!/bin/sh\nshift\nexec "$@"\n' >"$folder/no_limit"
  chmod +x "$folder/no_limit"
  STAND_IN_FAULT=memcheck-hangs STAND_IN_TIMEOUT=$folder/no_limit setsid "$copy/tests/run_gpu.sh" \
    --programs "$programs" --only memcheck >"$folder/said" 2>&1 </dev/null &
  process=$!
  for ((i = 0; i < 500; ++i)); do
    [[ ! -e $state/hanging ]] || break
    sleep 0.02
  done
  kill -KILL -- "-$process" || fail "$what: it has ended"
  wait "$process" 2>/dev/null || true
  ((i < 500)) || fail "$what: it does not come to compute-sanitizer"
  good points "compute-sanitizer --tool memcheck: not run, wanted no report: not measured" \
    "15 met, 0 missed, 1 not measured"
}

# Of other programs nothing is taken over.
other_programs() {
  good memcheck,points "16 met, 0 missed, 0 not measured"
  echo fedcba9 >"$programs/commit"
  good points "NOT DONE: step benchmarks left no build/gpu/benchmark_train.json"
  good sanitizer,benchmarks "All 4 steps passed."
  good points "8 met, 0 missed, 8 not measured"
  good pytorch,points "16 met, 0 missed, 0 not measured" "All 2 steps passed."
}

# refused TEXT ARGUMENTS...
refused() {
  what="run_gpu.sh ${*:2}"
  run "${@:2}"
  expect 2 "$1"
}

unknown_arguments() {
  local where=(--programs "$programs")
  refused "--fast: expected --quick, --host," "${where[@]}" --fast
  refused "--only: expected a value" "${where[@]}" --only
  refused "--only test: expected machine tests memcheck" "${where[@]}" --only test
  refused "--only build: expected machine tests memcheck" "${where[@]}" --only build
  refused "--jobs 0: expected a whole number from 1" "${where[@]}" --jobs 0
  refused "expected the folder that --build-here made" --programs "$folder/out"
  refused "expected one of the two" "${where[@]}" --build-here
}

# --- A build for a machine with a GPU ---

build_here() {
  local built=$copy/build/gpu-programs
  rm -f "$state/configured"
  what="--build-here"
  STAND_IN_FAULT=no-gpu run --build-here --jobs 2 -- -DEXTRA=1
  expect 0 "All 4 steps passed." "no GPU is used" "Eigen3_DIR /usr/share/eigen3/cmake"
  grep -q -- '-DCMAKE_CUDA_ARCHITECTURES=90-real .*-march=x86-64-v3 .*-DEXTRA=1$' "$state/configured" ||
    fail "$what: configured by $(<"$state/configured")"
  local targets="benchmark_data benchmark_nn benchmark_train distill_mnist retort_test_backend_cuda_graph_device"
  targets+=" retort_test_backend_cuda_runtime retort_test_every_backend sweep"
  grep -qx -- "--build .* --parallel 2 --target $targets -- -k0" "$state/configured" ||
    fail "$what: built by $(<"$state/configured")"
  [[ $(cd "$built" && find . -type f -path './*/*' -perm -u+x | sort) == \
    $(cd "$programs" && find . -type f -path './*/*' -perm -u+x | sort) ]] ||
    fail "$what: it packs other programs than the steps need: $(find "$built")"
  what="--programs with what --build-here made" # true lists no test
  run --programs build/gpu-programs --only machine,tests
  expect 1 "machine: " "no test of every_backend is named *Cuda"

  what="--build-here with make"
  rm -r "$copy/build/gpu"
  STAND_IN_GENERATOR='Unix Makefiles' run --build-here
  expect 0 "All 4 steps passed."
  grep -q -- "--target $targets -- -k\$" "$state/configured" || fail "$what: built by $(<"$state/configured")"
  what="a build with a GPU"
  run --only configure,build
  expect 0 "All 2 steps passed."
  [[ $(tail -n 4 "$state/configured") == *-DCMAKE_CUDA_ARCHITECTURES=90-real*-DRETORT_NATIVE=ON* ]] ||
    fail "$what: configured by $(<"$state/configured")"
  what="a build that fails"
  STAND_IN_FAULT=build-fails run --build-here
  expect 1 "build: " "FAILED (exit code 1): ninja: build stopped" "Something failed."
  rm -r "$copy/build/gpu"
  what="a configuration that fails"
  STAND_IN_FAULT=configure-fails run --build-here
  expect 1 "FAILED (exit code 1): CMake Error: nvcc is not found" "failed: build/gpu is not configured" \
    "failed: tests/retort_test_every_backend is not built"
}

check_real_names
whole_flow
quick_flow
wrong_tests
wrong_sanitizer
wrong_trainings
wrong_measurements
missing_tools
killed_run
other_programs
host_flow
unknown_arguments
build_here

echo "tests/run_gpu.sh is rehearsed: $checks calls ended as they should."
echo "Not run, as stand-ins took their place: nvidia-smi, nvcc, cmake, compute-sanitizer, PyTorch and torch_works.py," \
  "the test programs, benchmark_data, benchmark_nn, benchmark_train. So no kernel ran: no time, no accuracy of" \
  "a GPU's backend and no report of a sanitizer is a real one."
echo "Run with eigen on the CPU in place of each backend of the GPU: distill_mnist, sweep."
if [[ $real_names == no ]]; then
  echo "The names of test cases are made up, as no retort_test_every_backend with those of a GPU is built."
fi

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tests/run_gpu.sh [--quick] [--host] [--only STEP,...] [--jobs N] [--results FILE] [-- CMAKE ARGUMENTS...]
#
# Everything that needs a GPU, in one command, for a machine with a GPU and nvcc; no package registry is needed. The
# steps, each of which goes on after another one failed:
#
#   machine     GPU, driver, compilers
#   configure   Release, CUDA on, for this GPU and this processor, in build/gpu, which is kept between calls
#   build       the programs with CUDA: tests, benchmarks, distill_mnist, sweep
#   tests       all tests on the GPU, the long ones too
#   memcheck, racecheck, initcheck   compute-sanitizer over the operations, short trainings and a short sweep
#   job         distill_mnist --recipe original with cuda, cuda-cluster, thrust-cuda and eigen: accuracies within 0.1 points
#               of eigen's (0.3 after few epochs), those of cuda-tf32 and cuda-bf16 within 0.5
#   sweep       the students of the program sweep on the GPU, 132 at once and one: times, and that one of a seed is
#               the same in both
#   benchmarks  Google Benchmark, times by CUDA events
#   pytorch     the same steps in PyTorch on the same GPU, where python3 (or PYTHON) has it
#   points      what the GPU backend is to reach, each point with its figure: met, missed or not measured. Takes what
#               the steps before it left, also in earlier calls after the same build; fails where one is missed
#
# --only names the steps to do (sanitizer: the three tools; `--only configure,build,tests`), --quick leaves the long
# tests out and shortens the rest, --host needs no GPU: it builds everything and runs what a host can. The report, in
# Markdown, goes to FILE: $OUT/results.md where OUT is set, else build/gpu/results.md. A step that cannot be done here
# (no compute-sanitizer, no PyTorch) is reported as not done, with the reason.
#
# Dependencies come from the prefix DEPENDENCIES, else from .gpu-deps/usr where that is a folder, else from the system.
# To carry them to a machine without a package registry, fill that folder where there is one, on a system as that of the
# machine with the GPU, and copy it beside the sources:
#
#   apt-get download libeigen3-dev libxtensor-dev xtl-dev nlohmann-json3-dev catch2 libcli11-dev libbenchmark-dev \
#     libbenchmark1debian zlib1g-dev
#   for package in *.deb; do dpkg -x "$package" .gpu-deps; done
#
# MNIST comes from where scripts/mnist.sh finds it, else the built-in digits take its place. Arguments after -- go to
# CMake.
#
# Exit code: 0 nothing failed, 1 something did, 2 for arguments it does not know, 77 where there is no GPU or no nvcc.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
repository=$PWD
source scripts/mnist.sh
export PYTHONDONTWRITEBYTECODE=1

all_steps=(machine configure build tests memcheck racecheck initcheck job sweep benchmarks pytorch points)
build=$repository/build/gpu
python=${PYTHON:-python3}

# --- Arguments ---

fail_usage() {
  echo "run_gpu.sh: $*" >&2
  exit 2
}

quick=no
host=no
only=
jobs=
results=
cmake_arguments=()
while (($# > 0)); do
  case $1 in
    --quick) quick=yes ;;
    --host) host=yes ;;
    --only | --jobs | --results)
      (($# > 1)) || fail_usage "$1: expected a value"
      printf -v "${1#--}" '%s' "$2"
      shift
      ;;
    --)
      shift
      cmake_arguments=("$@")
      break
      ;;
    *) fail_usage "$1: expected --quick, --host, --only STEP,..., --jobs N, --results FILE or -- CMAKE ARGUMENTS" ;;
  esac
  shift
done
[[ -z $jobs || $jobs =~ ^[1-9][0-9]*$ ]] || fail_usage "--jobs $jobs: expected a whole number from 1"

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
if [[ -n $nvidia_smi ]] && "$nvidia_smi" -L 2>/dev/null | grep -q '^GPU '; then
  gpu=$("$nvidia_smi" -L | head -n 1)
elif [[ $host == no ]]; then
  echo "run_gpu.sh: skipped: no GPU is here (nvidia-smi lists none); --host builds and runs what needs none"
  exit 77
fi
nvcc=${CUDACXX:-$(find_program nvcc "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" /usr/local/cuda/bin/nvcc)}
if [[ -z $nvcc ]]; then
  echo "run_gpu.sh: skipped: no nvcc is here (PATH, CUDACXX, CUDA_HOME, /usr/local/cuda)"
  exit 77
fi
export CUDACXX=$nvcc
[[ $host == yes ]] && gpu=

if [[ -z ${DEPENDENCIES:-} && -d .gpu-deps/usr ]]; then
  DEPENDENCIES=$repository/.gpu-deps/usr
fi
if [[ -n ${DEPENDENCIES:-} ]]; then
  DEPENDENCIES=$(cd "$DEPENDENCIES" && pwd) || exit 2
fi

if MNIST_DIR=$(find_mnist "$repository"); then
  export MNIST_DIR
  data=$MNIST_DIR
else
  unset MNIST_DIR
  data=synthetic
fi

if [[ -z $jobs ]]; then # a translation unit takes about a gigabyte to compile
  jobs=$(nproc)
  memory_gb=$(awk '/^MemAvailable/ { print int($2 / 1024 / 1024) }' /proc/meminfo)
  if ((memory_gb < jobs)); then
    jobs=$((memory_gb > 0 ? memory_gb : 1))
  fi
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

# require_programs PATH...: those of the build
require_programs() {
  local program
  for program in "$@"; do
    [[ -x $build/$program ]] || failed "build/gpu/$program is not built"
  done
}

step_machine() {
  date -u '+%Y-%m-%d %H:%M UTC'
  git rev-parse --short HEAD 2>/dev/null || true
  uname -srm
  grep -m 1 '^model name' /proc/cpuinfo || true
  echo "$(nproc) cores, $(awk '/^MemTotal/ { print int($2 / 1024 / 1024) }' /proc/meminfo) GiB"
  if [[ -n $gpu ]]; then
    "$nvidia_smi"
    "$nvidia_smi" --query-gpu=name,driver_version,compute_cap,memory.total,clocks.sm,clocks.max.sm,clocks.max.mem --format=csv
  else
    echo "no GPU is used"
  fi
  "$nvcc" --version
  local tool
  for tool in g++ cmake ninja make python3; do
    if command -v "$tool" >/dev/null; then
      "$tool" --version | head -n 1
    else
      echo "$tool: not here"
    fi
  done
  echo "dependencies: ${DEPENDENCIES:-of the system}"
  echo "data: $data"
}

step_configure() {
  local arguments=(-S "$repository" -B "$build" -DCMAKE_BUILD_TYPE=Release -DRETORT_CUDA=ON -DRETORT_THRUST=AUTO
    -DRETORT_BUILD_TESTS=ON -DRETORT_BUILD_EXAMPLES=ON -DRETORT_BUILD_BENCHMARKS=ON -DRETORT_NATIVE=ON)
  if [[ ! -f $build/CMakeCache.txt ]] && command -v ninja >/dev/null; then
    arguments+=(-G Ninja)
  fi
  local architecture=90
  if [[ -n $gpu ]]; then
    architecture=$("$nvidia_smi" --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d '. ')
  fi
  arguments+=("-DCMAKE_CUDA_ARCHITECTURES=$architecture-real")
  local packages=(Eigen3_DIR xtensor_DIR xsimd_DIR nlohmann_json_DIR CLI11_DIR Catch2_DIR benchmark_DIR ZLIB_LIBRARY)
  if [[ -n ${DEPENDENCIES:-} ]]; then
    # What an earlier call found elsewhere is looked for again.
    arguments+=("-DCMAKE_PREFIX_PATH=$DEPENDENCIES" "${packages[@]/#/-U}" -UZLIB_INCLUDE_DIR)
  fi
  if (($(cmake --version | sed -n 's/^cmake version \([0-9]*\).*/\1/p') >= 4)); then
    # CMake 4 refuses packages made for CMake before 3.5.
    arguments+=(-DCMAKE_POLICY_VERSION_MINIMUM=3.5)
  fi
  # An array that may be empty: "${a[@]}" alone is an error in bash before 4.4.
  cmake "${arguments[@]}" ${cmake_arguments[@]+"${cmake_arguments[@]}"}

  local package folder
  for package in "${packages[@]}"; do
    folder=$(sed -n "s/^$package:[A-Z]*=//p" "$build/CMakeCache.txt")
    if [[ -n ${DEPENDENCIES:-} && $folder != "$DEPENDENCIES"/* ]]; then
      folder+="   (not from $DEPENDENCIES)"
    fi
    echo "$package $folder"
  done
}

step_build() {
  [[ -f $build/CMakeCache.txt ]] || failed "build/gpu is not configured"
  local keep_going=-k
  if grep -q '^CMAKE_GENERATOR:INTERNAL=Ninja' "$build/CMakeCache.txt"; then
    keep_going=-k0
  fi
  # What was found out about an earlier build says nothing of this one.
  rm -f "$build"/logs/*.outcome "$build"/benchmark_*.json "$build/torch_gpu.jsonl"
  local targets
  targets=$(cmake --build "$build" --target help |
    sed -En 's/^(\.\.\. )?(retort_test_(every_backend|[a-z_]*cuda[a-z_]*)|benchmark_[a-z]+|distill_mnist|sweep)(:.*)?$/\2/p' |
    sort -u)
  # One name, one argument.
  # shellcheck disable=SC2086
  cmake --build "$build" --parallel "$jobs" --target $targets -- "$keep_going"
}

step_tests() {
  require_programs tests/retort_test_every_backend tests/retort_test_backend_cuda_runtime \
    tests/retort_test_backend_cuda_graph_device
  local own='^backend/cuda/(runtime|[a-z_/]*device)/'
  local pattern="$own|^every_backend/.*Cuda$" limit=540 # not what runs CUDA's kernels on the host
  if [[ -z $gpu ]]; then
    pattern="$own|^every_backend/"
    limit=2400 # CUDA's kernels as plain loops
  elif [[ $quick == no ]]; then
    export RETORT_LONG_TESTS=1
  fi
  timeout "$limit" ctest --test-dir "$build" --parallel "$jobs" --output-on-failure --no-tests=error -R "$pattern"
  if [[ -n $gpu ]] && grep -q 'skipped: no CUDA device' "$build/Testing/Temporary/LastTest.log"; then
    grep -m 1 'skipped: no CUDA device' "$build/Testing/Temporary/LastTest.log"
    failed "there is a GPU, and tests were skipped for want of one"
  fi
}

# sanitize TOOL PROGRAM ARGUMENTS...
# The program below build/gpu under a tool of compute-sanitizer; appends to its log, and sets `found` to the output.
sanitize() {
  local tool=$1 program=$2 status=0
  shift 2
  require_programs "$program"
  echo "--- $program $*" | tee -a "$log"
  timeout 150 "$sanitizer" --tool "$tool" --error-exitcode 1 --print-limit 30 "$build/$program" "$@" \
    >"$log.part" 2>&1 || status=$?
  tee -a "$log" <"$log.part"
  found=$(<"$log.part")
  rm "$log.part"
  ((status != 124)) || failed "compute-sanitizer --tool $tool $program ran past 150 s"
  ((status == 0)) || failed "compute-sanitizer --tool $tool $program: exit code $status"
  grep -Eq 'SUMMARY: 0 (errors|hazards)' <<<"$found" || failed "no summary of compute-sanitizer for $program"
}

# sanitize_tests TOOL PROGRAM CASES...
sanitize_tests() {
  sanitize "$@"
  if grep -q 'skipped: no CUDA device' <<<"$found"; then
    failed "$2: nothing ran on the GPU"
  fi
  # Catch2 also ends well where no name matches.
  grep -Eq '^All tests passed \([1-9][0-9]* assertions? in [1-9][0-9]* test cases?\)' <<<"$found" ||
    failed "$2: no test case ran to its end"
}

# sanitizer TOOL
# All operations on both backends of the GPU, three recipes of training for two epochs of 16 batches, twice; the tests
# that need a device of the CUDA backend's own parts, among them its products and its recorded steps; and four students
# of a sweep at once, for an epoch each.
sanitizer() {
  [[ -n $gpu ]] || not_done "no GPU"
  local sanitizer found log=$build/sanitizer_$1.txt program
  sanitizer=$(find_program compute-sanitizer "${nvcc%/*}/compute-sanitizer" \
    "${nvcc%/*}/../compute-sanitizer/compute-sanitizer") || not_done "compute-sanitizer is not here"
  : >"$log"
  local cases=('*Cuda' '~*weights follow*' '~*short distillation*')
  if [[ $quick == yes ]]; then
    cases+=('~*training repeats*')
  fi
  sanitize_tests "$1" tests/retort_test_every_backend "${cases[@]}"
  for program in "$build"/tests/retort_test_backend_cuda_*device; do
    sanitize_tests "$1" "${program#"$build"/}" '[device]'
  done
  # The teacher is trained outside: its steps are among the tests.
  local arguments=(--backend cuda --data synthetic --epochs 1 --quiet)
  "$build/examples/sweep" "${arguments[@]}" --teacher-epochs 1 --temperature 1 --seeds 1 \
    --out "$build/sanitizer_sweep" --overwrite || failed "the sweep does not run without compute-sanitizer either"
  sanitize "$1" examples/sweep "${arguments[@]}" --teacher "$build/sanitizer_sweep/teacher.safetensors" \
    --temperature 1 4 --seeds 2
}
step_memcheck() { sanitizer memcheck; }
step_racecheck() { sanitizer racecheck; }
step_initcheck() { sanitizer initcheck; }

# compare_accuracies LOG LOG POINTS
# The last accuracy of each phase in two logs, and by how many points they differ; fails above POINTS.
compare_accuracies() {
  awk -v limit="$3" '
    function field(name) {
      return match($0, "\"" name "\":\"?[^,\"}]*") ? substr($0, RSTART, RLENGTH) : ""
    }
    {
      phase = field("phase"); sub(/.*:"/, "", phase)
      accuracy = field("accuracy"); sub(/.*:/, "", accuracy)
      found[FILENAME, phase] = 100 * accuracy
      if (!(phase in seen)) { seen[phase] = 1; phases[++count] = phase }
    }
    END {
      printf "%-10s %10s %10s %10s\n", "", "first %", "second %", "apart"
      for (i = 1; i <= count; ++i) {
        phase = phases[i]
        if (!((ARGV[1], phase) in found) || !((ARGV[2], phase) in found)) {
          print phase ": only in one of the logs"; wrong = 1; continue
        }
        difference = found[ARGV[1], phase] - found[ARGV[2], phase]
        printf "%-10s %10.3f %10.3f %+10.3f\n", phase, found[ARGV[1], phase], found[ARGV[2], phase], difference
        if (difference > limit + 1e-9 || difference < -limit - 1e-9) wrong = 1
      }
      exit wrong || count != 3
    }' "$1" "$2"
}

step_job() {
  local program=$build/examples/distill_mnist backends=(cuda cuda-cluster thrust-cuda cuda-tf32 cuda-bf16) backend started limit
  local exact_limit=0.1
  local apart=()
  require_programs examples/distill_mnist
  local arguments=(--recipe original --data "$data")
  if [[ $quick == yes || -z $gpu ]]; then
    exact_limit=0.3 # after few epochs other roundings are further apart
    arguments+=(--teacher-epochs 1 --epochs 2)
  fi
  if [[ -z $gpu ]]; then
    backend=$("$program" --help | sed -n 's/^ *\(thrust-[a-z]*\) is compiled in$/\1/p' | grep -v cuda | tail -n 1)
    [[ -n $backend ]] || not_done "no GPU, and no Thrust system of the host is compiled in"
    backends=("$backend")
  fi
  for backend in eigen "${backends[@]}"; do
    started=$EPOCHREALTIME
    timeout 300 "$program" "${arguments[@]}" --backend "$backend" --out "$build/job/$backend" --overwrite
    awk -v name="$backend" -v from="$started" -v to="$EPOCHREALTIME" \
      'BEGIN { printf "%s: %.2f s from start to table\n\n", name, to - from }'
  done
  for backend in "${backends[@]}"; do
    case $backend in
      *-tf32 | *-bf16) limit=0.5 ;;
      *) limit=$exact_limit ;;
    esac
    echo "held-out accuracy, $backend and eigen, on $data:"
    compare_accuracies "$build/job/$backend/metrics.jsonl" "$build/job/eigen/metrics.jsonl" "$limit" ||
      apart+=("$backend's are more than $limit points from eigen's")
  done
  ((${#apart[@]} == 0)) || failed "accuracies: $(printf '%s; ' "${apart[@]}")"
}

# The seconds that a sweep's students trained, all at once: of every one of them, or of the one there is.
sweep_seconds() {
  sed -n '1s/.*"seconds":\([^,}]*\).*/\1/p' "$1"
}

# Without a GPU on the CPU, where students train one beside the other, two of them and briefly.
step_sweep() {
  local program=$build/examples/sweep out=$build/sweep expected
  require_programs examples/sweep
  local arguments=(--data "$data" --backend cuda) many=(--temperature 1 2 4 --hard-weight 0.3 0.7 --seeds 22)
  if [[ $quick == yes || -z $gpu ]]; then
    arguments+=(--epochs 2)
  fi
  if [[ -z $gpu ]]; then
    arguments+=(--backend eigen)
    many=(--temperature 1 4 --hard-weight 0.3 --seeds 1)
  fi
  local teacher=()
  if [[ $quick == yes || -z $gpu ]]; then
    teacher=(--teacher-epochs 1)
  fi
  rm -rf "$out"
  timeout 300 "$program" "${arguments[@]}" ${teacher[@]+"${teacher[@]}"} --temperature 4 --hard-weight 0.3 --seeds 1 \
    --out "$out/one"
  timeout 300 "$program" "${arguments[@]}" --teacher "$out/one/teacher.safetensors" "${many[@]}" --out "$out/many"

  expected=$(sed 's/^{"student":[0-9]*,//; s/,"seconds":.*//' "$out/one/runs.jsonl")
  grep -Fq "$expected," "$out/many/runs.jsonl" || failed "the one student is another beside others: $expected"
  echo "the one student is the same beside others: $expected"
  awk -v students="$(wc -l <"$out/many/runs.jsonl")" -v many="$(sweep_seconds "$out/many/runs.jsonl")" \
    -v one="$(sweep_seconds "$out/one/runs.jsonl")" 'BEGIN {
      printf "epochs of one student: %.3f s, of %d: %.3f s, %.2f times as long\n", one, students, many, many / one
    }'
}

step_benchmarks() {
  local filter='/(thrust-cuda|cuda|cuda-cluster|cuda-tf32|cuda-bf16)/' repetitions=5 time=0.2 program name ran=no
  if [[ -z $gpu ]]; then
    filter='<Student>/(eigen|thrust-cuda|cuda)/|^sweep/cuda/'
  fi
  if [[ $quick == yes || -z $gpu ]]; then
    repetitions=2
    time=0.05
  fi
  for program in "$build"/benchmarks/benchmark_*; do
    [[ -x $program && ! -d $program ]] || continue
    "$program" "--benchmark_filter=$filter" --benchmark_list_tests=true 2>/dev/null | grep -q . || continue
    name=${program##*/}
    timeout 300 "$program" "--benchmark_filter=$filter" "--benchmark_repetitions=$repetitions" \
      "--benchmark_min_time=$time" --benchmark_report_aggregates_only=true \
      "--benchmark_out=$build/$name.json" --benchmark_out_format=json
    if [[ -n $gpu ]] && grep -q '"error_occurred": true' "$build/$name.json"; then
      failed "$name: $(grep -m 1 '"error_message"' "$build/$name.json")"
    fi
    ran=yes
  done
  [[ $ran == yes ]] || failed "no benchmark is built, or none has $filter in its name"
}

step_pytorch() {
  command -v "$python" >/dev/null || not_done "$python is not here"
  local arguments=(--json "$build/torch_gpu.jsonl")
  if [[ -z $gpu ]]; then
    arguments+=(--device cpu)
  fi
  if [[ $quick == yes ]]; then
    arguments+=(--repeats 5)
  fi
  if [[ -f $build/benchmark_train.json ]]; then
    arguments+=(--retort "$build/benchmark_train.json")
  fi
  # Most of it is torch.compile, for some seconds each of nine works.
  timeout 480 "$python" benchmarks/peers/torch_gpu.py "${arguments[@]}"
}

step_points() {
  [[ -n $gpu ]] || not_done "no GPU"
  command -v "$python" >/dev/null || not_done "$python is not here"
  [[ -f $build/benchmark_train.json ]] || not_done "step benchmarks left no build/gpu/benchmark_train.json"
  local arguments=(--retort "$build/benchmark_train.json") tool outcome
  if [[ -f $build/torch_gpu.jsonl ]]; then
    arguments+=(--torch "$build/torch_gpu.jsonl")
  fi
  for tool in memcheck racecheck initcheck; do
    outcome="not run"
    if [[ -f $build/logs/$tool.outcome ]]; then
      outcome=$(<"$build/logs/$tool.outcome")
    fi
    arguments+=(--sanitizer "$tool=$outcome")
  done
  "$python" benchmarks/peers/gpu_points.py "${arguments[@]}"
}

# --- Running them ---

mkdir -p "$build/logs" || exit 1
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
  for file in "$build"/benchmark_*.json "$build/torch_gpu.jsonl"; do
    [[ -f $file ]] && cp "$file" "$OUT"
  done
fi
exit "$code"

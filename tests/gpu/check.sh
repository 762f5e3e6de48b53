# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# Sourced by tests/run_gpu.sh: the steps that run the tests, by themselves and under compute-sanitizer.

# list_cases PROGRAM PATTERN: the names of its test cases, one a line, as Catch2 2 or 3 lists them. Catch2 2 exits with
# their number.
list_cases() {
  local names
  names=$("$1" --list-test-names-only "$2" 2>/dev/null || true)
  [[ -n $names ]] || names=$("$1" --list-tests --verbosity quiet "$2" 2>/dev/null || true)
  sed '/^$/d' <<<"$names"
}

# require_device LOG: fails where a test was skipped although there is a GPU.
require_device() {
  if [[ -n $gpu ]] && grep -m 1 'skipped: no CUDA device' "$1"; then
    failed "there is a GPU, and tests were skipped for want of one"
  fi
}

# The CUDA backend's own tests one after another, as one of them compares times of the device; then those of every
# backend, each in a process of its own, as most of their time is the reference's on the host.
step_tests() {
  require_programs "${device_tests[@]}" tests/retort_test_every_backend
  local folder=$build/tests-run program name number=0 status=0 wrong=()
  local cases='*Cuda' limit=240
  if [[ -z $gpu ]]; then
    cases='*' # CUDA's kernels as plain loops
    limit=1200
  elif [[ $quick == no ]]; then
    export RETORT_LONG_TESTS=1
  fi
  rm -rf "$folder"
  mkdir -p "$folder"
  for program in "${device_tests[@]}"; do
    name=${program##*/}
    status=0
    timeout "$limit" "$programs/$program" >"$folder/$name" 2>&1 || status=$?
    echo "$name: $(tail -n 2 "$folder/$name" | head -n 1), exit code $status"
    ((status == 0 || status == 77)) || wrong+=("$name")
  done

  program=$programs/tests/retort_test_every_backend
  list_cases "$program" "$cases" >"$folder/names" || true
  [[ -s $folder/names ]] || failed "no test of every_backend is named $cases"
  # Catch2 reads [, ] and a comma as its own.
  while IFS= read -r name; do
    number=$((number + 1))
    printf '%s\0' "$folder/$number" "$name" "$(sed 's/[][,\\]/\\&/g' <<<"$name")"
  done <"$folder/names" >"$folder.arguments"
  xargs -0 -n 3 -P "${jobs:-$(nproc)}" bash -c '
      started=$EPOCHREALTIME status=0
      timeout "$0" "$1" "$4" >"$2" 2>&1 || status=$?
      if ((status == 0)) && ! grep -q "^All tests passed" "$2"; then status=1; fi
      seconds=$(awk -v from="$started" -v to="$EPOCHREALTIME" "BEGIN { printf \"%7.2f\", to - from }")
      echo "$seconds s  exit code $status  $3" >"$2.outcome"' \
    "$limit" "$program" <"$folder.arguments"
  sort -k 5,5 -k 6 "$folder"/*.outcome
  while IFS= read -r name; do
    wrong+=("$(sed 's/.* exit code [0-9]*  //' "$name")")
    cat "${name%.outcome}"
  done < <(grep -LE 'exit code (0|77) ' "$folder"/*.outcome)
  ((number == $(find "$folder" -name '*.outcome' | wc -l))) || wrong+=("some did not run")
  cat "$folder"/* >"$folder.log"
  ((${#wrong[@]} == 0)) || failed "tests:$(printf ' %s;' "${wrong[@]}")"
  require_device "$folder.log"
}

# sanitize PROGRAM ARGUMENTS...
# The program under $tool of compute-sanitizer; its output goes to a log of its own, a line that says what is wrong, if
# anything is, to standard output.
sanitize() {
  local program=$1 status=0 summary output=$build/logs/$tool.${1##*/} options=()
  shift
  case $tool in
    # Tests provoke errors of CUDA's functions on purpose: only kernels are judged.
    memcheck) options=(--report-api-errors no) ;;
    # cuBLAS's own kernels take this tool minutes.
    racecheck) options=(--kernel-name kernel_substring=retort) ;;
  esac
  timeout 270 "$sanitizer" --tool "$tool" ${options[@]+"${options[@]}"} --error-exitcode 1 --print-limit 30 \
    "$programs/$program" "$@" >"$output" 2>&1 || status=$?
  if ((status == 124)); then
    echo "$program ran past 270 s"
  elif ((status != 0)); then
    echo "$program: exit code $status"
  elif ! summary=$(grep -m 1 -o '[A-Z]* *SUMMARY: .*' "$output"); then
    echo "$program: no summary of compute-sanitizer"
  elif [[ ! $summary =~ SUMMARY:\ 0\ (errors|hazards) ]]; then
    echo "$program: $summary" # hazards that racecheck calls warnings leave the exit code alone
  elif [[ $program == tests/* ]] &&
    ! grep -Eq '^All tests passed \([1-9][0-9]* assertions? in [1-9][0-9]* test cases?\)' "$output"; then
    echo "$program: no test case ran to its end" # Catch2 also ends well where no name matches
  fi
}

# noise_idx FOLDER COUNT: images of noise as MNIST's files have them, so many to train on and to test with.
noise_idx() {
  local name count
  printf -v count '\\x%02x\\x%02x' $(($2 / 256)) $(($2 % 256))
  mkdir -p "$1"
  for name in train t10k; do
    {
      printf '\x00\x00\x08\x03\x00\x00%b\x00\x00\x00\x1c\x00\x00\x00\x1c' "$count"
      head -c $((784 * $2)) /dev/urandom
    } >"$1/$name-images-idx3-ubyte"
    {
      printf '\x00\x00\x08\x01\x00\x00%b' "$count"
      head -c "$2" /dev/zero
    } >"$1/$name-labels-idx1-ubyte"
  done
}

# sanitizer TOOL
# All operations on both backends of the GPU, three recipes of training for two epochs of 16 batches, twice; the tests
# that need a device of the CUDA backend's own parts, among them its products and its recorded steps; and two students
# of a sweep at once, for an epoch of 8 batches each. One program after another: a tool's shadow of a program's memory
# takes nearly all of the device's.
sanitizer() {
  [[ -n $gpu ]] || not_done "no GPU"
  local tool=$1 sanitizer program wrong cases=('*Cuda' '~*weights follow*' '~*short distillation*')
  sanitizer=$(find_program compute-sanitizer "${nvcc%/*}/compute-sanitizer" \
    "${nvcc%/*}/../compute-sanitizer/compute-sanitizer") || not_done "compute-sanitizer is not here"
  require_programs tests/retort_test_every_backend "${device_tests[@]}" examples/sweep
  if [[ $quick == yes ]]; then
    cases+=('~*training repeats*')
  fi
  # The teacher is trained outside: its steps are among the tests.
  local noise=$build/noise teacher=$build/sanitizer_teacher
  noise_idx "$noise" 512
  local arguments=(--backend cuda --data "$noise" --split official --epochs 1 --quiet)
  "$programs/examples/sweep" "${arguments[@]}" --teacher-epochs 1 --temperature 1 --seeds 1 --out "$teacher" \
    --overwrite || failed "the sweep does not run without compute-sanitizer either"
  rm -f "$build/logs/$tool."retort_test_* "$build/logs/$tool.sweep"
  local runs=(
    "tests/retort_test_every_backend ${cases[*]@Q}"
    "examples/sweep ${arguments[*]@Q} --teacher '$teacher/teacher.safetensors' --temperature 1 4 --seeds 1"
  )
  for program in "${device_tests[@]}"; do
    runs+=("$program '[device]'")
  done
  wrong=$(for program in "${runs[@]}"; do eval "sanitize $program"; done)
  for program in "$build/logs/$tool."retort_test_* "$build/logs/$tool.sweep"; do
    echo "--- ${program##*/}"
    cat "$program"
    require_device "$program"
  done
  [[ -z $wrong ]] || failed "compute-sanitizer --tool $tool: ${wrong//$'\n'/; }"
}
step_memcheck() { sanitizer memcheck; }
step_racecheck() { sanitizer racecheck; }
step_initcheck() { sanitizer initcheck; }

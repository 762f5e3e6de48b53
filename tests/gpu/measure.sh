# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# Sourced by tests/run_gpu.sh: the steps that measure.

step_benchmarks() {
  local filter='/(thrust-cuda|cuda|cuda-cluster|cuda-tf32|cuda-bf16)/' repetitions=5 time=0.2 program name list ran=no
  if [[ -z $gpu ]]; then
    filter='<Student>/(eigen|thrust-cuda|cuda)/|^sweep/cuda/'
  fi
  if [[ $quick == yes || -z $gpu ]]; then
    repetitions=2
    time=0.05
  fi
  require_programs benchmarks/benchmark_train # of which step points judges the figures
  for program in "$programs"/benchmarks/benchmark_*; do
    [[ -x $program && ! -d $program ]] || continue
    name=${program##*/}
    list=$("$program" "--benchmark_filter=$filter" --benchmark_list_tests=true 2>"$build/logs/$name.list") ||
      failed "$name does not list its benchmarks: $(tail -n 1 "$build/logs/$name.list")"
    [[ -n $list ]] || continue
    limited 300 "$name" "$program" "--benchmark_filter=$filter" "--benchmark_repetitions=$repetitions" \
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
  limited 480 torch_gpu.py "$python" benchmarks/peers/torch_gpu.py "${arguments[@]}"
  beside_jax
}

# The same steps in JAX where it finds the device: each one compiled function that Python calls, epochs by the clock.
beside_jax() {
  local platform=cuda student=750 teacher=11
  if [[ -z $gpu ]]; then
    platform=cpu student=4 teacher=1
  fi
  if ! JAX_PLATFORMS=$platform "$python" -c 'import jax; jax.devices()' 2>/dev/null; then
    echo "JAX: left out, $python has none for $platform"
    return
  fi
  printf '%s\n' "train ReLU-20 64 $student" "distillation cached 64 $student" "distillation online 64 $student" \
    "train Dropout-ReLU-1200 64 $student" "train Dropout-ReLU-1200 4096 $teacher" >"$build/jax_cells"
  JAX_PLATFORMS=$platform limited 120 jax_cells.py "$python" benchmarks/peers/jax_cells.py --cells "$build/jax_cells" \
    --benchmark_min_time 0.5 --benchmark_out "$build/jax.json"
  "$python" - "$build/jax_cells" "$build/jax.json" <<'END'
import json, sys
steps = [int(line.split()[3]) for line in open(sys.argv[1])]
for run, count in zip(json.load(open(sys.argv[2]))["benchmarks"], steps):
    print(f"JAX, {run['name']}: {run['real_time'] / 1e3 / count:.4g} us a step")
END
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

# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# Sourced by tests/run_gpu.sh: the steps that train with the example programs.

# compare_accuracies BACKEND POINTS
# The last accuracy of each phase with the backend and with eigen, means over the seeds of build/gpu/job, and by how
# many points they differ; fails above POINTS.
compare_accuracies() {
  awk -v backend="$1" -v limit="$2" '
    function field(name) {
      return match($0, "\"" name "\":\"?[^,\"}]*") ? substr($0, RSTART, RLENGTH) : ""
    }
    FNR == 1 {
      parts = split(FILENAME, part, "/")
      which = part[parts - 2]
      ++runs[which]
    }
    {
      phase = field("phase"); sub(/.*:"/, "", phase)
      accuracy = field("accuracy"); sub(/.*:/, "", accuracy)
      last[which, runs[which], phase] = 100 * accuracy
      if (!(phase in seen)) { seen[phase] = 1; phases[++count] = phase }
    }
    function mean(which, phase,    run, sum) {
      for (run = 1; run <= runs[which]; ++run) sum += last[which, run, phase]
      return sum / runs[which]
    }
    END {
      printf "%-10s %12s %10s %10s   of %d seeds\n", "", backend " %", "eigen %", "apart", runs["eigen"]
      if (runs[backend] != runs["eigen"]) { print "other seeds"; exit 1 }
      for (i = 1; i <= count; ++i) {
        phase = phases[i]
        difference = mean(backend, phase) - mean("eigen", phase)
        printf "%-10s %12.3f %10.3f %+10.3f\n", phase, mean(backend, phase), mean("eigen", phase), difference
        if (difference > limit + 1e-9 || difference < -limit - 1e-9) wrong = 1
      }
      exit wrong || count != 3
    }' "$build/job/eigen"/*/metrics.jsonl "$build/job/$1"/*/metrics.jsonl
}

# Two roundings of one seed end up to a third of a point apart, the mean over five seeds is steadier.
step_job() {
  local program=$programs/examples/distill_mnist backends=(cuda cuda-cluster thrust-cuda cuda-tf32 cuda-bf16)
  local backend started seed seeds=5 limit=0.5 apart=()
  require_programs examples/distill_mnist
  local arguments=(--recipe original --data "$data" --quiet)
  if [[ $quick == yes || -z $gpu ]]; then
    seeds=1
    limit=1.5 # after few epochs
    arguments+=(--teacher-epochs 1 --epochs 2)
  fi
  if [[ -z $gpu ]]; then
    backend=$("$program" --help | sed -n 's/^ *\(thrust-[a-z]*\) is compiled in$/\1/p' | sed "/cuda/d" | tail -n 1)
    [[ -n $backend ]] || not_done "no GPU, and no Thrust system of the host is compiled in"
    backends=("$backend")
  fi
  rm -rf "$build/job"
  for backend in "${backends[@]}" eigen; do
    for ((seed = 0; seed < seeds; ++seed)); do
      started=$EPOCHREALTIME
      (limited 120 "distill_mnist --backend $backend --seed $seed" "$program" "${arguments[@]}" --seed "$seed" \
        --backend "$backend" --out "$build/job/$backend/$seed") >"$build/logs/job.$backend" || {
        cat "$build/logs/job.$backend"
        exit 1
      }
      awk -v name="$backend, seed $seed" -v from="$started" -v to="$EPOCHREALTIME" \
        'BEGIN { printf "%s: %.2f s from start to table\n", name, to - from }'
    done
    cat "$build/logs/job.$backend"
  done
  for backend in "${backends[@]}"; do
    echo "held-out accuracy on $data:"
    compare_accuracies "$backend" "$limit" || apart+=("$backend's are more than $limit points from eigen's")
  done
  ((${#apart[@]} == 0)) || failed "accuracies: $(printf '%s; ' "${apart[@]}")"
}

# The seconds that a sweep's students trained, all at once: of every one of them, or of the one there is.
sweep_seconds() {
  sed -n '1s/.*"seconds":\([^,}]*\).*/\1/p' "$1"
}

# Without a GPU on the CPU, where students train one beside the other, two of them and briefly.
step_sweep() {
  local program=$programs/examples/sweep out=$build/sweep expected
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
  limited 300 "sweep of one student" "$program" "${arguments[@]}" ${teacher[@]+"${teacher[@]}"} \
    --temperature 4 --hard-weight 0.3 --seeds 1 --out "$out/one"
  limited 300 "sweep of many students" "$program" "${arguments[@]}" --teacher "$out/one/teacher.safetensors" \
    "${many[@]}" --out "$out/many"

  expected=$(sed 's/^{"student":[0-9]*,//; s/,"seconds":.*//' "$out/one/runs.jsonl")
  grep -Fq "$expected," "$out/many/runs.jsonl" || failed "the one student is another beside others: $expected"
  echo "the one student is the same beside others: $expected"
  awk -v students="$(wc -l <"$out/many/runs.jsonl")" -v many="$(sweep_seconds "$out/many/runs.jsonl")" \
    -v one="$(sweep_seconds "$out/one/runs.jsonl")" 'BEGIN {
      printf "epochs of one student: %.3f s, of %d: %.3f s, %.2f times as long\n", one, students, many, many / one
    }'
}

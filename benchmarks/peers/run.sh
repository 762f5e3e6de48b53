#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# benchmarks/peers/run.sh [--rounds N] [--threads 1|2] [--cells FILTER] [--output FILE]
#
# Retort's Eigen backend beside libtorch, dlib, JAX and onnxruntime on the same work, and the cores' own peak: the cells
# of cells.txt, or those whose KIND/MODEL/BATCH the regular expression FILTER finds. The programs take turns at each line
# of cells.txt, in N rounds (5); two tables have the medians. Every program has as many threads as cores, one (or two),
# and may use no other cores. libtorch is PyPI's (python3 -m pip install torch) or Debian's (apt-get install
# libtorch-dev), the newer one first; dlib is Debian's (apt-get install libdlib-dev); JAX and onnxruntime are PyPI's
# (python3 -m pip install jax onnxruntime onnx); what is not there is left out.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$here/../..

rounds=5 threads=1 filter='' output=
usage() {
  echo "run.sh: $*; usage: benchmarks/peers/run.sh [--rounds N] [--threads 1|2] [--cells FILTER] [--output FILE]" >&2
  exit 2
}
while (($# > 0)); do
  case $1 in
    --rounds) rounds=${2:-} && shift ;;
    --threads) threads=${2:-} && shift ;;
    --cells) filter=${2:-} && shift && [[ -n $filter ]] || usage "--cells: expected a regular expression" ;;
    --output) output=${2:-} && shift && [[ -n $output ]] || usage "--output: expected a file" ;;
    *) usage "unknown option $1" ;;
  esac
  shift || usage "an option lacks its value"
done
[[ $rounds =~ ^[1-9][0-9]{0,3}$ ]] || usage "--rounds: '$rounds', expected a whole number from 1 to 9999"
[[ $threads =~ ^[12]$ ]] || usage "--threads: '$threads', expected 1 or 2"
# Before minutes of measuring, not after them.
[[ -z $output || (! -d $output && -w $(dirname "$output")) ]] || usage "--output: cannot write $output"

# Of each cell "KIND MODEL BATCH STEPS", of each turn "KIND MODEL".
cells=() turns=()
while read -r kind model sizes; do
  for size in $sizes; do
    status=0
    [[ $kind/$model/${size%x*} =~ $filter ]] || status=$?
    ((status < 2)) || usage "--cells: '$filter', expected a regular expression"
    if ((status == 0)); then
      cells+=("$kind $model ${size/x/ }")
      turns+=("$kind $model")
    fi
  done
done < <(grep -v '^#' "$here/cells.txt")
((${#cells[@]} > 0)) || usage "--cells: '$filter' finds no KIND/MODEL/BATCH of benchmarks/peers/cells.txt"
mapfile -t turns < <(printf '%s\n' "${turns[@]}" | uniq)

source "$here/../libtorch.sh"
source "$here/../replace_file.sh"
source "$repository/scripts/lock.sh"
source "$repository/scripts/packages.sh"
hold_lock benchmarks/peers/run.sh "$repository/build/peers.lock"
install_missing g++ pkg-config libbenchmark-dev libeigen3-dev libxtensor-dev libxsimd-dev zlib1g-dev \
  python3 >&2
export PYTHONDONTWRITEBYTECODE=1
build=$repository/build/peers
results=$build/results
rm -rf "$results"
mkdir -p "$results"
printf '%s\n' "${cells[@]}" >"$results/cells"
flags=(-O3 -march=native -DNDEBUG)
libraries=(-lbenchmark -lz -pthread)

compile() { # NAME SOURCE FLAGS...: anew where a source or header is newer, or the command another one
  local command=(g++ "${flags[@]}" "$2" "${@:3}" -o "$build/$1")
  if [[ ! -x $build/$1 || $(cat "$build/$1.command" 2>/dev/null) != "${command[*]}" ||
    -n $(find "$repository/include" "$repository/benchmarks" -newer "$build/$1" -name '*pp' -print -quit) ]]; then
    echo "building $1" >&2
    rm -f "$build/$1"
    "${command[@]}" 2>"$build/$1.log" && echo "${command[*]}" >"$build/$1.command"
  fi
}
compile_ours() {
  compile "$@" || {
    cat "$build/$1.log" >&2
    exit 1
  }
}
read -ra eigen < <(pkg-config --cflags eigen3)
ours=(-std=c++20 -I "$repository/include" -I "$repository/benchmarks" "${eigen[@]}")
compile_ours peak "$here/peak.cpp" "${ours[@]}" -lbenchmark_main "${libraries[@]}"
compile_ours retort "$here/retort.cpp" "${ours[@]}" "${libraries[@]}"

peers=()
add_peer() { # NAME FLAGS...: 1 where there can be no such program
  if compile "$1" "$here/$1.cpp" -std=c++20 -I "$repository/benchmarks" "${@:2}" "${libraries[@]}" &&
    "$build/$1" --version >"$build/$1.version" 2>>"$build/$1.log"; then
    peers+=("$1")
  else
    echo "$1: found, but its program could not be built or started (see build/peers/$1.log)" >&2
    return 1
  fi
}

torch_found=no
while read -r version folder; do
  torch_found=yes
  set_libtorch_flags "$folder"
  if add_peer libtorch "${libtorch_flags[@]}" "${libtorch_libraries[@]}"; then
    break
  fi
  echo "libtorch: $version in $folder left out" >&2
done < <(find_libtorch)
[[ $torch_found == yes ]] ||
  echo "libtorch: not found (python3 -m pip install torch, or apt-get install libtorch-dev); left out" >&2

if dlib=$(pkg-config --cflags --libs dlib-1 2>/dev/null); then
  read -ra dlib_flags <<<"$dlib"
  add_peer dlib "${dlib_flags[@]}" || echo "dlib: left out" >&2
else
  echo "dlib: not found (apt-get install libdlib-dev); left out" >&2
fi

# program NAME ARGUMENTS...
program() {
  if [[ -e $here/$1_cells.py ]]; then
    python3 "$here/$1_cells.py" "${@:2}"
  else
    "$build/$1" "${@:2}"
  fi
}
for peer in jax onnxruntime; do
  status=0
  program "$peer" --version >"$build/$peer.version" 2>"$build/$peer.log" || status=$?
  case $status in
    0) peers+=("$peer") ;;
    77) echo "$peer: $(<"$build/$peer.version"); left out" >&2 ;;
    *) echo "$peer: found, but it could not be started (see build/peers/$peer.log); left out" >&2 ;;
  esac
done

# The libraries' files say more than the names they are linked by: which BLAS libblas.so.3 is, and its version.
blas_of() { # PROGRAM
  local path names=()
  while read -r path; do
    path=$(readlink -f "$path")
    names+=("$(basename "$(dirname "$path")")/$(basename "$path")")
  done < <(ldd "$1" | sed -nE 's/^\s*lib(blas|cblas|openblas|mkl|blis)[^ ]* => ([^ ]+).*/\2/p' | sort -u)
  echo "${names[*]:-none linked by name}"
}

# How idle threads wait is each peer's own default: OMP_WAIT_POLICY=PASSIVE makes two threads of PyPI's libtorch 3.5 to 5
# times slower. The BLAS of Debian's dlib, OpenBLAS with threads of its own, takes no notice of it.
unset OMP_WAIT_POLICY XLA_FLAGS JAX_PLATFORMS
settings=("OMP_NUM_THREADS=$threads" "OPENBLAS_NUM_THREADS=$threads")
export "${settings[@]}"
# JAX has no other limit to its threads than the cores that it may use.
cores=$(python3 -c 'import os, sys; print(*sorted(os.sched_getaffinity(0))[-int(sys.argv[1]):], sep=",")' "$threads")
[[ $threads == 1 || $cores == *,* ]] || usage "--threads: '$threads', but there is one core"
taskset -cp "$cores" $$ >/dev/null

measure() { # NAME ROUND.TURN ARGUMENTS...: into NAME.ROUND.TURN.json, if the program has any of it
  program "$1" "${@:3}" --benchmark_min_time=0.2 "--benchmark_out=$results/$1.$2.json" >/dev/null \
    2>"$results/errors" || {
    cat "$results/errors" >&2
    echo "run.sh: $1 failed" >&2
    exit 1
  }
}

for ((round = 1; round <= rounds; ++round)); do
  for turn in "${!turns[@]}"; do
    printf '%s\n' "${cells[@]}" | grep "^${turns[turn]} " >"$results/turn"
    # The peak at each turn: other programs and the core's clock move it, so that one time a round is too few.
    measure peak "$round.$turn" "--benchmark_filter=threads:[1$threads]\$" # one core's too, to see whether there are two
    for name in retort "${peers[@]}"; do
      measure "$name" "$round.$turn" --cells "$results/turn"
    done
    echo "round $round of $rounds, ${turns[turn]}" >&2
  done
done

table=$results/table.md
{
  echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(g++ --version | head -n 1), ${flags[*]};" \
    "threads: $threads, ${settings[*]}, taskset -c $cores; medians over $rounds round(s)${filter:+ of the cells '$filter'}"
  echo "$("$build/retort" --version), Eigen $(pkg-config --modversion eigen3)"
  for peer in "${peers[@]}"; do
    if [[ -x $build/$peer ]]; then
      echo "$(<"$build/$peer.version"), BLAS: $(blas_of "$build/$peer")"
    else
      echo "$(<"$build/$peer.version")"
    fi
  done
  echo
  python3 "$here/table.py" "$results" "$threads" "${peers[@]}"
  echo
  for name in retort "${peers[@]}"; do
    program "$name" --notes
  done
} >"$table"
cat "$table"
if [[ -n $output ]]; then
  replace_file "$table" "$output"
fi

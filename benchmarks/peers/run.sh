#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# benchmarks/peers/run.sh [--rounds N] [--threads 1|2] [--output FILE]
#
# Retort's Eigen backend beside libtorch and dlib on the same work, one thread (or two) each, and the cores' own peak:
# built for this processor, run by turns in N rounds (5), medians in one table. libtorch is PyPI's (python3 -m pip
# install torch) or Debian's (apt-get install libtorch-dev), the newer one first; dlib is Debian's (apt-get install
# libdlib-dev); what is not there is left out.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$here/../..

rounds=5 threads=1 output=
usage() {
  echo "run.sh: $*; usage: benchmarks/peers/run.sh [--rounds N] [--threads 1|2] [--output FILE]" >&2
  exit 2
}
while (($# > 0)); do
  case $1 in
    --rounds) rounds=${2:-} && shift ;;
    --threads) threads=${2:-} && shift ;;
    --output) output=${2:-} && shift && [[ -n $output ]] || usage "--output: expected a file" ;;
    *) usage "unknown option $1" ;;
  esac
  shift || usage "an option lacks its value"
done
[[ $rounds =~ ^[1-9][0-9]{0,3}$ ]] || usage "--rounds: '$rounds', expected a whole number from 1 to 9999"
[[ $threads =~ ^[12]$ ]] || usage "--threads: '$threads', expected 1 or 2"
# Before minutes of measuring, not after them.
[[ -z $output || (! -d $output && -w $(dirname "$output")) ]] || usage "--output: cannot write $output"

source "$here/../replace_file.sh"
source "$repository/scripts/lock.sh"
source "$repository/scripts/packages.sh"
hold_lock benchmarks/peers/run.sh "$repository/build/peers.lock"
install_missing g++ pkg-config libbenchmark-dev libeigen3-dev libxtensor-dev libxsimd-dev zlib1g-dev \
  python3 >&2
build=$repository/build/peers
results=$build/results
rm -rf "$results"
mkdir -p "$results"
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
ours=(-std=c++20 -I "$repository/include" -I "$repository/benchmarks" "${eigen[@]}" -lbenchmark_main "${libraries[@]}")
compile_ours peak "$here/peak.cpp" "${ours[@]}"
compile_ours train "$here/../train/step_eigen.cpp" "${ours[@]}"
compile_ours nn "$here/../nn/predict_eigen.cpp" "${ours[@]}"

peers=()
add_peer() { # NAME FLAGS...: 1 where there can be no such program
  if compile "$1" "$here/$1.cpp" -std=c++20 "${@:2}" "${libraries[@]}" &&
    "$build/$1" --version >"$build/$1.version" 2>>"$build/$1.log"; then
    peers+=("$1")
  else
    echo "$1: found, but its program could not be built or started (see build/peers/$1.log)" >&2
    return 1
  fi
}

# A line "VERSION FOLDER" for each libtorch, the newest first. python3 only looks where it has torch: importing it needs
# more (CUDA's libraries, other packages) than libtorch's part for the CPU does.
find_libtorch() {
  local folder
  {
    folder=$(python3 -c 'import importlib.util, os; print(os.path.dirname(importlib.util.find_spec("torch").origin))' \
      2>/dev/null) && [[ -e $folder/lib/libtorch_cpu.so ]] &&
      echo "$(sed -nE "s/^__version__ = '([^']+)'.*/\1/p" "$folder/version.py") $folder"
    [[ -e /usr/include/torch/csrc/api/include/torch/torch.h ]] &&
      echo "$(dpkg-query -W -f '${Version}' libtorch-dev) /usr"
  } | sort -rV
}

torch_found=no
while read -r version folder; do
  torch_found=yes
  # -ltorch would ask for libtorch's part for CUDA.
  torch_flags=("-Wl,--no-as-needed" -ltorch_cpu -lc10 "-Wl,--as-needed")
  if [[ $folder == /usr ]]; then
    torch_flags=(-isystem /usr/include/torch/csrc/api/include "${torch_flags[@]}")
  else
    # Wheels up to 2.6 have std::string as it was before C++11.
    abi=$(nm -D --defined-only "$folder/lib/libc10.so" | grep -c __cxx11 || true)
    torch_flags=("-D_GLIBCXX_USE_CXX11_ABI=$((abi > 0))" -isystem "$folder/include"
      -isystem "$folder/include/torch/csrc/api/include" "-L$folder/lib" "-Wl,-rpath,$folder/lib" "${torch_flags[@]}")
  fi
  if add_peer libtorch "${torch_flags[@]}"; then
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

# The libraries' files say more than the names they are linked by: which BLAS libblas.so.3 is, and its version.
blas_of() { # PROGRAM
  local path names=()
  while read -r path; do
    path=$(readlink -f "$path")
    names+=("$(basename "$(dirname "$path")")/$(basename "$path")")
  done < <(ldd "$1" | sed -nE 's/^\s*lib(blas|cblas|openblas|mkl|blis)[^ ]* => ([^ ]+).*/\2/p' | sort -u)
  echo "${names[*]:-none linked by name}"
}

settings=("OMP_NUM_THREADS=$threads" "OPENBLAS_NUM_THREADS=$threads" OMP_WAIT_POLICY=PASSIVE)
export "${settings[@]}"
measure() { # PROGRAM NAME FILTER: into NAME.json
  "$build/$1" --benchmark_filter="$3" --benchmark_min_time=0.2 --benchmark_out="$results/$2.json" \
    --benchmark_out_format=json >/dev/null 2>"$results/errors" || {
    cat "$results/errors" >&2
    echo "run.sh: $1 failed" >&2
    exit 1
  }
}

for ((round = 1; round <= rounds; ++round)); do
  for program in train nn "${peers[@]}"; do
    # The peak before each program: other programs and the core's clock move it, so that one time a round is too few.
    measure peak "peak.$round.$program" "threads:[1$threads]\$" # one core's too, to see whether there are two
    filter=.
    [[ $program != train && $program != nn ]] || filter=threads:$threads/
    measure "$program" "$program.$round" "$filter"
  done
  echo "round $round of $rounds" >&2
done

table=$results/table.md
version=$(sed -nE 's/^#define RETORT_VERSION_[A-Z]+ ([0-9]+)$/\1/p' "$repository/include/retort/version.hpp" | paste -sd.)
{
  echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(g++ --version | head -n 1), ${flags[*]};" \
    "threads: $threads, ${settings[*]}; medians over $rounds round(s)"
  echo "Retort $version, Eigen $(pkg-config --modversion eigen3)"
  for peer in "${peers[@]}"; do
    echo "$(<"$build/$peer.version"), BLAS: $(blas_of "$build/$peer")"
  done
  echo
  python3 "$here/table.py" "$results" "$threads" "${peers[@]}"
  echo
  echo "Retort counts everything: shuffling, gathering uint8 pixels, moving them for an online teacher, loss, Adam."
  for peer in "${peers[@]}"; do
    "$build/$peer" --notes
  done
} >"$table"
cat "$table"
if [[ -n $output ]]; then
  replace_file "$table" "$output"
fi

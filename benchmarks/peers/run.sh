#!/usr/bin/env bash
# benchmarks/peers/run.sh [--rounds N] [--output FILE]
#
# Retort's Eigen backend beside libtorch on the same work, one thread each, and the core's own peak: built for this
# processor, run by turns in N rounds (5), medians in one table. libtorch is PyPI's (python3 -m pip install torch) or
# Debian's (apt-get install libtorch-dev); without either the table has Retort's columns alone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$here/../..

rounds=5 output=
usage() {
  echo "run.sh: $*; usage: benchmarks/peers/run.sh [--rounds N] [--output FILE]" >&2
  exit 2
}
while (($# > 0)); do
  case $1 in
    --rounds) rounds=${2:-} && shift ;;
    --output) output=${2:-} && shift && [[ -n $output ]] || usage "--output: expected a file" ;;
    *) usage "unknown option $1" ;;
  esac
  shift || usage "an option lacks its value"
done
[[ $rounds =~ ^[1-9][0-9]{0,3}$ ]] || usage "--rounds: '$rounds', expected a whole number from 1 to 9999"

source "$repository/scripts/packages.sh"
install_missing g++ pkg-config libbenchmark-dev libeigen3-dev libxtensor-dev libxsimd-dev nlohmann-json3-dev zlib1g-dev \
  python3 >&2
build=$repository/build/peers
results=$build/results
rm -rf "$results"
mkdir -p "$results"
flags=(-O3 -march=native -DNDEBUG)
libraries=(-lbenchmark -lz -pthread)

compile() { # NAME SOURCE FLAGS...: anew where a source or header is newer
  if [[ ! -x $build/$1 || -n $(find "$repository/include" "$repository/benchmarks" -newer "$build/$1" -name '*pp' -print -quit) ]]; then
    echo "building $1" >&2
    g++ "${flags[@]}" "$2" "${@:3}" -o "$build/$1"
  fi
}
read -ra eigen < <(pkg-config --cflags eigen3)
ours=(-std=c++20 -I "$repository/include" -I "$repository/benchmarks" "${eigen[@]}" -lbenchmark_main "${libraries[@]}")
compile peak "$here/peak.cpp" "${ours[@]}"
compile train "$here/../train/step_eigen.cpp" "${ours[@]}"
compile nn "$here/../nn/predict_eigen.cpp" "${ours[@]}"

# libtorch where python3 has it, else where Debian has it.
peers=()
torch=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__), int(torch._C._GLIBCXX_USE_CXX11_ABI))' 2>/dev/null || true)
torch_flags=()
if [[ -n $torch ]]; then
  read -r folder abi <<<"$torch"
  torch_flags=("-D_GLIBCXX_USE_CXX11_ABI=$abi" -isystem "$folder/include" -isystem "$folder/include/torch/csrc/api/include"
    "-L$folder/lib" "-Wl,-rpath,$folder/lib")
elif [[ -e /usr/include/torch/csrc/api/include/torch/torch.h ]]; then
  torch_flags=(-isystem /usr/include/torch/csrc/api/include)
fi
if ((${#torch_flags[@]} > 0)); then
  if compile libtorch "$here/libtorch.cpp" -std=c++17 "${torch_flags[@]}" "${libraries[@]}" -Wl,--no-as-needed -ltorch \
    -ltorch_cpu -lc10 && "$build/libtorch" --version >"$build/libtorch.version"; then
    peers+=(libtorch)
  else
    echo "libtorch: found, but its program could not be built or started; left out" >&2
  fi
else
  echo "libtorch: not found (python3 -m pip install torch, or apt-get install libtorch-dev); left out" >&2
fi

export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE
programs=(peak train nn "${peers[@]}")
for ((round = 1; round <= rounds; ++round)); do
  for program in "${programs[@]}"; do
    filter=.
    [[ $program != train && $program != nn ]] || filter=threads:1/
    "$build/$program" --benchmark_filter="$filter" --benchmark_min_time=0.2 \
      --benchmark_out="$results/$program.$round.json" --benchmark_out_format=json >/dev/null 2>"$results/errors" || {
      cat "$results/errors" >&2
      exit 1
    }
  done
  echo "round $round of $rounds" >&2
done

table=$results/table.md
{
  echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(g++ --version | head -n 1), ${flags[*]}; one thread;" \
    "medians of $rounds rounds"
  for peer in "${peers[@]}"; do
    echo "$(<"$build/$peer.version"), BLAS: $(ldd "$build/$peer" | sed -nE 's/^\s*(lib(blas|openblas|mkl|blis)[^ ]*) =>.*/\1/p' | sort -u | paste -sd' ')"
  done
  echo
  python3 "$here/table.py" "$results" "${peers[@]}"
} >"$table"
cat "$table"
if [[ -n $output ]]; then
  cp "$table" "$output.tmp" && mv "$output.tmp" "$output"
fi

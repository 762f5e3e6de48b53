#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# examples/run.sh [OPTIONS OF distill_mnist...]
#
# Installs what is missing (Debian, Ubuntu), builds the examples for this machine's processor, finds MNIST (MNIST_DIR,
# ../shared/data/mnist, data/mnist; else downloads it; else takes the built-in digits) and runs the main job. `--help` lists its
# options, which takes a build too, `--version` none. Results go to out/, or to the folder named by --out.
#
# Only what --backend asks for is built, since each backend takes about a minute to compile: Eigen alone in build/examples;
# for thrust-cpp, thrust-omp and thrust-tbb all three in build/examples-thrust; for thrust-cuda and cuda*, with the nvcc on PATH or in
# /usr/local/cuda, in build/examples-cuda.
set -euo pipefail
caller=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
repository=$PWD
source scripts/lock.sh
source scripts/packages.sh
source scripts/mnist.sh

arguments=("$@")
given() { # OPTION: whether the caller gave it
  local argument
  for argument in ${arguments[@]+"${arguments[@]}"}; do
    [[ $argument == "$1" || $argument == "$1="* ]] && return 0
  done
  return 1
}
value_of() { # OPTION: prints what the caller gave it last
  local argument before='' value=''
  for argument in ${arguments[@]+"${arguments[@]}"}; do
    case $argument in
      "$1="*) value=${argument#*=} ;;
      *) [[ $before != "$1" ]] || value=$argument ;;
    esac
    before=$argument
  done
  echo "$value"
}

if given --version; then
  echo "distill_mnist $(sed -n -E 's/^#define RETORT_VERSION_(MAJOR|MINOR|PATCH) ([0-9]+)$/\2/p' include/retort/version.hpp |
    paste -s -d .)"
  exit
fi

# configure_and_build OPTIONS OF cmake...: all output for the log; descriptor 3 gets what people want to know meanwhile.
configure_and_build() {
  local line steps status=0 progress=no
  cmake --preset release "$@" || return
  steps=$(cmake --build $build --target distill_mnist -- -n | grep -c '^\[' || true)
  if ((steps > 0)); then
    echo "examples/run.sh: building distill_mnist for this processor first, about a minute on two cores" >&3
    [[ ! -t 3 || ${TERM:-dumb} == dumb ]] || progress=yes
  fi
  cmake --build $build --target distill_mnist | while IFS= read -r line; do
    echo "$line"
    if [[ $progress == yes && $line =~ ^\[([0-9]+)/([0-9]+)\] ]]; then
      printf '\r%d of %d steps' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" >&3
    fi
  done || status=$?
  [[ $progress == no ]] || printf '\r%20s\r' '' >&3
  return $status
}

packages=(cmake ninja-build g++ libeigen3-dev libxtensor-dev libxsimd-dev zlib1g-dev libcli11-dev)
build=build/examples thrust=OFF cuda=OFF
case $(value_of --backend) in
  thrust-cuda | cuda | cuda-*)
    build+=-cuda cuda=AUTO
    ;;
  thrust-*)
    build+=-thrust thrust=AUTO
    packages+=(libthrust-dev libtbb-dev)
    ;;
esac
# One run at a time installs, configures, builds and downloads; the lock ends with the job's start.
hold_lock examples/run.sh build/examples.lock
mkdir -p $build
install_missing "${packages[@]}" >&2

if ! configure_and_build -B $build -DRETORT_BUILD_BENCHMARKS=OFF -DRETORT_THRUST=$thrust -DRETORT_CUDA=$cuda \
  3>&2 >$build/log 2>&1; then
  tail -n 40 $build/log >&2
  echo "examples/run.sh: the build failed; its whole output is in $build/log" >&2
  exit 1
fi

data=()
if ! given --data && ! given --help && ! given -h; then
  if [[ -n ${MNIST_DIR:-} ]]; then
    folder=$MNIST_DIR
    echo "data: $folder, named by MNIST_DIR"
  elif folder=$(find_mnist "$repository"); then
    echo "data: MNIST in $folder"
  elif { command -v curl || command -v wget || install_missing curl ca-certificates; } >/dev/null &&
    examples/fetch_mnist.sh data/mnist; then
    folder=$repository/data/mnist
    echo "data: MNIST, downloaded to data/mnist"
  else
    folder=synthetic
    echo "data: no MNIST found and none to be downloaded; this run uses Retort's built-in synthetic digits instead"
  fi
  data=(--data "$folder")
fi

cd "$caller"
release_lock
exec "$repository/$build/examples/distill_mnist" ${data[@]+"${data[@]}"} "$@"

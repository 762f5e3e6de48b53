#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tests/run.sh [--quick] [CTEST ARGUMENTS...]
#
# Installs what is missing (Debian, Ubuntu), builds everything with g++, again under AddressSanitizer and
# UndefinedBehaviorSanitizer, again with clang++-19 (where there is one) for this machine's processor, warnings as
# errors, and runs all of it as one ctest. --quick builds with g++ only and leaves out the consumer projects and the
# kernels for other processors. Further arguments go to ctest: `tests/run.sh --quick -R loss`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
repository=$PWD
source scripts/packages.sh
source scripts/mnist.sh

# count_skipped FILE: of ctest's results in JUnit's format, one line for each reason for which tests were skipped.
count_skipped() {
  awk '
    /<testcase / { skipped = 0 }
    /<skipped message="SKIP_RETURN_CODE/ { skipped = 1; reason = "no reason given" }
    skipped && match($0, /(^|>)skipped: /) {
      reason = substr($0, RSTART + RLENGTH)
      gsub(/&lt;/, "<", reason); gsub(/&gt;/, ">", reason); gsub(/&amp;/, "\\&", reason)
    }
    skipped && /<\/testcase>/ { ++counts[reason] }
    END { for (reason in counts) print "skipped " counts[reason] (counts[reason] == 1 ? " test: " : " tests: ") reason }
  ' "$1" | sort
}

quick=no
if [[ ${1:-} == --quick ]]; then
  quick=yes
  shift
fi

install_missing cmake ninja-build g++ catch2 libeigen3-dev libxtensor-dev libxsimd-dev nlohmann-json3-dev zlib1g-dev \
  libcli11-dev libbenchmark-dev pkg-config meson libthrust-dev libtbb-dev
install_missing libopenblas-dev || echo "libopenblas-dev is not to be had here: the tests with a BLAS may not be compiled"
presets=(ci)
ctest_arguments=("$@")
if [[ $quick == yes ]]; then
  ctest_arguments+=(--label-exclude '^(consumer|processors)$')
else
  presets+=(sanitize)
  install_missing qemu-user g++-aarch64-linux-gnu || echo "no emulator or compiler for 64-bit ARM is to be had here"
  if command -v clang++-19 >/dev/null || { install_missing clang-19 && command -v clang++-19 >/dev/null; }; then
    presets+=(clang)
    install_missing libomp-19-dev || echo "libomp-19-dev is not to be had here: no OpenMP with clang++-19"
  else
    echo "clang++-19 is not to be had here: building with g++ only"
  fi
fi

if MNIST_DIR=$(find_mnist "$repository"); then
  export MNIST_DIR
  echo "MNIST: $MNIST_DIR"
else
  unset MNIST_DIR
  echo "MNIST: not found (MNIST_DIR, ../shared/data/mnist, data/mnist); the tests that read it will be skipped"
fi

# A translation unit takes about a gigabyte to compile.
jobs=$(nproc)
memory_gb=$(awk '/^MemAvailable/ { print int($2 / 1024 / 1024) }' /proc/meminfo 2>/dev/null || echo "$jobs")
if ((memory_gb < jobs)); then
  jobs=$((memory_gb > 0 ? memory_gb : 1))
fi

mkdir -p build/all
for preset in "${presets[@]}"; do
  started=$SECONDS
  cmake --preset "$preset" | tee build/all/configure.log
  if [[ $preset == ci ]]; then # the others leave CUDA out
    sed -n 's/^-- *thrust-cuda *not built: /CUDA: the CUDA tests are not compiled: /p
      s/^-- *cblas *not built: /BLAS: the tests with a BLAS are not compiled: /p' build/all/configure.log
  fi
  cmake --build --preset "$preset" --parallel "$jobs"
  echo "built $preset in $((SECONDS - started)) s"
done

# One ctest over all builds, so that its last lines speak for all of them.
printf 'subdirs("%s")\n' "${presets[@]/#/$repository/build/}" >build/all/CTestTestfile.cmake
rm -f build/all/results.xml
status=0
ctest --test-dir build/all --parallel "$jobs" --output-on-failure --no-tests=error --no-label-summary \
  --output-junit "$repository/build/all/results.xml" "${ctest_arguments[@]}" || status=$?
if [[ -f build/all/results.xml ]]; then
  count_skipped build/all/results.xml
fi
((status == 0)) || exit "$status"
echo "Retort: every test passed in the builds ${presets[*]}, after $((SECONDS / 60)) min $((SECONDS % 60)) s"

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tests/run.sh [--quick] [CTEST ARGUMENTS...]
#
# Installs what is missing (Debian, Ubuntu). Builds library and tests with g++ for any processor, examples and benchmarks
# with g++ for this machine's processor, and the tests again with clang++-19 for this machine's processor, under
# AddressSanitizer and UndefinedBehaviorSanitizer, with the fuzz targets and the emulation of CUDA's kernels. Where there is
# no clang++-19, g++ does the last build too. Warnings are errors. Runs all of it as one ctest and prints the seconds that
# each part took. --quick builds the library's own tests with g++, without optimisation, and leaves out all else: CUDA,
# Thrust, examples, consumer projects, the kernels for other processors, the check of each header and the checks of the
# sources. Further arguments go to ctest: `tests/run.sh --quick -R loss`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
repository=$PWD
source scripts/lock.sh
source scripts/packages.sh
source scripts/mnist.sh

parts=()
part_started=$SECONDS
# end_part NAME: prints the seconds since the end of the part before, and keeps them for the last lines.
end_part() {
  parts+=("$1 $((SECONDS - part_started)) s")
  echo "time: ${parts[-1]}"
  part_started=$SECONDS
}

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

hold_lock tests/run.sh build/tests.lock
install_missing cmake ninja-build g++ catch2 libeigen3-dev libxtensor-dev libxsimd-dev nlohmann-json3-dev zlib1g-dev \
  libcli11-dev libbenchmark-dev pkg-config meson libthrust-dev libtbb-dev
install_optional "the tests with a BLAS may not be compiled" libopenblas-dev
install_optional "C files are not tried on other processors" gcc-arm-none-eabi gcc-riscv64-unknown-elf gcc-avr avr-libc \
  qemu-user qemu-system-arm simavr
install_optional "the tests of ONNX may not be compiled" libonnx-dev libprotobuf-dev
ctest_arguments=("$@")
sanitize_arguments=()
if [[ $quick == yes ]]; then
  presets=(quick)
  ctest_arguments+=(--label-exclude '^(consumer|processors|headers|sources)$')
else
  presets=(ci sanitize)
  install_optional "the kernels for 64-bit ARM are not tested" qemu-user g++-aarch64-linux-gnu
  install_optional "g++ makes the build under sanitizers and reads the headers; nothing is fuzzed" \
    clang-19 libclang-rt-19-dev libomp-19-dev
  install_optional "the sources are not checked by them" clang-tidy-19 clang-format-19
  install_optional "nothing is compiled against libc++" libc++-19-dev libc++abi-19-dev
  install_optional "the reference is not written" doxygen
  if ! echo 'int main() {}' | clang++-19 -fsanitize=address,undefined -x c++ - -o /dev/null 2>/dev/null; then
    echo "clang++-19 with its sanitizers is not available: g++ makes both builds"
    # Optimised, since g++ compiles no AVX-512 of the library otherwise (core/instruction_set.hpp).
    sanitize_arguments=(-DCMAKE_CXX_COMPILER=g++ -DCMAKE_CXX_FLAGS_DEBUG=-Og)
  fi
fi

if MNIST_DIR=$(find_mnist "$repository"); then
  export MNIST_DIR
  echo "MNIST: $MNIST_DIR"
else
  unset MNIST_DIR
  echo "MNIST: not found (MNIST_DIR, ../shared/data/mnist, data/mnist); the tests that read it will be skipped"
fi
end_part "packages"

# A source takes one to two gigabytes to compile, those that are compiled together up to four.
jobs=$(nproc)
memory_gb=$(awk '/^MemAvailable/ { print int($2 / 1024 / 1024) }' /proc/meminfo 2>/dev/null || echo "$jobs")
unite=()
if ((memory_gb < 4 * jobs)); then
  echo "memory: $memory_gb GB for $jobs jobs, so that each source is compiled by itself"
  unite=(-DRETORT_UNITE=OFF)
fi
if ((memory_gb < jobs)); then
  jobs=$((memory_gb > 0 ? memory_gb : 1))
fi

mkdir -p build/all
for preset in "${presets[@]}"; do
  configure=(cmake --preset "$preset" "${unite[@]}")
  if [[ $preset == sanitize ]]; then
    configure+=("${sanitize_arguments[@]}")
  fi
  "${configure[@]}" | tee build/all/configure.log
  if [[ $preset == ci ]]; then # the others leave CUDA out
    sed -n 's/^-- *thrust-cuda *not built: /CUDA: the CUDA tests are not compiled: /p
      s/^-- *cblas *not built: /BLAS: the tests with a BLAS are not compiled: /p
      s/^-- *onnx *not built: /ONNX: its tests are not compiled: /p' build/all/configure.log
  fi
  cmake --build --preset "$preset" --parallel "$jobs"
  end_part "build $preset"
done

# One ctest over all builds, so that its last lines speak for all of them.
# Threads of OpenMP that wait sleep: by default they spin, and take the processors from the test beside.
export OMP_WAIT_POLICY=passive
printf 'subdirs("%s")\n' "${presets[@]/#/$repository/build/}" >build/all/CTestTestfile.cmake
rm -f build/all/results.xml
status=0
ctest --test-dir build/all --parallel "$jobs" --output-on-failure --no-tests=error --no-label-summary \
  --output-junit "$repository/build/all/results.xml" "${ctest_arguments[@]}" || status=$?
if [[ -f build/all/results.xml ]]; then
  count_skipped build/all/results.xml
fi
end_part "tests"
((status == 0)) || exit "$status"
printf 'time: %s\n' "${parts[@]}"
echo "Retort: every test passed in the builds ${presets[*]}, after $((SECONDS / 60)) min $((SECONDS % 60)) s"

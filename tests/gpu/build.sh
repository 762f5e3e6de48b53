# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# Sourced by tests/run_gpu.sh: the steps that say what the machine is, and that build the programs.

step_machine() {
  date -u '+%Y-%m-%d %H:%M UTC'
  if [[ -f $programs/commit ]]; then
    echo "programs of $(<"$programs/commit")"
  else
    git rev-parse --short HEAD 2>/dev/null || true
  fi
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
      "$tool" --version | sed -n 1p
    else
      echo "$tool: not here"
    fi
  done
  echo "data: $data"
}

step_configure() {
  local arguments=(-S "$repository" -B "$build" -DCMAKE_BUILD_TYPE=Release -DRETORT_CUDA=ON -DRETORT_TEST_EMULATION=OFF
    -DRETORT_BUILD_TESTS=ON -DRETORT_BUILD_EXAMPLES=ON -DRETORT_BUILD_BENCHMARKS=ON)
  if [[ ! -f $build/CMakeCache.txt ]] && command -v ninja >/dev/null; then
    arguments+=(-G Ninja)
  fi
  local architecture=90
  if [[ -n $gpu ]]; then
    architecture=$("$nvidia_smi" --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d '. ')
  fi
  arguments+=("-DCMAKE_CUDA_ARCHITECTURES=$architecture-real")
  if [[ $build_here == yes ]]; then
    arguments+=(-DRETORT_NATIVE=OFF -DRETORT_THRUST=OFF -DRETORT_BLAS=OFF -DCMAKE_CXX_FLAGS=-march=x86-64-v3
      -DCMAKE_CUDA_FLAGS=-Xcompiler=-march=x86-64-v3)
  else
    arguments+=(-DRETORT_NATIVE=ON -DRETORT_THRUST=AUTO -URETORT_BLAS -UCMAKE_CXX_FLAGS -UCMAKE_CUDA_FLAGS)
  fi
  if [[ -z ${DEPENDENCIES:-} && -d .gpu-deps/usr ]]; then
    DEPENDENCIES=$repository/.gpu-deps/usr
  fi
  if [[ -n ${DEPENDENCIES:-} ]]; then
    DEPENDENCIES=$(cd "$DEPENDENCIES" && pwd) || failed "DEPENDENCIES: expected a folder"
  fi
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
  if [[ -z $jobs ]]; then # a translation unit takes about a gigabyte to compile
    jobs=$(nproc)
    local memory_gb
    memory_gb=$(awk '/^MemAvailable/ { print int($2 / 1024 / 1024) }' /proc/meminfo)
    if ((memory_gb < jobs)); then
      jobs=$((memory_gb > 0 ? memory_gb : 1))
    fi
  fi
  local keep_going=-k
  if grep -q '^CMAKE_GENERATOR:INTERNAL=Ninja' "$build/CMakeCache.txt"; then
    keep_going=-k0
  fi
  forget_results
  local targets
  targets=$(cmake --build "$build" --target help |
    sed -En 's/^(\.\.\. )?(retort_test_(every_backend|[a-z_]*cuda[a-z_]*)|benchmark_(data|nn|train)|distill_mnist|sweep)(:.*)?$/\2/p' |
    sort -u)
  # One name, one argument.
  # shellcheck disable=SC2086
  cmake --build "$build" --parallel "$jobs" --target $targets -- "$keep_going"
}

# The programs without their symbols, and the libraries that no machine with the toolkit has by itself.
step_pack() {
  local folder=$repository/build/gpu-programs program library
  require_programs tests/retort_test_every_backend benchmarks/benchmark_train examples/distill_mnist examples/sweep
  rm -rf "$folder"
  mkdir -p "$folder"/{tests,benchmarks,examples,lib}
  for program in tests/retort_test_every_backend "${device_tests[@]}" benchmarks/benchmark_{data,nn,train} \
    examples/{distill_mnist,sweep}; do
    strip -o "$folder/$program" "$build/$program"
    for library in $(ldd "$build/$program" | sed -n 's/.*=> \([^ ]*\) .*/\1/p'); do
      case $library in
        */libbenchmark* | */libz.so*) cp -L "$library" "$folder/lib" ;;
      esac
    done
  done
  git rev-parse --short HEAD >"$folder/commit" 2>/dev/null || true
  du -sh "$folder"
  (($(du -sm "$folder" | cut -f1) <= 60)) || failed "$folder: more than 60 MB, which is what a machine with a GPU takes"
}

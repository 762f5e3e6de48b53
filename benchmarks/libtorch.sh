# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Sourced by the programs that compile something against libtorch.

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

# Sets libtorch_flags, to compile against that of FOLDER, and libtorch_libraries, to link with it.
set_libtorch_flags() { # FOLDER
  local folder=$1 abi
  # -ltorch would ask for libtorch's part for CUDA.
  libtorch_libraries=("-Wl,--no-as-needed" -ltorch_cpu -lc10 "-Wl,--as-needed")
  if [[ $folder == /usr ]]; then
    libtorch_flags=(-isystem /usr/include/torch/csrc/api/include)
  else
    # Wheels up to 2.6 have std::string as it was before C++11.
    abi=$(nm -D --defined-only "$folder/lib/libc10.so" | grep -c __cxx11 || true)
    libtorch_flags=("-D_GLIBCXX_USE_CXX11_ABI=$((abi > 0))" -isystem "$folder/include"
      -isystem "$folder/include/torch/csrc/api/include")
    libtorch_libraries=("-L$folder/lib" "-Wl,-rpath,$folder/lib" "${libtorch_libraries[@]}")
  fi
}

# SPDX-License-Identifier: MIT
# To be sourced by a test that compiles with another compiler or for another processor.

# link_headers FOLDER NAMES FOLDERS...: gives FOLDER a link to each of the header folders NAMES ("Eigen xsimd"), from the
# first of FOLDERS that has it. A whole system's folder would hide the compiler's own headers.
link_headers() {
  local folder=$1 name include
  local -a names
  read -ra names <<<"$2"
  shift 2
  mkdir -p "$folder"
  for name in "${names[@]}"; do
    for include in "$@"; do
      if [[ -e $include/$name ]]; then
        ln -sfn "$include/$name" "$folder/$name"
        break
      fi
    done
  done
}

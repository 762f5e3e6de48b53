# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the scripts that run programs on MNIST: finds the MNIST files.

# find_mnist REPOSITORY
# Prints the absolute path of the first of $MNIST_DIR, ../shared/data/mnist and data/mnist that holds MNIST's training
# images, plain or gzip; prints nothing and returns 1 where none does. A folder that MNIST_DIR names is not replaced by
# another.
find_mnist() {
  local folder candidates=("$1/../shared/data/mnist" "$1/data/mnist")
  if [[ -n ${MNIST_DIR:-} ]]; then
    candidates=("$MNIST_DIR")
  fi
  for folder in "${candidates[@]}"; do
    if [[ -f $folder/train-images-idx3-ubyte || -f $folder/train-images-idx3-ubyte.gz ]]; then
      (cd "$folder" && pwd)
      return 0
    fi
  done
  return 1
}

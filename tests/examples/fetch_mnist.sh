#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch_mnist.sh REPOSITORY
# The download script with mirrors on this disk: a damaged mirror is passed over, a good one taken, nothing is left behind on failure.
# Skipped (77) where MNIST_DIR names no gzipped MNIST to serve, or without curl.
set -euo pipefail
script=$1/examples/fetch_mnist.sh
if [[ ! -f ${MNIST_DIR:-}/train-images-idx3-ubyte.gz ]] || ! command -v curl >/dev/null; then
  echo "skipped: MNIST_DIR names no gzipped MNIST, or there is no curl"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bad" "$folder/good"
cp "$MNIST_DIR"/*.gz "$folder/good"
for file in "$folder"/good/*.gz; do
  head -c 1000 "$file" >"$folder/bad/${file##*/}"
done

if RETORT_MNIST_MIRRORS="file://$folder/bad/" "$script" "$folder/none" >"$folder/log" 2>&1; then
  echo "a damaged mirror was accepted"
  exit 1
fi
if [[ -d $folder/none && -n $(ls -A "$folder/none") ]]; then
  echo "left behind after a failure: $(ls -A "$folder/none")"
  exit 1
fi
RETORT_MNIST_MIRRORS="file://$folder/bad/ file://$folder/good/" "$script" "$folder/data"
[[ $(ls "$folder/data" | wc -l) == 4 ]]
for file in "$folder"/good/*.gz; do
  cmp "$file" "$folder/data/${file##*/}"
done

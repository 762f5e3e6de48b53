#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh REPOSITORY COMPILER FOLDER: a Meson project in FOLDER with Retort below subprojects/.
# Exits with 77 (skipped) where Meson is missing.
set -eu
repository=$1 compiler=$2 folder=$3
sources=$(cd "$(dirname "$0")/.." && pwd)

for tool in meson ninja pkg-config; do
  command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done

rm -rf "$folder"
mkdir -p "$folder/subprojects"
cp "$sources/main.cpp" "$sources/meson_subproject/meson.build" "$folder"
cp "$sources/thrust/main.cpp" "$folder/thrust.cpp"
cp "$sources/cblas/main.cpp" "$folder/cblas.cpp"
cp "$sources/onnx/main.cpp" "$folder/onnx.cpp"
cp "$sources/cuda/main.cu" "$folder/cuda.cu"
ln -s "$repository" "$folder/subprojects/retort"
# Meson takes nvcc from PATH.
export PATH="$PATH:/usr/local/cuda/bin"
# Whether it compiles is asked, not how fast it runs.
CUFLAGS=-Xcicc=-O0 CXX=$compiler meson setup --wrap-mode=nodownload --buildtype=plain "$folder/build" "$folder"
meson compile -C "$folder/build"
for program in "$folder"/build/consumer*; do
  if [ -f "$program" ]; then
    case $program in
      *_cuda) ;; # there need not be a GPU
      *) "$program" ;;
    esac
  fi
done

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh REPOSITORY COMPILER GENERATOR: Retort installed into folders that are given as absolute paths, headers
# apart from the rest and everything below a folder whose name has a space, and found there by pkg-config and by CMake.
# Exits with 77 (skipped) where pkg-config is missing.
set -euo pipefail
repository=$1 compiler=$2 generator=$3
# CMake wants no headers installed below the sources, where builds often lie.
outside=$(mktemp -d)
trap 'rm -rf "$outside"' EXIT
folder="$outside/a folder"
sources=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

rm -rf "$folder"
cmake -S "$repository" -B "$folder/build" -G "$generator" -DCMAKE_CXX_COMPILER="$compiler" \
  -DRETORT_BUILD_TESTS=OFF -DRETORT_BUILD_EXAMPLES=OFF -DRETORT_CUDA=OFF -DRETORT_THRUST=OFF -DRETORT_BLAS=OFF \
  -DCMAKE_INSTALL_PREFIX="$folder/prefix" -DCMAKE_INSTALL_INCLUDEDIR="$folder/the headers" \
  -DCMAKE_INSTALL_DATADIR="$folder/the data"
cmake --install "$folder/build"
mkdir -p "$folder/prefix/share"
ln -s "$folder/the data/pkgconfig" "$folder/prefix/share/pkgconfig" # where run.sh looks for retort.pc

ctest --build-and-test "$sources/find_package" "$folder/find_package" --build-generator "$generator" --build-options \
  "-DCMAKE_CXX_COMPILER=$compiler" "-Dretort_DIR=$folder/the data/cmake/retort" \
  --test-command consumer
"$sources/pkg_config/run.sh" "$folder/prefix" "$compiler" "$folder/pkg_config"

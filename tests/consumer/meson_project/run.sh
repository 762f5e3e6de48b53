#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh REPOSITORY COMPILER FOLDER: builds what Meson builds of REPOSITORY, the examples with every backend found on the
# host, in FOLDER, installs it, and runs two of the programs. Exits with 77 (skipped) where Meson is missing.
set -eu
repository=$1 compiler=$2 folder=$3

for tool in meson ninja pkg-config; do
  command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done

rm -rf "$folder"
# Whether it compiles is asked, not how fast it runs: no optimisation, and all sources of a program at once.
CXX=$compiler meson setup --wrap-mode=nodownload --buildtype=plain --werror --unity=on --unity-size=100 \
  -Dexamples=enabled -Dnative=true --prefix "$folder/prefix" "$folder/build" "$repository"
meson compile -C "$folder/build"
meson install -C "$folder/build" --no-rebuild --quiet
test -f "$folder/prefix/include/retort/retort.hpp"
"$folder/build/examples/distill_mnist" --help >/dev/null
"$folder/build/examples/sweep" --help >/dev/null

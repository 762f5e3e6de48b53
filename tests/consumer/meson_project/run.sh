#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh REPOSITORY COMPILER FOLDER: sets REPOSITORY up with Meson in FOLDER, builds the examples that have parts of their
# own, for every backend found on the host and for ONNX, installs the library and runs these programs. Meson's rule for the
# others is the same, so COMPILER reads their sources as Meson would have it compile them, and checks all that they
# instantiate. Exits with 77 (skipped) where Meson is missing.
set -eu
repository=$1 compiler=$2 folder=$3

for tool in meson ninja pkg-config; do
  command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done

rm -rf "$folder"
# Whether it compiles is asked, not how fast it runs: no optimisation, and all sources of a program at once.
CXX=$compiler meson setup --wrap-mode=nodownload --buildtype=plain --werror --unity=on --unity-size=100 \
  -Dexamples=enabled -Dnative=true --prefix "$folder/prefix" "$folder/build" "$repository"
built="distill_mnist predict"
# shellcheck disable=SC2086 # names
meson compile -C "$folder/build" $built
meson install -C "$folder/build" --no-rebuild --quiet
test -f "$folder/prefix/include/retort/retort.hpp"
for example in $built; do
  "$folder/build/examples/$example" --help >/dev/null
done

# What the programs share is read once by clang.
cd "$folder/build"
command_of() { ninja -t commands "examples/$1.p/meson-generated_$1-unity0.cpp.o" | tail -1; }
before=
case $compiler in
  *clang*)
    echo '#include <retort/retort.hpp>' >all.hpp
    # The flags end where the names of files begin.
    eval "$(command_of distill_mnist | sed 's/ -MD .*//') -fpch-instantiate-templates -x c++-header all.hpp -o all.pch"
    before="-include-pch all.pch"
    ;;
esac
count=0
for source in examples/*.p/*-unity0.cpp; do
  name=$(basename "$source" -unity0.cpp)
  case " $built example_common " in
    *" $name "*) continue ;;
  esac
  case $source in
    examples/lib*) continue ;; # parts of those that are built
  esac
  eval "$(command_of "$name") $before -fsyntax-only"
  count=$((count + 1))
done
test $count -ge 10 || { echo "$count examples were read, expected at least 10" >&2; exit 1; }
echo "$count examples were read"

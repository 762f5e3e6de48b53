#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh PREFIX COMPILER FOLDER: a program built with nothing but the compiler and the installed retort.pc.
# Exits with 77 (skipped) where pkg-config is missing.
set -euo pipefail
prefix=$1 compiler=$2 folder=$3
sources=$(cd "$(dirname "$0")/.." && pwd)

command -v pkg-config >/dev/null || { echo "skipped: pkg-config is not installed"; exit 77; }
PKG_CONFIG_PATH=$prefix/share/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH

mkdir -p "$folder"
# eval: pkg-config escapes the spaces of a folder's name for a shell to read again.
flags=()
eval "flags=($(pkg-config --cflags --libs retort))"
"$compiler" -std=c++20 "$sources/main.cpp" "${flags[@]}" -o "$folder/consumer"
"$folder/consumer"

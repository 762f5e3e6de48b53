#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh REPOSITORY COMPILER GENERATOR FOLDER: the API reference is written without a warning, from a copy of Retort
# below a folder whose name has a space. Exits with 77 (skipped) where doxygen is missing.
set -euo pipefail
repository=$1 compiler=$2 generator=$3 folder="$4/a folder"

command -v doxygen >/dev/null || { echo "skipped: doxygen is not installed"; exit 77; }

rm -rf "$folder"
mkdir -p "$folder"
cp -R "$repository"/{CMakeLists.txt,README.md,CHANGELOG.md,CONTRIBUTING.md,SECURITY.md,LICENSE,cmake,docs,examples,include} "$folder"
cmake -S "$folder" -B "$folder/build" -G "$generator" -DCMAKE_CXX_COMPILER="$compiler" \
  -DRETORT_BUILD_TESTS=OFF -DRETORT_BUILD_EXAMPLES=OFF -DRETORT_CUDA=OFF -DRETORT_THRUST=OFF -DRETORT_BLAS=OFF
cmake --build "$folder/build" --target docs

for page in docs_design_md docs_guide_8_reading_the_report_md examples_sweep_README_md classretort_1_1FileError structretort_1_1Linear; do
  [[ -f $folder/build/docs/html/$page.html ]] || { echo "there is no page $page.html"; exit 1; }
done
grep -q 'href="docs_design_md.html"' "$folder/build/docs/html/index.html" || { echo "README does not link docs/design.md"; exit 1; }
grep -q 'href="structretort_1_1HintonLoss.html"' "$folder/build/docs/html/group__losses.html" || { echo "the group of losses lacks HintonLoss"; exit 1; }

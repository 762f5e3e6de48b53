# SPDX-License-Identifier: MIT
# cmake -DROOT=FOLDER -P check_version.cmake
# Fails unless the pages that name the version name that of include/retort/version.hpp: find_package in README.md, and
# the newest release in CHANGELOG.md.

cmake_minimum_required(VERSION 3.22)
file(STRINGS "${ROOT}/include/retort/version.hpp" lines REGEX "^#define RETORT_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$")
list(TRANSFORM lines REPLACE "^.* " "")
list(GET lines 0 major)
list(GET lines 1 minor)
list(JOIN lines "." version)

# check_version(FILE REGEX EXPECTED): the first place that REGEX finds in the file.
function(check_version file regex expected)
  file(READ "${ROOT}/${file}" text)
  if(NOT text MATCHES "${regex}")
    message(FATAL_ERROR "${file} names no version: ${regex} is not found")
  endif()
  if(NOT CMAKE_MATCH_1 STREQUAL expected)
    message(FATAL_ERROR "${file} names version ${CMAKE_MATCH_1}, expected ${expected} as in include/retort/version.hpp")
  endif()
endfunction()
check_version(README.md "find_package\\(retort ([0-9.]+)" "${major}.${minor}")
check_version(CHANGELOG.md "\n## \\[?([0-9.]+)" "${version}")

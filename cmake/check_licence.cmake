# SPDX-License-Identifier: MIT
# cmake -DROOT=FOLDER -P check_licence.cmake
# Fails unless every source file names the licence in its first line, or in its second where the first says which
# program runs it.

cmake_minimum_required(VERSION 3.22)
set(line "SPDX-License-Identifier: MIT")

file(GLOB_RECURSE files RELATIVE "${ROOT}" "${ROOT}/*")
# Folders that git ignores, and git's own. Data, pages and templates have no place for the line.
list(FILTER files EXCLUDE REGEX "^(build[^/]*|out|data|\\.git|\\.cache|\\.gpu-deps)/|__pycache__/")
list(FILTER files INCLUDE REGEX
     "\\.(cpp|hpp|cu|cuh|py|sh|cmake|awk|build)$|(^|/)(CMakeLists|sources|meson_options)\\.txt$|(^|/)\\.clang-[a-z]+$|^\\.ci/"
)

set(count 0)
foreach(file IN LISTS files)
  math(EXPR count "${count} + 1")
  file(STRINGS "${ROOT}/${file}" first LIMIT_COUNT 2)
  if(NOT first MATCHES "^(#!/[^;]*;)?(//|#) ${line}(;|$)")
    list(APPEND without "${file}")
  endif()
endforeach()
if(count EQUAL 0)
  message(FATAL_ERROR "${ROOT} holds no source files")
endif()
if(without)
  list(JOIN without "\n" without)
  message(FATAL_ERROR "Without \"${line}\" in their first line:\n${without}")
endif()

# SPDX-License-Identifier: MIT
# cmake -DCOMPILER=... -DSOURCE=FILE.cpp "-DINCLUDES=FOLDER;..." -DFOLDER=... -P check.cmake
# Compiles FILE.cpp after what precompile.cmake left in FOLDER, syntax only. A line `// expect: REGEX` in it says that this must fail with diagnostics that match
# REGEX (CMake's regular expressions), and so does each further line of this form; a line `// expect success` says that
# it must compile. A line `// at most N lines` limits the diagnostics, and `// standard: c++17` is another standard, for
# which nothing is precompiled.

file(READ "${SOURCE}" text)
if("\n${text}" MATCHES "\n// expect: ")
  set(must_compile NO)
elseif("\n${text}" MATCHES "\n// expect success\n")
  set(must_compile YES)
else()
  message(FATAL_ERROR "${SOURCE}: needs a line `// expect: REGEX` or `// expect success`")
endif()

set(standard c++20)
set(precompiled -Winvalid-pch -include "${FOLDER}/retort.hpp")
if("\n${text}" MATCHES "\n// standard: ([^\n]+)")
  set(standard "${CMAKE_MATCH_1}")
  set(precompiled)
endif()
set(most_lines)
if("\n${text}" MATCHES "\n// at most ([0-9]+) lines\n")
  set(most_lines "${CMAKE_MATCH_1}")
endif()

# -I, not -isystem: a folder that the compiler searches anyway then keeps its place.
list(TRANSFORM INCLUDES PREPEND "-I" OUTPUT_VARIABLE includes)
# No quoted source lines among the diagnostics: they can hold the text of a static_assert that did not fire.
if(COMPILER MATCHES "clang")
  set(no_quotes -fno-caret-diagnostics)
else()
  set(no_quotes -fno-diagnostics-show-caret)
endif()
execute_process(
  COMMAND "${CMAKE_COMMAND}" -E env LC_ALL=C "${COMPILER}" "-std=${standard}" -fsyntax-only ${no_quotes} ${includes} ${precompiled}
          "${SOURCE}"
  RESULT_VARIABLE status
  OUTPUT_VARIABLE diagnostics
  ERROR_VARIABLE diagnostics
)

if(must_compile)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${SOURCE}: expected to compile, and does not:\n${diagnostics}")
  endif()
elseif(status EQUAL 0)
  message(FATAL_ERROR "${SOURCE}: expected not to compile, and does")
endif()
# Not a foreach: brackets in a REGEX would join the elements of a list.
while("\n${text}" MATCHES "\n// expect: ([^\n]+)(.*)")
  set(expected "${CMAKE_MATCH_1}")
  set(text "${CMAKE_MATCH_2}")
  if(NOT diagnostics MATCHES "${expected}")
    message(FATAL_ERROR "${SOURCE}: expected a diagnostic that matches\n  ${expected}\nThe compiler said:\n${diagnostics}")
  endif()
endwhile()
if(most_lines)
  string(REGEX MATCHALL "\n" lines "${diagnostics}")
  list(LENGTH lines count)
  if(count GREATER most_lines)
    message(FATAL_ERROR "${SOURCE}: expected at most ${most_lines} lines, the compiler said ${count}:\n${diagnostics}")
  endif()
endif()

# SPDX-License-Identifier: MIT
# cmake -DCOMPILER=... -DSOURCE=FILE.cpp "-DINCLUDES=FOLDER;..." -P check.cmake
# Compiles FILE.cpp, syntax only. A line `// expect: REGEX` in it says that this must fail with diagnostics that match
# REGEX (CMake's regular expressions), and so does each further line of this form; a line `// expect success` says that
# it must compile.

file(READ "${SOURCE}" text)
if("\n${text}" MATCHES "\n// expect: ")
  set(must_compile NO)
elseif("\n${text}" MATCHES "\n// expect success\n")
  set(must_compile YES)
else()
  message(FATAL_ERROR "${SOURCE}: needs a line `// expect: REGEX` or `// expect success`")
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
  COMMAND "${CMAKE_COMMAND}" -E env LC_ALL=C "${COMPILER}" -std=c++20 -fsyntax-only ${no_quotes} ${includes} "${SOURCE}"
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

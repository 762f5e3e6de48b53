# SPDX-License-Identifier: MIT
# cmake -DCOMPILER=... "-DINCLUDES=FOLDER;..." -DFOLDER=... -P precompile.cmake
# Precompiles the library as FOLDER/retort.hpp, with check.cmake's options: most of each check is reading the library.
list(TRANSFORM INCLUDES PREPEND "-I" OUTPUT_VARIABLE includes)
set(header "${FOLDER}/retort.hpp")
file(WRITE "${header}" "#include <retort/retort.hpp>\n")
if(COMPILER MATCHES "clang")
  set(precompiled "${header}.pch")
else()
  set(precompiled "${header}.gch")
endif()
execute_process(
  COMMAND "${COMPILER}" -std=c++20 ${includes} -x c++-header "${header}" -o "${precompiled}" COMMAND_ERROR_IS_FATAL ANY
)

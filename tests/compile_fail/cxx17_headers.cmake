# SPDX-License-Identifier: MIT
# cmake -DINCLUDE=FOLDER -P cxx17_headers.cmake
# Whichever header comes first, nothing of the library is read before core/require_cxx20.hpp: each header includes it, or
# another header of the library, before anything of its own.

file(GLOB_RECURSE headers RELATIVE "${INCLUDE}" "${INCLUDE}/retort/*.hpp")
list(REMOVE_ITEM headers "retort/core/require_cxx20.hpp")
list(LENGTH headers count)
if(count LESS 100)
  message(FATAL_ERROR "${INCLUDE}: ${count} headers, expected the library's")
endif()
foreach(header IN LISTS headers)
  file(READ "${INCLUDE}/${header}" text)
  string(FIND "${text}" "\n#include \"retort/" include)
  string(FIND "${text}" "\nnamespace " code)
  if(include EQUAL -1 OR (NOT code EQUAL -1 AND code LESS include))
    message(SEND_ERROR "${header}: includes no other header of the library, expected core/require_cxx20.hpp")
  endif()
endforeach()

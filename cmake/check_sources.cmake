# SPDX-License-Identifier: MIT
# cmake -DLIST=FOLDER/sources.txt -P check_sources.cmake
# Fails unless the list names every source file below its folder and no other: a file would silently be left out of a
# build. headers/, consumer/, compilers/ and fuzz/ below tests/, and peers/ and compile_time/ below benchmarks/,
# have builds of their own.

get_filename_component(folder "${LIST}" DIRECTORY)
file(STRINGS "${LIST}" listed REGEX "^[^#]")
file(GLOB_RECURSE on_disk RELATIVE "${folder}" "${folder}/*.cpp" "${folder}/*.cu")
list(FILTER on_disk EXCLUDE REGEX "^(headers|consumer|compilers|fuzz|peers|compile_time)/")

set(missing "${on_disk}")
list(REMOVE_ITEM missing ${listed})
list(REMOVE_ITEM listed ${on_disk})
if(missing)
  list(JOIN missing "\n" missing)
  message("On disk and not in ${LIST}:\n${missing}")
endif()
if(listed)
  list(JOIN listed "\n" listed)
  message("In ${LIST} and not on disk:\n${listed}")
endif()
if(missing OR listed)
  message(FATAL_ERROR "${LIST} does not match its folder")
endif()

# cmake -DREADME=FILE -DPROGRAM=FILE -P check_readme.cmake
# Fails unless the README shows the program as it is, so that the first thing people read is compiled.

file(READ "${README}" readme)
file(READ "${PROGRAM}" program)
string(FIND "${readme}" "```cpp\n${program}```\n" position)
if(position EQUAL -1)
  message(FATAL_ERROR "${README} does not show ${PROGRAM} as it is")
endif()

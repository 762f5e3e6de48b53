# SPDX-License-Identifier: MIT
# The options of Retort's own programs. None of them reaches the library's users.

option(RETORT_BUILD_TESTS "Build the tests (needs Catch2 and nlohmann_json)" ON)
option(RETORT_BUILD_EXAMPLES "Build the examples (needs CLI11)" ON)
option(RETORT_BUILD_BENCHMARKS "Build the benchmarks (needs Google Benchmark)" OFF)
option(RETORT_NATIVE "Compile Retort's own programs for this machine's processor (-march=native)" OFF)
option(RETORT_NATIVE_EXAMPLES "Compile examples and benchmarks for this machine's processor, whatever tests are for" OFF)
option(RETORT_SANITIZE "Compile the tests and the fuzz targets with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(RETORT_PRECOMPILE "Precompile retort.hpp (and Catch2) for Retort's own programs: hides missing includes" OFF)
option(RETORT_UNITE "Compile the sources of a program together, a few at a time: hides missing includes" OFF)
option(RETORT_WERROR "Treat warnings in Retort's own programs as errors" OFF)
option(RETORT_BRIEF_TESTS "Take few steps in long tests, as under the sanitizers" OFF)
option(RETORT_OPTIMISE_ALL "Optimise benchmarks and all tests; OFF: only the tests of kernels and of whole backends" ON)
option(RETORT_TEST_EMULATION "Test each kernel of backend::Cuda on the host: minutes to compile" ON)
set(RETORT_TEST_PREFIX "" CACHE STRING "Put before the name of every test, to tell builds apart in one ctest run")

if(RETORT_BUILD_TESTS)
  find_package(Catch2 REQUIRED) # 2.13 or 3
  find_package(nlohmann_json CONFIG REQUIRED) # another reader and writer of JSON, to compare with
endif()
if(RETORT_BUILD_EXAMPLES)
  find_package(CLI11 REQUIRED)
endif()
if(RETORT_BUILD_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug, RelWithDebInfo or MinSizeRel" FORCE)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_EXTENSIONS OFF)

# What tests, examples and benchmarks link: the library, the warnings, and the options above.
add_library(retort_program INTERFACE)
target_link_libraries(retort_program INTERFACE retort::retort)
set(warnings -Wall -Wextra)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 at -O2 and above sees uninitialised and overlapping memory in Eigen's vector code and in std::string, where
  # there is none.
  list(APPEND warnings -Wno-maybe-uninitialized -Wno-restrict)
endif()
set(conversions -Wconversion -Wsign-conversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # clang does not know the last two, and its -Wdouble-promotion takes double{a_float} for implicit.
  list(APPEND conversions -Wdouble-promotion -Wuseless-cast -Wduplicated-branches)
endif()
target_compile_definitions(retort_program INTERFACE $<$<BOOL:${RETORT_BRIEF_TESTS}>:RETORT_BRIEF_TESTS=1>)
set(for_this_processor -march=native)
if(RETORT_PRECOMPILE
   AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU"
   AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13
)
  # g++ 12 forgets the pragmas of a precompiled header, and so those of core/quiet_intrinsics.hpp.
  list(APPEND for_this_processor -Wno-uninitialized)
endif()
set(native "$<$<BOOL:${RETORT_NATIVE}>:${for_this_processor}>")
set(retort_example_options)
if(RETORT_NATIVE_EXAMPLES)
  set(retort_example_options "$<$<COMPILE_LANGUAGE:CXX>:${for_this_processor}>"
                             "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-march=native>"
  )
endif()
set(retort_hardly_optimised_options "$<$<NOT:$<BOOL:${RETORT_OPTIMISE_ALL}>>:-O0>")
target_compile_options(
  retort_program
  INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${warnings};-Wpedantic;${conversions};${native}>"
            "$<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${RETORT_WERROR}>>:-Werror>"
)
# nvcc hands these to the C++ compiler. Not -Wpedantic: the code that nvcc writes for it is not ISO C++.
list(JOIN warnings "," warnings)
target_compile_options(
  retort_program
  INTERFACE "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=${warnings};$<$<BOOL:${RETORT_WERROR}>:--Werror=all-warnings>>"
            "$<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<BOOL:${RETORT_NATIVE}>>:-Xcompiler=-march=native>"
)
if(RETORT_SANITIZE)
  if(retort_cuda_FOUND)
    message(FATAL_ERROR "RETORT_SANITIZE=ON needs RETORT_CUDA=OFF: the sanitizers check host code; "
                        "for the device there is compute-sanitizer"
    )
  endif()
  set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(retort_program INTERFACE ${sanitizers})
  target_link_options(retort_program INTERFACE ${sanitizers})
endif()

# retort_begin_with(TARGET HEADERS...): with RETORT_PRECOMPILE the target's C++ sources begin with HEADERS, compiled once for
# all targets that ask for the same with the same options. Only for targets made of retort_program and
# retort_add_backend_sources: the flags must be the same.
function(retort_begin_with target)
  if(NOT RETORT_PRECOMPILE)
    return()
  endif()
  get_target_property(options ${target} COMPILE_OPTIONS)
  string(MD5 hash "${ARGN} ${options}")
  string(SUBSTRING "${hash}" 0 8 hash)
  set(precompiled retort_precompiled_${hash})
  if(NOT TARGET ${precompiled})
    file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/${precompiled}.cpp" CONTENT "")
    add_library(${precompiled} OBJECT)
    retort_add_backend_sources(${precompiled} "${PROJECT_BINARY_DIR}/${precompiled}.cpp")
    if(options)
      set_property(TARGET ${precompiled} PROPERTY COMPILE_OPTIONS "${options}")
    endif()
    target_link_libraries(${precompiled} PRIVATE retort_program)
    set(headers ${ARGN})
    list(TRANSFORM headers REPLACE "^.+$" "$<$<COMPILE_LANGUAGE:CXX>:\\0>")
    target_precompile_headers(${precompiled} PRIVATE ${headers})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${precompiled})
endfunction()

# retort_unite(VARIABLE NAME SOURCES...): with RETORT_UNITE, SOURCES in units of at most eight (scripts/unite.sh), called NAME_0,
# NAME_1, ...; without, SOURCES.
function(retort_unite variable name)
  set(units ${ARGN})
  list(LENGTH ARGN count)
  if(RETORT_UNITE AND count GREATER 1)
    set(units)
    set(script "${PROJECT_SOURCE_DIR}/scripts/unite.sh")
    math(EXPR last "(${count} - 1) / 8")
    foreach(number RANGE ${last})
      # The sources are spread evenly.
      math(EXPR begin "${number} * ${count} / (${last} + 1)")
      math(EXPR length "(${number} + 1) * ${count} / (${last} + 1) - ${begin}")
      list(SUBLIST ARGN ${begin} ${length} sources)
      list(TRANSFORM sources PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
      set(unit "${CMAKE_CURRENT_BINARY_DIR}/${name}_${number}.cpp")
      add_custom_command(
        OUTPUT "${unit}"
        COMMAND "${script}" "${unit}" ${sources}
        DEPENDS "${script}" ${sources}
        VERBATIM
      )
      list(APPEND units "${unit}")
    endforeach()
  endif()
  set(${variable} ${units} PARENT_SCOPE)
endfunction()

# retort_read_sources(VARIABLE FILE) reads a list of source files, one on a line, which CMake and Meson share.
function(retort_read_sources variable file)
  file(STRINGS "${file}" sources REGEX "^[^#]")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  set(${variable} "${sources}" PARENT_SCOPE)
endfunction()

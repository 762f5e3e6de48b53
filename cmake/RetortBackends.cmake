# SPDX-License-Identifier: MIT
# Which backends besides Eigen are built, and whether Eigen's gets a BLAS and networks are written as ONNX: the options,
# the targets (retort-backends.cmake), the CUDA language for Retort's own programs, and the function that gives a program
# its sources.

set(RETORT_CUDA "AUTO" CACHE STRING "The CUDA backend: AUTO (where there is a CUDA toolkit), ON or OFF")
set(RETORT_THRUST "AUTO" CACHE STRING "Thrust's host systems cpp, omp and tbb: AUTO (those found), ON (all) or OFF")
set(RETORT_BLAS "AUTO" CACHE STRING "A BLAS for the Eigen backend: AUTO (where there is one with cblas.h), ON or OFF")
set(RETORT_ONNX "AUTO" CACHE STRING "Networks as ONNX: AUTO (where there is onnx's protobuf schema), ON or OFF")
set(RETORT_THRUST_INCLUDE_DIR "" CACHE PATH "Folder with thrust/version.h; empty: the toolkit's or the system's")
mark_as_advanced(RETORT_THRUST_INCLUDE_DIR)
foreach(option IN ITEMS RETORT_CUDA RETORT_THRUST RETORT_BLAS RETORT_ONNX)
  set_property(CACHE ${option} PROPERTY STRINGS AUTO ON OFF)
  string(TOUPPER "${${option}}" value)
  if(NOT value MATCHES "^(AUTO|ON|OFF)$")
    message(FATAL_ERROR "${option}=${${option}}: expected AUTO, ON or OFF")
  endif()
  set(${option} ${value})
endforeach()

include("${CMAKE_CURRENT_LIST_DIR}/retort-backends.cmake")
set(retort_components_scope GLOBAL)
foreach(component IN LISTS retort_components)
  if(component STREQUAL "cuda")
    set(option RETORT_CUDA)
  elseif(component STREQUAL "cblas")
    set(option RETORT_BLAS)
  elseif(component STREQUAL "onnx")
    set(option RETORT_ONNX)
  else()
    set(option RETORT_THRUST)
  endif()
  if(${option} STREQUAL "OFF")
    set(retort_${component}_FOUND FALSE)
    set(retort_${component}_MISSING "switched off by ${option}=OFF")
  else()
    retort_provide(${component})
  endif()
  if(${option} STREQUAL "ON" AND NOT retort_${component}_FOUND)
    message(FATAL_ERROR "${option}=ON: ${retort_${component}_MISSING}")
  endif()
endforeach()

if(NOT PROJECT_IS_TOP_LEVEL)
  foreach(component IN LISTS retort_components)
    if(retort_${component}_FOUND)
      message(STATUS "retort::${component} is there")
    else()
      message(STATUS "retort::${component} is not there: ${retort_${component}_MISSING}")
    endif()
  endforeach()
endif()

# The CUDA language. A project that includes this one enables it itself, where it has .cu files.
if(PROJECT_IS_TOP_LEVEL AND retort_cuda_FOUND)
  find_package(CUDAToolkit QUIET) # again, for its variables
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
    # Machine code for Hopper and PTX for what is newer. Not native, which is an error where there is no GPU.
    set(CMAKE_CUDA_ARCHITECTURES "90-real;90-virtual" CACHE STRING "GPU architectures, as CMake writes them")
  endif()
  # check_language tries the nvcc that CUDACXX names in a project of its own, so that one that does not work with this
  # machine's C++ compiler ends here with AUTO. It asks only once, hence unset.
  if(NOT CMAKE_CUDA_COMPILER)
    unset(CMAKE_CUDA_COMPILER CACHE)
    if(NOT DEFINED ENV{CUDACXX})
      set(ENV{CUDACXX} "${CUDAToolkit_NVCC_EXECUTABLE}")
    endif()
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA)
  else()
    set(retort_cuda_FOUND FALSE)
    set(retort_cuda_MISSING "$ENV{CUDACXX} does not compile here: see CMakeFiles in ${CMAKE_BINARY_DIR}")
    if(RETORT_CUDA STREQUAL "ON")
      message(FATAL_ERROR "RETORT_CUDA=ON: ${retort_cuda_MISSING}")
    endif()
  endif()
endif()

# retort_add_backend_sources(TARGET SOURCES...) gives a program those of its sources whose backend is there:
#   *_thrust_cpp.cpp, *_thrust_omp.cpp, *_thrust_tbb.cpp   with Thrust's headers, OpenMP, TBB
#   *.cu                                                   with CUDA
#   *_cblas.cpp, cblas_test.cpp                            with a BLAS
#   *_onnx.cpp, *_onnx_test.cpp                            with onnx's protobuf schema
#   all others                                             always
# The program is compiled with RETORT_HAS_THRUST_CPP, RETORT_HAS_THRUST_OMP, RETORT_HAS_THRUST_TBB, RETORT_HAS_CUDA,
# RETORT_HAS_CBLAS and RETORT_HAS_ONNX, each 1 or 0: whether this build has it.
function(retort_add_backend_sources target)
  foreach(component IN LISTS retort_components)
    string(TOUPPER "RETORT_HAS_${component}" macro)
    target_compile_definitions(${target} PRIVATE "${macro}=$<BOOL:${retort_${component}_FOUND}>")
  endforeach()

  foreach(source IN LISTS ARGN)
    if(source MATCHES "_(thrust_cpp|thrust_omp|thrust_tbb)\\.cpp$")
      set(component "${CMAKE_MATCH_1}")
    elseif(source MATCHES "\\.cu$")
      set(component cuda)
    elseif(source MATCHES "[/_](cblas|onnx)(_test)?\\.cpp$")
      set(component "${CMAKE_MATCH_1}")
    else()
      target_sources(${target} PRIVATE "${source}")
      continue()
    endif()
    if(NOT retort_${component}_FOUND)
      continue()
    endif()

    target_sources(${target} PRIVATE "${source}")
    if(component STREQUAL "thrust_omp")
      # OpenMP's flag for this file alone: everywhere, Eigen would start OpenMP threads of its own. Eigen's templates
      # must be the same in every file, hence the definition.
      target_link_libraries(
        ${target} PRIVATE retort::thrust_cpp "$<TARGET_PROPERTY:OpenMP::OpenMP_CXX,INTERFACE_LINK_LIBRARIES>"
      )
      set_property(
        SOURCE "${source}" APPEND
        PROPERTY COMPILE_OPTIONS "$<TARGET_PROPERTY:OpenMP::OpenMP_CXX,INTERFACE_COMPILE_OPTIONS>"
      )
      set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_DEFINITIONS EIGEN_DONT_PARALLELIZE)
      set_property(SOURCE "${source}" PROPERTY SKIP_PRECOMPILE_HEADERS ON)
    else()
      target_link_libraries(${target} PRIVATE retort::${component})
    endif()
  endforeach()
endfunction()

# SPDX-License-Identifier: MIT
# The targets of the Thrust and CUDA backends, of a BLAS for Eigen's and of ONNX, made from what this machine has. Retort's
# own build includes this file, and so does its installed package: both state the same facts once.
#
#   retort::thrust_cpp, retort::thrust_omp, retort::thrust_tbb   Thrust's headers, and OpenMP or TBB
#   retort::cuda                                                 the CUDA runtime (static), cuBLAS and cuBLASLt, for .cu files
#   retort::cblas                                                a BLAS with cblas.h, as find_package(BLAS) chooses it
#   retort::onnx                                                 onnx's protobuf schema and Protocol Buffers, for io/export_onnx.hpp
#
# retort_provide(COMPONENT) defines retort::COMPONENT and sets retort_COMPONENT_FOUND to TRUE; where something is
# missing it sets that to FALSE and retort_COMPONENT_MISSING to what is missing and how to get it.
# RETORT_THRUST_INCLUDE_DIR, where set, is the only place where Thrust's headers are looked for.

set(retort_components thrust_cpp thrust_omp thrust_tbb cuda cblas onnx)
set(retort_components_scope "") # GLOBAL where the targets must be seen by a project that includes Retort as a folder

# Sets retort_thrust_include_dir, retort_thrust_version and, where these are empty, retort_thrust_missing.
# The toolkit's own Thrust comes first: host and device code of one program must not see two versions. Without CUDA
# (RETORT_CUDA=OFF) a system's own comes first.
function(retort_find_thrust)
  set(folder "${RETORT_THRUST_INCLUDE_DIR}")
  if(NOT folder)
    unset(folder)
    if("${RETORT_CUDA}" STREQUAL "OFF")
      find_path(folder thrust/version.h NO_CACHE)
    else()
      find_package(CUDAToolkit QUIET)
      find_path(
        folder thrust/version.h
        PATHS ${CUDAToolkit_INCLUDE_DIRS}
        PATH_SUFFIXES cccl
        NO_DEFAULT_PATH NO_CACHE
      )
    endif()
    find_path(
      folder thrust/version.h
      PATHS "$ENV{CUDA_HOME}/include" "$ENV{CUDA_PATH}/include" /usr/local/cuda/include
      PATH_SUFFIXES cccl
      NO_CACHE
    )
  endif()

  set(version "")
  set(missing "")
  if(folder)
    get_filename_component(folder "${folder}" ABSOLUTE)
  endif()
  if(NOT folder)
    set(missing "Thrust is not found: apt-get install libthrust-dev, or set RETORT_THRUST_INCLUDE_DIR")
  elseif(NOT EXISTS "${folder}/thrust/version.h")
    set(missing "RETORT_THRUST_INCLUDE_DIR=${folder} has no thrust/version.h")
  else()
    file(STRINGS "${folder}/thrust/version.h" number REGEX "^#define[ \t]+THRUST_VERSION[ \t]+[0-9]+")
    string(REGEX REPLACE "^[^0-9]*([0-9]+).*$" "\\1" number "${number}")
    math(EXPR major "${number} / 100000")
    math(EXPR minor "${number} / 100 % 1000")
    math(EXPR patch "${number} % 100")
    set(version "${major}.${minor}.${patch}")
    if(version VERSION_LESS 1.17)
      set(missing "Thrust ${version} in ${folder} is too old: 1.17 or newer is needed")
    endif()
  endif()
  if(missing)
    set(folder "")
    set(version "")
  endif()
  set(retort_thrust_include_dir "${folder}" PARENT_SCOPE)
  set(retort_thrust_version "${version}" PARENT_SCOPE)
  set(retort_thrust_missing "${missing}" PARENT_SCOPE)
endfunction()

function(retort_provide_thrust component)
  retort_find_thrust()
  set(missing "${retort_thrust_missing}")
  set(libraries "")
  if(NOT missing AND component STREQUAL "thrust_omp")
    find_package(OpenMP QUIET COMPONENTS CXX)
    if(TARGET OpenMP::OpenMP_CXX)
      set(libraries OpenMP::OpenMP_CXX)
    elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
      string(REGEX MATCH "^[0-9]+" major "${CMAKE_CXX_COMPILER_VERSION}")
      set(missing "OpenMP for ${CMAKE_CXX_COMPILER} is not found: apt-get install libomp-${major}-dev")
    else()
      set(missing "OpenMP for ${CMAKE_CXX_COMPILER} is not found: it comes with g++ (libgomp)")
    endif()
  elseif(NOT missing AND component STREQUAL "thrust_tbb")
    find_package(TBB CONFIG QUIET COMPONENTS tbb)
    if(TARGET TBB::tbb)
      set(libraries TBB::tbb)
    else()
      set(missing "TBB is not found: apt-get install libtbb-dev")
    endif()
  endif()
  if(NOT missing)
    add_library(retort::${component} INTERFACE IMPORTED ${retort_components_scope})
    # For C++ alone: nvcc has a Thrust of its own, and a folder given with -isystem would come before it.
    target_include_directories(
      retort::${component} SYSTEM INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${retort_thrust_include_dir}>"
    )
    target_link_libraries(retort::${component} INTERFACE retort::retort ${libraries})
  endif()
  set(missing "${missing}" PARENT_SCOPE)
endfunction()

function(retort_provide_cuda)
  set(missing "")
  find_package(CUDAToolkit QUIET)
  set(how "install CUDA toolkit 13 or newer, or name its folder with -DCUDAToolkit_ROOT=FOLDER")
  if(NOT CUDAToolkit_FOUND)
    set(missing "no CUDA toolkit is found: ${how}")
  elseif(CUDAToolkit_VERSION VERSION_LESS 13)
    set(missing "CUDA toolkit ${CUDAToolkit_VERSION} in ${CUDAToolkit_BIN_DIR} is too old: ${how}")
  elseif(NOT TARGET CUDA::cudart_static OR NOT TARGET CUDA::cublas OR NOT TARGET CUDA::cublasLt)
    string(CONCAT missing "CUDA toolkit ${CUDAToolkit_VERSION} in ${CUDAToolkit_BIN_DIR} has no cudart_static, cublas "
                          "or cublasLt: ${how}"
    )
  else()
    add_library(retort::cuda INTERFACE IMPORTED ${retort_components_scope})
    target_link_libraries(retort::cuda INTERFACE retort::retort CUDA::cudart_static CUDA::cublas CUDA::cublasLt)
    # Under nvcc Eigen would lose its vectorisation, and the functions of one program get two bodies.
    target_compile_definitions(retort::cuda INTERFACE "$<$<COMPILE_LANGUAGE:CUDA>:EIGEN_NO_CUDA>")
    # Not cuda_std_20: CMake 3.25.1 and older do not know that nvcc 12 and newer have it.
    target_compile_options(retort::cuda INTERFACE "$<$<COMPILE_LANGUAGE:CUDA>:-std=c++20>")
  endif()
  set(missing "${missing}" PARENT_SCOPE)
endfunction()

function(retort_provide_cblas)
  set(missing "")
  find_package(BLAS QUIET) # BLA_VENDOR, where set, says which
  find_path(folder cblas.h PATH_SUFFIXES openblas cblas NO_CACHE)
  if(NOT BLAS_FOUND)
    set(missing "no BLAS is found: apt-get install libopenblas-dev, or name one with -DBLAS_LIBRARIES=FILE")
  elseif(NOT folder)
    set(missing "cblas.h is not found: apt-get install libopenblas-dev")
  else()
    include(CheckCXXSymbolExists)
    set(CMAKE_REQUIRED_INCLUDES "${folder}")
    set(CMAKE_REQUIRED_LIBRARIES "${BLAS_LIBRARIES}")
    set(CMAKE_REQUIRED_QUIET TRUE)
    unset(retort_cblas_links CACHE) # of the last configuration, which may have had another library
    check_cxx_symbol_exists(cblas_sgemm cblas.h retort_cblas_links)
    if(NOT retort_cblas_links)
      set(missing "${BLAS_LIBRARIES} has no cblas_sgemm: apt-get install libopenblas-dev")
    endif()
  endif()
  if(NOT missing)
    add_library(retort::cblas INTERFACE IMPORTED ${retort_components_scope})
    target_include_directories(retort::cblas SYSTEM INTERFACE "${folder}")
    target_link_libraries(retort::cblas INTERFACE retort::retort "${BLAS_LIBRARIES}")
  endif()
  set(missing "${missing}" PARENT_SCOPE)
endfunction()

# Not find_package(ONNX): Debian's package files of onnx name libraries in folders where they are not.
function(retort_provide_onnx)
  set(missing "")
  find_package(Protobuf QUIET)
  find_path(folder onnx/onnx_pb.h NO_CACHE)
  find_library(library onnx_proto NO_CACHE)
  if(NOT folder OR NOT library)
    set(missing "onnx/onnx_pb.h or its library onnx_proto is not found: apt-get install libonnx-dev")
  elseif(NOT TARGET protobuf::libprotobuf)
    set(missing "Protocol Buffers is not found: apt-get install libprotobuf-dev")
  else()
    get_filename_component(folder "${folder}" ABSOLUTE) # a slash at its end would hide that it is the system's own
    add_library(retort::onnx INTERFACE IMPORTED ${retort_components_scope})
    target_include_directories(retort::onnx SYSTEM INTERFACE "${folder}")
    target_link_libraries(retort::onnx INTERFACE retort::retort "${library}" protobuf::libprotobuf)
  endif()
  set(missing "${missing}" PARENT_SCOPE)
endfunction()

function(retort_provide component)
  set(missing "")
  if(NOT component IN_LIST retort_components)
    list(JOIN retort_components ", " known)
    set(missing "there is no such component; there are ${known}")
  elseif(NOT TARGET retort::${component})
    if(component STREQUAL "cuda")
      retort_provide_cuda()
    elseif(component STREQUAL "cblas")
      retort_provide_cblas()
    elseif(component STREQUAL "onnx")
      retort_provide_onnx()
    else()
      retort_provide_thrust(${component})
    endif()
  endif()
  if(missing)
    set(retort_${component}_FOUND FALSE PARENT_SCOPE)
  else()
    set(retort_${component}_FOUND TRUE PARENT_SCOPE)
  endif()
  set(retort_${component}_MISSING "${missing}" PARENT_SCOPE)
endfunction()

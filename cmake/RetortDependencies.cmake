# SPDX-License-Identifier: MIT
# What the headers include. retort-config.cmake.in finds the same packages for installed headers: keep the two alike.

find_package(Eigen3 CONFIG REQUIRED)
find_package(xtensor CONFIG REQUIRED)
find_package(xsimd CONFIG REQUIRED)
find_package(ZLIB REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

if(Eigen3_VERSION VERSION_LESS 3.4)
  message(FATAL_ERROR "Retort needs Eigen 3.4 or newer; found ${Eigen3_VERSION} in ${Eigen3_DIR}")
endif()

if((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
   OR (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 18)
)
  message(FATAL_ERROR "Retort needs g++ 12 or clang++ 18, or newer (floating-point template parameters); "
                      "found ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
  )
endif()

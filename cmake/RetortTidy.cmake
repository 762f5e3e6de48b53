# SPDX-License-Identifier: MIT
# `cmake --build BUILD --target tidy`: clang-tidy over the whole library (the source of tests/headers that includes all
# of it) and over the examples and benchmarks of this build. The checks are in .clang-tidy; any finding fails.

find_program(RETORT_RUN_CLANG_TIDY NAMES run-clang-tidy-19 run-clang-tidy)
find_program(RETORT_CLANG_TIDY NAMES clang-tidy-19 clang-tidy)
mark_as_advanced(RETORT_RUN_CLANG_TIDY RETORT_CLANG_TIDY)
if(RETORT_RUN_CLANG_TIDY AND RETORT_CLANG_TIDY AND RETORT_BUILD_TESTS)
  add_custom_target(
    tidy
    COMMAND "${RETORT_RUN_CLANG_TIDY}" -quiet -clang-tidy-binary "${RETORT_CLANG_TIDY}" -p "${PROJECT_BINARY_DIR}"
            -extra-arg=-Wno-unknown-warning-option -extra-arg=-Wno-double-promotion
            -extra-arg=-Wno-unused-command-line-argument
            "-header-filter=^${PROJECT_SOURCE_DIR}/" "/(all_headers|examples/.*|benchmarks/.*)\\.cpp$"
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    USES_TERMINAL VERBATIM
  )
endif()

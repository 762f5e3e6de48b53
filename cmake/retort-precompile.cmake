# SPDX-License-Identifier: MIT
# For projects that use Retort: its package includes this file, and so does its own build.
#
# retort_precompile(TARGET OTHERS...) compiles <retort/retort.hpp> once, in TARGET, for all C++ files of these targets. The
# compiler does not take it where the flags differ (processor, optimisation, warnings, definitions): call it once for
# each set of flags. Each of the targets links retort::retort.
function(retort_precompile target)
  # For C++ alone: a target may have C and CUDA files.
  target_precompile_headers(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:<retort/retort.hpp$<ANGLE-R>>")
  foreach(other IN LISTS ARGN)
    target_precompile_headers(${other} REUSE_FROM ${target})
  endforeach()
endfunction()

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Macros to be set before the first header of Thrust. Retort names the execution policy of every call and never asks
/// for Thrust's global device system; but by default Thrust takes that to be CUDA, which a host compiler cannot
/// include. A program that chooses another one keeps its choice.

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

#if !defined(__CUDACC__) && !defined(THRUST_DEVICE_SYSTEM)
#define THRUST_DEVICE_SYSTEM THRUST_DEVICE_SYSTEM_CPP
#endif

#include <thrust/version.h>

#include <string>

namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail {

/// "3.0.1".
inline std::string thrust_version() {
  return std::to_string(THRUST_MAJOR_VERSION) + "." + std::to_string(THRUST_MINOR_VERSION) + "." +
         std::to_string(THRUST_SUBMINOR_VERSION);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How many of a GPU's multiprocessors train one small model.

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// The threads that train a model which fits a block's memory. The sums are the same, but not the order in which they
/// are added up: the results are those of other roundings.
enum class ThreadGroup {
  block,    ///< of one block; a sweep's student has the same bits as one that trains alone
  cluster,  ///< of up to eight blocks that share the inputs; many models at once have a block each all the same
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The handle of the plain backend.

#include <string>

#include "retort/backend/arguments.hpp"
#include "retort/backend/chain.hpp"
#include "retort/backend/generic/host_memory.hpp"
#include "retort/core/matrix_view.hpp"

namespace plain {

using retort::MatrixView;
using retort::backend::BackwardArguments;
using retort::backend::Chain;
using retort::backend::ForwardArguments;
using retort::backend::InferArguments;
using retort::backend::LayerRandom;
using retort::backend::LossArguments;
using retort::backend::LossSum;
using retort::backend::TermArguments;
using retort::backend::Width;

/// HostMemory brings everything that is about memory.
struct Plain : retort::backend::HostMemory {
  static constexpr const char* name = "plain";

  std::string describe() const { return "plain loops on one thread"; }
};

}  // namespace plain

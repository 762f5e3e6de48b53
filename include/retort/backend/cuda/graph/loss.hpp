// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Softmax with its loss and gradient, a row of the batch a call.

#include <cstddef>
#include <type_traits>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/loss_row.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

/// LossRow with the step's arguments, and the gradient once more as a product's factor where `operands` is not null.
template <std::size_t Classes, typename Arguments, typename Output>
struct LossRowOfStep {
  using Scalar = typename Arguments::Value;

  const Arguments* arguments;
  LossArguments<Scalar> loss;  // but for samples, losses and correct
  Output* operands;            // (batch, Classes), or null

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    LossArguments<Scalar> current = loss;
    current.samples = arguments->samples;
    current.losses = arguments->losses;
    current.correct = arguments->correct;
    LossRow<typename Arguments::LossType, Classes, Scalar>(arguments->loss, current)(row);
    if (operands != nullptr) {
      for (std::size_t k = 0; k < Classes; ++k) {
        operands[row * Classes + k] = static_cast<Output>(current.gradient[row * Classes + k]);
      }
    }
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph

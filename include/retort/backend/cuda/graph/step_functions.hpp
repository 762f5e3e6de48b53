// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a step does besides the Linear layers and their chains: the loss, and the optimizer.

#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/apply_rule.hpp"
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

/// The optimizer's step: clipping, rule and the new weights as products' factors, in one pass over the parameters.
template <std::size_t Moments, typename Arguments, typename Output>
struct UpdateParameter {
  static_assert(Moments <= 2, "retort: the CUDA backend knows optimizers of up to two moments");

  using Scalar = typename Arguments::Value;

  const Arguments* arguments;
  Scalar* parameters;
  const Scalar* gradients;
  Scalar* first;
  Scalar* second;
  const Scalar* clip_factor;  // one number, or null
  Output* operands;           // laid out as the parameters, or null

  RETORT_HOST_DEVICE void operator()(std::size_t element) const {
    const auto& rule = arguments->rule;
    Scalar gradient = gradients[element];
    if (clip_factor != nullptr) {
      gradient *= *clip_factor;
    }
    Scalar parameter = parameters[element];
    apply_rule<Moments>(rule, parameter, gradient,
                        [&](std::size_t moment) -> Scalar& { return (moment == 0 ? first : second)[element]; });
    parameters[element] = parameter;
    if (operands != nullptr) {
      operands[element] = static_cast<Output>(parameter);
    }
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph

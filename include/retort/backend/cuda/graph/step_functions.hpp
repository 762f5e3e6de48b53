// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a step does besides the Linear layers and their chains: the loss, and the optimizer.

#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/backend/generic/apply_rule.hpp"
#include "retort/backend/generic/loss_row.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

/// LossRow with the step's arguments; also writes the gradient as a product's factor where `operands` is not null.
template <std::size_t Classes, typename Arguments, typename Output>
struct LossRowOfStep {
  using Scalar = typename Arguments::Value;

  const Arguments* arguments;
  LossArguments<Scalar> loss;  // without samples, losses and correct
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

/// The optimizer's step: clipping, rule and the new weights as products' factors, in one pass over the parameters, four
/// neighbours at a time. Arenas are whole groups.
template <typename Arguments, typename Output>
struct UpdateParameters {
  static constexpr std::size_t moment_count = Arguments::moment_count;
  using Scalar = typename Arguments::Value;

  const Arguments* arguments;
  Scalar* parameters;
  const Scalar* gradients;
  const Scalar* clip_factor;  // one number, or null
  Output* operands;           // laid out as the parameters, or null

  RETORT_HOST_DEVICE void operator()(std::size_t group) const {
    const std::size_t element = group * quad;
    const auto& rule = arguments->rule;
    const Scalar factor = clip_factor != nullptr ? *clip_factor : Scalar{1};
    Quad<Scalar> values = load_quad(static_cast<const Scalar*>(parameters) + element);
    const Quad<Scalar> gradient = load_quad(gradients + element);
    Quad<Scalar> moments[moment_count > 0 ? moment_count : 1];
    RETORT_UNROLL for (std::size_t i = 0; i < moment_count; ++i) {
      moments[i] = load_quad(static_cast<const Scalar*>(arguments->moments[i]) + element);
    }
    RETORT_UNROLL for (std::size_t i = 0; i < quad; ++i) {
      internal::apply_rule<moment_count>(rule, values.values[i], gradient.values[i] * factor,
                                         [&](std::size_t moment) -> Scalar& { return moments[moment].values[i]; });
    }
    store_quad(values, parameters + element);
    RETORT_UNROLL for (std::size_t i = 0; i < moment_count; ++i) {
      store_quad(moments[i], arguments->moments[i] + element);
    }
    if (operands != nullptr) {
      store_group(values.values, quad, operands + element);
    }
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The optimizer's step: clipping, rule and the new weights as products' factors, in one pass over the parameters.

#include <array>
#include <cstddef>

#include "retort/backend/generic/apply_rule.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

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

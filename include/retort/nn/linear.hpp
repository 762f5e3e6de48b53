// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The fully connected layer.

#include <array>
#include <cstddef>
#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Whether a layer adds a bias.
enum class Bias : bool { no, yes };

/// y = x W^T + b with x (batch, In), W (Out, In), b (Out), y (batch, Out): torch.nn.Linear, its layout and its names.
template <std::size_t In, std::size_t Out, Bias bias = Bias::yes>
struct Linear {
  static_assert(In > 0 && Out > 0, "retort: a Linear<In, Out> layer needs at least one input and one output");

  static constexpr std::string_view name = "Linear";
  static constexpr bool has_bias = bias == Bias::yes;
  static constexpr std::size_t input_size = In;
  static constexpr std::size_t output_size = Out;
  /// Operations of one sample's forward pass: a multiplication and an addition for each weight.
  static constexpr std::size_t flops = 2 * In * Out;

  static constexpr auto parameters = [] {
    constexpr TensorSpec weight{"weight", {Out, In}, 2, InitialValue::weight, In, Out};
    if constexpr (has_bias) {
      return std::array{weight, TensorSpec{"bias", {Out}, 1, InitialValue::bias, In, Out}};
    } else {
      return std::array{weight};
    }
  }();
  static constexpr std::array<TensorSpec, 0> buffers{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET

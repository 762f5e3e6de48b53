// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Layer normalisation.

#include <array>
#include <cstddef>
#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias, mean and (biased) variance over one sample's N features:
/// torch.nn.LayerNorm(N). Ba, Kiros and Hinton, arXiv:1607.06450.
template <std::size_t N>
struct LayerNorm {
  static_assert(N > 0, "retort: a LayerNorm<N> layer needs at least one feature");

  static constexpr std::string_view name = "LayerNorm";
  static constexpr double epsilon = 1e-5;
  static constexpr std::size_t input_size = N;
  static constexpr std::size_t output_size = N;
  static constexpr std::size_t flops = 0;  // elementwise work is not counted

  static constexpr std::array parameters{TensorSpec{"weight", {N}, 1, InitialValue::one, N, N},
                                         TensorSpec{"bias", {N}, 1, InitialValue::zero, N, N}};
  static constexpr std::array<TensorSpec, 0> buffers{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET

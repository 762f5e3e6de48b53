// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Batch normalisation.

#include <array>
#include <cstddef>
#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias for each of N features: torch.nn.BatchNorm1d(N). Ioffe and
/// Szegedy, arXiv:1502.03167. While training, mean and (biased) variance are the batch's, and the running ones move by
/// `momentum` towards the batch's mean and unbiased variance; otherwise the running ones are used. A training batch
/// needs at least two samples. `num_batches_tracked` is kept as Scalar, exact up to 2^24 steps in float; nothing here
/// depends on it.
template <std::size_t N>
struct BatchNorm {
  static_assert(N > 0, "retort: a BatchNorm<N> layer needs at least one feature");

  static constexpr std::string_view name = "BatchNorm";
  static constexpr double epsilon = 1e-5;
  static constexpr double momentum = 0.1;
  static constexpr std::size_t minimum_batch = 2;
  static constexpr std::size_t input_size = N;
  static constexpr std::size_t output_size = N;
  static constexpr std::size_t flops = 0;  // elementwise work is not counted

  static constexpr std::array parameters{TensorSpec{"weight", {N}, 1, InitialValue::one, N, N},
                                         TensorSpec{"bias", {N}, 1, InitialValue::zero, N, N}};
  static constexpr std::array buffers{TensorSpec{"running_mean", {N}, 1, InitialValue::zero, N, N},
                                      TensorSpec{"running_var", {N}, 1, InitialValue::one, N, N, false, true},
                                      TensorSpec{"num_batches_tracked", {}, 0, InitialValue::zero, 1, 1, true}};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// LayerNorm of a row, and BatchNorm of a row outside of training.

#include <cmath>
#include <cstddef>

#include "retort/backend/generic/strands.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail {

/// Of a variance, or of a vector of them.
template <typename L, typename T>
RETORT_HOST_DEVICE T inverse_deviation(const T& variance) {
  using std::sqrt;
  return constant<T>(1) / sqrt(variance + constant<T>(L::epsilon));
}

/// Mean and inverse deviation of a row of LayerNorm.
template <typename L, typename Scalar>
struct RowStatistics {
  Scalar mean;
  Scalar inverse_deviation;

  RETORT_HOST_DEVICE explicit RowStatistics(const Scalar* x) {
    constexpr auto count = static_cast<Scalar>(L::input_size);
    const Scalar average = sum_in_strands<Scalar>(L::input_size, [&](std::size_t i) { return x[i]; }) / count;
    const Scalar variance = sum_in_strands<Scalar>(L::input_size, [&](std::size_t i) {
      const Scalar centred = x[i] - average;
      return centred * centred;
    });
    mean = average;
    inverse_deviation = detail::inverse_deviation<L>(variance / count);
  }
};

template <typename L, typename Scalar>
struct LayerNormRow {
  static constexpr std::size_t width = L::input_size;

  const Scalar* weight;
  const Scalar* bias;
  const Scalar* input;
  Scalar* output;

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    const Scalar* x = input + row * width;
    Scalar* y = output + row * width;
    const RowStatistics<L, Scalar> of(x);
    for (std::size_t i = 0; i < width; ++i) {
      y[i] = (x[i] - of.mean) * of.inverse_deviation * weight[i] + bias[i];
    }
  }
};

template <typename L, typename Scalar>
struct BatchNormInference {
  static constexpr std::size_t width = L::input_size;

  const Scalar* weight;
  const Scalar* bias;
  const Scalar* running_mean;
  const Scalar* running_variance;
  const Scalar* input;
  Scalar* output;

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    for (std::size_t i = 0; i < width; ++i) {
      output[row * width + i] = (input[row * width + i] - running_mean[i]) /
                                    std::sqrt(running_variance[i] + static_cast<Scalar>(L::epsilon)) * weight[i] +
                                bias[i];
    }
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail

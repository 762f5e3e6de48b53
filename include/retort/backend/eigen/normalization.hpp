// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// LayerNorm and BatchNorm on the Eigen backend. The backward passes compute the statistics again instead of storing
/// them.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/eigen/core.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/product.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/layer_norm.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

template <typename Scalar>
struct Moments {
  Scalar mean;
  Scalar inverse_deviation;
};

template <typename L, typename Scalar>
Moments<Scalar> row_moments(ConstArray<Scalar> row) {
  const Scalar mean = row.mean();
  const Scalar variance = (row - mean).square().mean();
  return {mean, Scalar{1} / std::sqrt(variance + static_cast<Scalar>(L::epsilon))};
}

/// Rows of N elements on aligned memory that the thread keeps. Eigen begins its SIMD loops where an array is aligned,
/// so a row's last bits would depend on its address.
template <std::size_t N, typename Scalar, std::size_t Count>
class AlignedRows {
 public:
  AlignedRows() : memory_(thread_scratch<Scalar, AlignedRows>(Count * stride)) {}

  Array<Scalar> array(std::size_t row) { return {memory_ + row * stride, static_cast<::Eigen::Index>(N)}; }
  ConstArray<Scalar> copy(std::size_t row, const Scalar* values) {
    std::copy_n(values, N, memory_ + row * stride);
    return {memory_ + row * stride, static_cast<::Eigen::Index>(N)};
  }
  void store(std::size_t row, Scalar* values) const { std::copy_n(memory_ + row * stride, N, values); }

 private:
  static constexpr std::size_t stride = aligned_extent(N);
  Scalar* memory_;
};

template <typename L, typename Scalar>
void layer_norm_rows(const Scalar* parameters, const Scalar* input, Scalar* output, std::size_t batch) {
  constexpr auto n = static_cast<::Eigen::Index>(L::input_size);
  const ConstArray<Scalar> weight(parameters, n);
  const ConstArray<Scalar> bias(parameters + tensor_offset(L::parameters, 1), n);
  AlignedRows<L::input_size, Scalar, 2> rows;
  for (std::size_t sample = 0; sample < batch; ++sample) {
    const ConstArray<Scalar> x = rows.copy(0, input + sample * L::input_size);
    const Moments<Scalar> moments = row_moments<L, Scalar>(x);
    rows.array(1) = (x - moments.mean) * moments.inverse_deviation * weight + bias;
    rows.store(1, output + sample * L::input_size);
  }
}

/// Columns [first, first + count) of a batch: sums run over the samples in order, a strip of columns at a time.
template <std::size_t N, typename Scalar>
struct ColumnStrip {
  static constexpr std::size_t width = 64;
  static constexpr std::size_t strips = (N + width - 1) / width;

  std::size_t first;
  std::size_t count;

  explicit ColumnStrip(std::size_t strip) : first(strip * width), count(std::min(width, N - first)) {}

  using Sums = std::array<Scalar, width>;

  /// sums[c] = sum over samples of function(sample, column first + c).
  template <typename Function>
  Sums sum(std::size_t batch, const Function& function) const {
    Sums sums{};
    for (std::size_t sample = 0; sample < batch; ++sample) {
      for (std::size_t c = 0; c < count; ++c) {
        sums[c] += function(sample * N + first + c, c);
      }
    }
    return sums;
  }
};

/// A strip's mean and biased variance over the batch.
template <std::size_t N, typename Scalar>
struct BatchMoments {
  typename ColumnStrip<N, Scalar>::Sums mean;
  typename ColumnStrip<N, Scalar>::Sums variance;

  BatchMoments(const ColumnStrip<N, Scalar>& strip, const Scalar* input, std::size_t batch) {
    const auto samples = static_cast<Scalar>(batch);
    mean = strip.sum(batch, [&](std::size_t element, std::size_t) { return input[element]; });
    for (Scalar& value : mean) {
      value /= samples;
    }
    variance = strip.sum(batch, [&](std::size_t element, std::size_t c) {
      const Scalar centred = input[element] - mean[c];
      return centred * centred;
    });
    for (Scalar& value : variance) {
      value /= samples;
    }
  }
};

template <typename L, typename Scalar>
Scalar inverse_deviation(Scalar variance) {
  return Scalar{1} / std::sqrt(variance + static_cast<Scalar>(L::epsilon));
}

}  // namespace detail

template <typename Scalar, std::size_t N>
void infer(const Eigen&, LayerNorm<N>, Width<N>, const InferArguments<Scalar>& arguments) {
  detail::layer_norm_rows<LayerNorm<N>>(arguments.parameters, arguments.input, arguments.output, arguments.batch);
}

template <typename Scalar, std::size_t N>
void forward(const Eigen&, LayerNorm<N>, Width<N>, const ForwardArguments<Scalar>& arguments) {
  detail::layer_norm_rows<LayerNorm<N>>(arguments.parameters, arguments.input, arguments.output, arguments.batch);
}

/// With x^ the normalised row and g = dy * weight: dx = (g - mean(g) - x^ mean(g x^)) / deviation.
template <typename Scalar, std::size_t N>
void backward(const Eigen&, LayerNorm<N>, Width<N>, const BackwardArguments<Scalar>& arguments) {
  using L = LayerNorm<N>;
  using detail::Array;
  using detail::ConstArray;
  constexpr auto n = static_cast<::Eigen::Index>(N);
  const ConstArray<Scalar> weight(arguments.parameters, n);
  Array<Scalar> weight_gradient(arguments.parameter_gradients, n);
  Array<Scalar> bias_gradient(arguments.parameter_gradients + tensor_offset(L::parameters, 1), n);
  weight_gradient.setZero();
  bias_gradient.setZero();
  detail::AlignedRows<N, Scalar, 3> rows;
  for (std::size_t sample = 0; sample < arguments.batch; ++sample) {
    const ConstArray<Scalar> x = rows.copy(0, arguments.input + sample * N);
    const ConstArray<Scalar> dy = rows.copy(1, arguments.output_gradient + sample * N);
    const auto [mean, inverse_deviation] = detail::row_moments<L, Scalar>(x);
    weight_gradient += dy * (x - mean) * inverse_deviation;
    bias_gradient += dy;
    if (arguments.input_gradient != nullptr) {
      const Scalar mean_g = (dy * weight).mean();
      const Scalar mean_gx = (dy * weight * (x - mean) * inverse_deviation).mean();
      rows.array(2) = (dy * weight - mean_g - (x - mean) * inverse_deviation * mean_gx) * inverse_deviation;
      rows.store(2, arguments.input_gradient + sample * N);
    }
  }
}

template <typename Scalar, std::size_t N>
void infer(const Eigen&, BatchNorm<N>, Width<N>, const InferArguments<Scalar>& arguments) {
  using L = BatchNorm<N>;
  using detail::ConstArray;
  constexpr auto n = static_cast<::Eigen::Index>(N);
  const ConstArray<Scalar> weight(arguments.parameters, n);
  const ConstArray<Scalar> bias(arguments.parameters + tensor_offset(L::parameters, 1), n);
  const ConstArray<Scalar> running_mean(arguments.buffers, n);
  const ConstArray<Scalar> running_variance(arguments.buffers + tensor_offset(L::buffers, 1), n);
  detail::AlignedRows<N, Scalar, 2> rows;
  for (std::size_t sample = 0; sample < arguments.batch; ++sample) {
    const ConstArray<Scalar> x = rows.copy(0, arguments.input + sample * N);
    rows.array(1) = (x - running_mean) / (running_variance + static_cast<Scalar>(L::epsilon)).sqrt() * weight + bias;
    rows.store(1, arguments.output + sample * N);
  }
}

template <typename Scalar, std::size_t N>
void forward(const Eigen& backend, BatchNorm<N>, Width<N>, const ForwardArguments<Scalar>& arguments) {
  using L = BatchNorm<N>;
  using Strip = detail::ColumnStrip<N, Scalar>;
  const Scalar* weight = arguments.parameters;
  const Scalar* bias = arguments.parameters + tensor_offset(L::parameters, 1);
  Scalar* running_mean = arguments.buffers;
  Scalar* running_variance = arguments.buffers + tensor_offset(L::buffers, 1);
  Scalar* batches_tracked = arguments.buffers + tensor_offset(L::buffers, 2);
  const auto samples = static_cast<Scalar>(arguments.batch);
  backend.pool().for_each_chunk(Strip::strips, [&](std::size_t index) {
    const Strip strip(index);
    const detail::BatchMoments<N, Scalar> moments(strip, arguments.input, arguments.batch);
    typename Strip::Sums scale{};
    for (std::size_t c = 0; c < strip.count; ++c) {
      scale[c] = weight[strip.first + c] * detail::inverse_deviation<L>(moments.variance[c]);
    }
    for (std::size_t sample = 0; sample < arguments.batch; ++sample) {
      const std::size_t row = sample * N + strip.first;
      for (std::size_t c = 0; c < strip.count; ++c) {
        arguments.output[row + c] = (arguments.input[row + c] - moments.mean[c]) * scale[c] + bias[strip.first + c];
      }
    }
    constexpr auto momentum = static_cast<Scalar>(L::momentum);
    const Scalar unbias = samples / (samples - Scalar{1});
    for (std::size_t c = 0; c < strip.count; ++c) {
      Scalar& mean = running_mean[strip.first + c];
      Scalar& variance = running_variance[strip.first + c];
      mean += momentum * (moments.mean[c] - mean);
      variance += momentum * (moments.variance[c] * unbias - variance);
    }
  });
  *batches_tracked += Scalar{1};
}

/// With x^ the normalised column: dx = weight / deviation * (dy - mean(dy) - x^ mean(dy x^)), means over the batch.
template <typename Scalar, std::size_t N>
void backward(const Eigen& backend, BatchNorm<N>, Width<N>, const BackwardArguments<Scalar>& arguments) {
  using L = BatchNorm<N>;
  using Strip = detail::ColumnStrip<N, Scalar>;
  const Scalar* weight = arguments.parameters;
  Scalar* weight_gradient = arguments.parameter_gradients;
  Scalar* bias_gradient = arguments.parameter_gradients + tensor_offset(L::parameters, 1);
  const auto samples = static_cast<Scalar>(arguments.batch);
  backend.pool().for_each_chunk(Strip::strips, [&](std::size_t index) {
    const Strip strip(index);
    const detail::BatchMoments<N, Scalar> moments(strip, arguments.input, arguments.batch);
    typename Strip::Sums inverse_deviation{};
    for (std::size_t c = 0; c < strip.count; ++c) {
      inverse_deviation[c] = detail::inverse_deviation<L>(moments.variance[c]);
    }
    const auto normalised = [&](std::size_t element, std::size_t c) {
      return (arguments.input[element] - moments.mean[c]) * inverse_deviation[c];
    };
    const auto sum_dy = strip.sum(arguments.batch,
                                  [&](std::size_t element, std::size_t) { return arguments.output_gradient[element]; });
    const auto sum_dyx = strip.sum(arguments.batch, [&](std::size_t element, std::size_t c) {
      return arguments.output_gradient[element] * normalised(element, c);
    });
    std::copy_n(sum_dyx.begin(), strip.count, weight_gradient + strip.first);
    std::copy_n(sum_dy.begin(), strip.count, bias_gradient + strip.first);
    if (arguments.input_gradient == nullptr) {
      return;
    }
    for (std::size_t sample = 0; sample < arguments.batch; ++sample) {
      for (std::size_t c = 0; c < strip.count; ++c) {
        const std::size_t element = sample * N + strip.first + c;
        arguments.input_gradient[element] =
            weight[strip.first + c] * inverse_deviation[c] *
            (arguments.output_gradient[element] - (sum_dy[c] + normalised(element, c) * sum_dyx[c]) / samples);
      }
    }
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

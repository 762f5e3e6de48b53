// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// LayerNorm (a row a call) and BatchNorm (a column a call) on Thrust. The backward passes compute the statistics again
/// instead of storing them.

#include <cmath>
#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/layer_norm.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// Mean and biased variance of `count` values that lie `stride` apart, summed in order.
template <typename Scalar>
struct Statistics {
  Scalar mean;
  Scalar variance;

  RETORT_HOST_DEVICE Statistics(const Scalar* values, std::size_t count, std::size_t stride) : mean(0), variance(0) {
    for (std::size_t i = 0; i < count; ++i) {
      mean += values[i * stride];
    }
    mean /= static_cast<Scalar>(count);
    for (std::size_t i = 0; i < count; ++i) {
      const Scalar centred = values[i * stride] - mean;
      variance += centred * centred;
    }
    variance /= static_cast<Scalar>(count);
  }

  RETORT_HOST_DEVICE Scalar inverse_deviation(double epsilon) const {
    return Scalar{1} / std::sqrt(variance + static_cast<Scalar>(epsilon));
  }
};

template <std::size_t N, typename Scalar>
struct LayerNormRow {
  const Scalar* weight;
  const Scalar* bias;
  const Scalar* input;
  Scalar* output;
  double epsilon;

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    const Scalar* x = input + row * N;
    const Statistics<Scalar> statistics(x, N, 1);
    const Scalar inverse_deviation = statistics.inverse_deviation(epsilon);
    for (std::size_t i = 0; i < N; ++i) {
      output[row * N + i] = (x[i] - statistics.mean) * inverse_deviation * weight[i] + bias[i];
    }
  }
};

/// Keeps the row's statistics for the columns, and, where asked for, dx: with x^ the normalised row and
/// g = dy * weight, dx = (g - mean(g) - x^ mean(g x^)) / deviation.
template <std::size_t N, typename Scalar>
struct LayerNormRowGradient {
  const Scalar* weight;
  const Scalar* input;
  const Scalar* output_gradient;
  Scalar* input_gradient;  // null where not needed
  Scalar* statistics;      // (batch, 2): mean, inverse deviation
  double epsilon;

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    const Scalar* x = input + row * N;
    const Scalar* dy = output_gradient + row * N;
    const Statistics<Scalar> of_row(x, N, 1);
    const Scalar mean = of_row.mean;
    const Scalar inverse_deviation = of_row.inverse_deviation(epsilon);
    statistics[2 * row] = mean;
    statistics[2 * row + 1] = inverse_deviation;
    if (input_gradient == nullptr) {
      return;
    }
    Scalar mean_g = 0;
    Scalar mean_gx = 0;
    for (std::size_t i = 0; i < N; ++i) {
      mean_g += dy[i] * weight[i];
      mean_gx += dy[i] * weight[i] * (x[i] - mean) * inverse_deviation;
    }
    mean_g /= static_cast<Scalar>(N);
    mean_gx /= static_cast<Scalar>(N);
    for (std::size_t i = 0; i < N; ++i) {
      input_gradient[row * N + i] =
          (dy[i] * weight[i] - mean_g - (x[i] - mean) * inverse_deviation * mean_gx) * inverse_deviation;
    }
  }
};

template <std::size_t N, typename Scalar>
struct LayerNormColumnGradient {
  const Scalar* input;
  const Scalar* output_gradient;
  const Scalar* statistics;  // (batch, 2)
  std::size_t batch;
  Scalar* weight_gradient;
  Scalar* bias_gradient;

  RETORT_HOST_DEVICE void operator()(std::size_t column) const {
    Scalar of_weight = 0;
    Scalar of_bias = 0;
    for (std::size_t row = 0; row < batch; ++row) {
      const Scalar dy = output_gradient[row * N + column];
      of_weight += dy * (input[row * N + column] - statistics[2 * row]) * statistics[2 * row + 1];
      of_bias += dy;
    }
    weight_gradient[column] = of_weight;
    bias_gradient[column] = of_bias;
  }
};

template <std::size_t N, typename Scalar>
struct BatchNormInference {
  const Scalar* weight;
  const Scalar* bias;
  const Scalar* running_mean;
  const Scalar* running_variance;
  const Scalar* input;
  Scalar* output;
  double epsilon;

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    for (std::size_t i = 0; i < N; ++i) {
      output[row * N + i] = (input[row * N + i] - running_mean[i]) /
                                std::sqrt(running_variance[i] + static_cast<Scalar>(epsilon)) * weight[i] +
                            bias[i];
    }
  }
};

template <std::size_t N, typename Scalar>
struct BatchNormColumn {
  const Scalar* weight;
  const Scalar* bias;
  Scalar* running_mean;
  Scalar* running_variance;
  Scalar* batches_tracked;  // (1)
  const Scalar* input;
  Scalar* output;
  std::size_t batch;
  double epsilon;
  double momentum;

  RETORT_HOST_DEVICE void operator()(std::size_t column) const {
    const Statistics<Scalar> statistics(input + column, batch, N);
    const Scalar scale = weight[column] * statistics.inverse_deviation(epsilon);
    for (std::size_t row = 0; row < batch; ++row) {
      output[row * N + column] = (input[row * N + column] - statistics.mean) * scale + bias[column];
    }
    const auto share = static_cast<Scalar>(momentum);
    const auto samples = static_cast<Scalar>(batch);
    running_mean[column] += share * (statistics.mean - running_mean[column]);
    running_variance[column] +=
        share * (statistics.variance * (samples / (samples - Scalar{1})) - running_variance[column]);
    if (column == 0) {
      *batches_tracked += Scalar{1};
    }
  }
};

/// With x^ the normalised column: dx = weight / deviation * (dy - mean(dy) - x^ mean(dy x^)), means over the batch.
template <std::size_t N, typename Scalar>
struct BatchNormColumnGradient {
  const Scalar* weight;
  const Scalar* input;
  const Scalar* output_gradient;
  Scalar* input_gradient;  // null where not needed
  Scalar* weight_gradient;
  Scalar* bias_gradient;
  std::size_t batch;
  double epsilon;

  RETORT_HOST_DEVICE void operator()(std::size_t column) const {
    const Statistics<Scalar> statistics(input + column, batch, N);
    const Scalar inverse_deviation = statistics.inverse_deviation(epsilon);
    Scalar sum_dy = 0;
    Scalar sum_dyx = 0;
    for (std::size_t element = column; element < batch * N; element += N) {
      sum_dy += output_gradient[element];
      sum_dyx += output_gradient[element] * ((input[element] - statistics.mean) * inverse_deviation);
    }
    weight_gradient[column] = sum_dyx;
    bias_gradient[column] = sum_dy;
    if (input_gradient == nullptr) {
      return;
    }
    const auto samples = static_cast<Scalar>(batch);
    for (std::size_t element = column; element < batch * N; element += N) {
      const Scalar normalised = (input[element] - statistics.mean) * inverse_deviation;
      input_gradient[element] =
          weight[column] * inverse_deviation * (output_gradient[element] - (sum_dy + normalised * sum_dyx) / samples);
    }
  }
};

/// Of InferArguments or ForwardArguments.
template <std::size_t N, typename Scalar, typename System, typename Arguments>
void layer_norm(const Thrust<System>& backend, const Arguments& arguments) {
  using L = LayerNorm<N>;
  backend.for_each(arguments.batch,
                   LayerNormRow<N, Scalar>{arguments.parameters, arguments.parameters + tensor_offset(L::parameters, 1),
                                           arguments.input, arguments.output, L::epsilon});
}

}  // namespace detail

template <typename System, typename Scalar, std::size_t N>
void infer(const Thrust<System>& backend, LayerNorm<N>, Width<N>, const InferArguments<Scalar>& arguments) {
  detail::layer_norm<N, Scalar>(backend, arguments);
}

template <typename System, typename Scalar, std::size_t N>
void forward(const Thrust<System>& backend, LayerNorm<N>, Width<N>, const ForwardArguments<Scalar>& arguments) {
  detail::layer_norm<N, Scalar>(backend, arguments);
}

template <typename System, typename Scalar, std::size_t N>
void backward(const Thrust<System>& backend, LayerNorm<N>, Width<N>, const BackwardArguments<Scalar>& arguments) {
  using L = LayerNorm<N>;
  auto statistics = backend.template scratch<Scalar>(2 * arguments.batch);
  backend.for_each(arguments.batch, detail::LayerNormRowGradient<N, Scalar>{
                                        arguments.parameters, arguments.input, arguments.output_gradient,
                                        arguments.input_gradient, statistics.data(), L::epsilon});
  backend.for_each(
      N, detail::LayerNormColumnGradient<N, Scalar>{arguments.input, arguments.output_gradient, statistics.data(),
                                                    arguments.batch, arguments.parameter_gradients,
                                                    arguments.parameter_gradients + tensor_offset(L::parameters, 1)});
}

template <typename System, typename Scalar, std::size_t N>
void infer(const Thrust<System>& backend, BatchNorm<N>, Width<N>, const InferArguments<Scalar>& arguments) {
  using L = BatchNorm<N>;
  backend.for_each(arguments.batch, detail::BatchNormInference<N, Scalar>{
                                        arguments.parameters, arguments.parameters + tensor_offset(L::parameters, 1),
                                        arguments.buffers, arguments.buffers + tensor_offset(L::buffers, 1),
                                        arguments.input, arguments.output, L::epsilon});
}

template <typename System, typename Scalar, std::size_t N>
void forward(const Thrust<System>& backend, BatchNorm<N>, Width<N>, const ForwardArguments<Scalar>& arguments) {
  using L = BatchNorm<N>;
  backend.for_each(
      N, detail::BatchNormColumn<N, Scalar>{
             arguments.parameters, arguments.parameters + tensor_offset(L::parameters, 1), arguments.buffers,
             arguments.buffers + tensor_offset(L::buffers, 1), arguments.buffers + tensor_offset(L::buffers, 2),
             arguments.input, arguments.output, arguments.batch, L::epsilon, L::momentum});
}

template <typename System, typename Scalar, std::size_t N>
void backward(const Thrust<System>& backend, BatchNorm<N>, Width<N>, const BackwardArguments<Scalar>& arguments) {
  using L = BatchNorm<N>;
  backend.for_each(
      N, detail::BatchNormColumnGradient<N, Scalar>{arguments.parameters, arguments.input, arguments.output_gradient,
                                                    arguments.input_gradient, arguments.parameter_gradients,
                                                    arguments.parameter_gradients + tensor_offset(L::parameters, 1),
                                                    arguments.batch, L::epsilon});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

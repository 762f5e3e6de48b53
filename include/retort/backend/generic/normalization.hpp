// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// LayerNorm (a row a call) and BatchNorm (a strip of columns a call). The backward passes compute the statistics again
/// instead of storing them.

#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/backend/generic/normalized_row.hpp"
#include "retort/backend/generic/strands.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/layer_norm.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// Keeps the row's statistics for the columns and computes dx, unless it is null. With x^ the normalised row and
/// g = dy * weight, dx = (g - mean(g) - x^ mean(g x^)) / deviation.
template <typename L, typename Scalar>
struct LayerNormRowGradient {
  static constexpr std::size_t width = L::input_size;

  const Scalar* weight;
  const Scalar* input;
  const Scalar* output_gradient;
  Scalar* input_gradient;  // null where not needed
  Scalar* statistics;      // (batch, 2): mean, inverse deviation

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    const Scalar* x = input + row * width;
    const Scalar* dy = output_gradient + row * width;
    const RowStatistics<L, Scalar> of(x);
    statistics[2 * row] = of.mean;
    statistics[2 * row + 1] = of.inverse_deviation;
    if (input_gradient == nullptr) {
      return;
    }
    constexpr auto count = static_cast<Scalar>(width);
    const auto g = [&](std::size_t i) { return dy[i] * weight[i]; };
    const auto normalised = [&](std::size_t i) { return (x[i] - of.mean) * of.inverse_deviation; };
    const Scalar mean_g = sum_in_strands<Scalar>(width, g) / count;
    const Scalar mean_gx = sum_in_strands<Scalar>(width, [&](std::size_t i) { return g(i) * normalised(i); }) / count;
    for (std::size_t i = 0; i < width; ++i) {
      input_gradient[row * width + i] = (g(i) - mean_g - normalised(i) * mean_gx) * of.inverse_deviation;
    }
  }
};

template <typename B>
inline constexpr std::size_t column_strip = B::host_memory ? 64 : 1;

template <typename L, std::size_t Strip, typename Scalar>
struct LayerNormColumnGradients {
  const Scalar* input;
  const Scalar* output_gradient;
  const Scalar* statistics;  // (batch, 2)
  std::size_t batch;
  Scalar* weight_gradient;
  Scalar* bias_gradient;

  RETORT_HOST_DEVICE void operator()(std::size_t index) const {
    const ColumnStrip<Strip> strip(L::input_size, index);
    Scalar of_weight[Strip] = {};
    Scalar of_bias[Strip] = {};
    for (std::size_t row = 0; row < batch; ++row) {
      const std::size_t begin = row * L::input_size + strip.first;
      for (std::size_t column = 0; column < strip.count; ++column) {
        const Scalar dy = output_gradient[begin + column];
        of_weight[column] += dy * (input[begin + column] - statistics[2 * row]) * statistics[2 * row + 1];
        of_bias[column] += dy;
      }
    }
    for (std::size_t column = 0; column < strip.count; ++column) {
      weight_gradient[strip.first + column] = of_weight[column];
      bias_gradient[strip.first + column] = of_bias[column];
    }
  }
};

/// Means and biased variances of BatchNorm's columns over the batch.
template <typename L, std::size_t Strip, typename Scalar>
struct ColumnStatistics {
  Scalar mean[Strip] = {};
  Scalar variance[Strip] = {};

  RETORT_HOST_DEVICE ColumnStatistics(const ColumnStrip<Strip>& strip, const Scalar* input, std::size_t batch) {
    const auto samples = static_cast<Scalar>(batch);
    strip.for_each(batch, [&](std::size_t element, std::size_t column) { mean[column] += input[element]; });
    for (Scalar& value : mean) {
      value /= samples;
    }
    strip.for_each(batch, [&](std::size_t element, std::size_t column) {
      const Scalar centred = input[element] - mean[column];
      variance[column] += centred * centred;
    });
    for (Scalar& value : variance) {
      value /= samples;
    }
  }
};

template <typename L, std::size_t Strip, typename Scalar>
struct BatchNormColumns {
  const Scalar* weight;
  const Scalar* bias;
  Scalar* running_mean;
  Scalar* running_variance;
  Scalar* batches_tracked;  // (1)
  const Scalar* input;
  Scalar* output;
  std::size_t batch;

  RETORT_HOST_DEVICE void operator()(std::size_t index) const {
    const ColumnStrip<Strip> strip(L::input_size, index);
    const ColumnStatistics<L, Strip, Scalar> of(strip, input, batch);
    Scalar scale[Strip] = {};
    for (std::size_t column = 0; column < strip.count; ++column) {
      scale[column] = weight[strip.first + column] * inverse_deviation<L>(of.variance[column]);
    }
    strip.for_each(batch, [&](std::size_t element, std::size_t column) {
      output[element] = (input[element] - of.mean[column]) * scale[column] + bias[strip.first + column];
    });
    constexpr auto momentum = static_cast<Scalar>(L::momentum);
    const auto samples = static_cast<Scalar>(batch);
    const Scalar unbias = samples / (samples - Scalar{1});
    for (std::size_t column = 0; column < strip.count; ++column) {
      Scalar& mean = running_mean[strip.first + column];
      Scalar& variance = running_variance[strip.first + column];
      mean += momentum * (of.mean[column] - mean);
      variance += momentum * (of.variance[column] * unbias - variance);
    }
    if (index == 0) {
      *batches_tracked += Scalar{1};
    }
  }
};

/// With x^ the normalised column: dx = weight / deviation * (dy - mean(dy) - x^ mean(dy x^)), means over the batch.
template <typename L, std::size_t Strip, typename Scalar>
struct BatchNormColumnGradients {
  const Scalar* weight;
  const Scalar* input;
  const Scalar* output_gradient;
  Scalar* input_gradient;  // null where not needed
  Scalar* weight_gradient;
  Scalar* bias_gradient;
  std::size_t batch;

  RETORT_HOST_DEVICE void operator()(std::size_t index) const {
    const ColumnStrip<Strip> strip(L::input_size, index);
    const ColumnStatistics<L, Strip, Scalar> of(strip, input, batch);
    Scalar inverse[Strip] = {};
    for (std::size_t column = 0; column < strip.count; ++column) {
      inverse[column] = inverse_deviation<L>(of.variance[column]);
    }
    const auto normalised = [&](std::size_t element, std::size_t column) {
      return (input[element] - of.mean[column]) * inverse[column];
    };
    Scalar sum_dy[Strip] = {};
    Scalar sum_dyx[Strip] = {};
    strip.for_each(batch, [&](std::size_t element, std::size_t column) {
      sum_dy[column] += output_gradient[element];
      sum_dyx[column] += output_gradient[element] * normalised(element, column);
    });
    for (std::size_t column = 0; column < strip.count; ++column) {
      weight_gradient[strip.first + column] = sum_dyx[column];
      bias_gradient[strip.first + column] = sum_dy[column];
    }
    if (input_gradient == nullptr) {
      return;
    }
    const auto samples = static_cast<Scalar>(batch);
    strip.for_each(batch, [&](std::size_t element, std::size_t column) {
      input_gradient[element] =
          weight[strip.first + column] * inverse[column] *
          (output_gradient[element] - (sum_dy[column] + normalised(element, column) * sum_dyx[column]) / samples);
    });
  }
};

}  // namespace detail

template <typename B, typename Scalar, std::size_t N>
void infer(const Generic<B>& generic, LayerNorm<N>, Width<N>, const InferArguments<Scalar>& arguments) {
  using L = LayerNorm<N>;
  for_each_of<N>(
      generic.self(), arguments.batch,
      detail::LayerNormRow<L, Scalar>{arguments.parameters, arguments.parameters + tensor_offset(L::parameters, 1),
                                      arguments.input, arguments.output});
}

template <typename B, typename Scalar, std::size_t N>
void forward(const Generic<B>& generic, LayerNorm<N> layer, Width<N> width, const ForwardArguments<Scalar>& arguments) {
  infer(generic, layer, width, arguments.inference());
}

template <typename B, typename Scalar, std::size_t N>
void backward(const Generic<B>& generic, LayerNorm<N>, Width<N>, const BackwardArguments<Scalar>& arguments) {
  using L = LayerNorm<N>;
  using Columns = detail::LayerNormColumnGradients<L, detail::column_strip<B>, Scalar>;
  const B& backend = generic.self();
  auto statistics = backend.template scratch<Scalar>(2 * arguments.batch);
  for_each_of<N>(
      backend, arguments.batch,
      detail::LayerNormRowGradient<L, Scalar>{arguments.parameters, arguments.input, arguments.output_gradient,
                                              arguments.input_gradient, statistics.data()});
  detail::for_each(
      backend, detail::ColumnStrip<detail::column_strip<B>>::strips(N),
      Columns{arguments.input, arguments.output_gradient, statistics.data(), arguments.batch,
              arguments.parameter_gradients, arguments.parameter_gradients + tensor_offset(L::parameters, 1)});
}

template <typename B, typename Scalar, std::size_t N>
void infer(const Generic<B>& generic, BatchNorm<N>, Width<N>, const InferArguments<Scalar>& arguments) {
  using L = BatchNorm<N>;
  for_each_of<N>(generic.self(), arguments.batch,
                 detail::BatchNormInference<L, Scalar>{
                     arguments.parameters, arguments.parameters + tensor_offset(L::parameters, 1), arguments.buffers,
                     arguments.buffers + tensor_offset(L::buffers, 1), arguments.input, arguments.output});
}

template <typename B, typename Scalar, std::size_t N>
void forward(const Generic<B>& generic, BatchNorm<N>, Width<N>, const ForwardArguments<Scalar>& arguments) {
  using L = BatchNorm<N>;
  using Columns = detail::BatchNormColumns<L, detail::column_strip<B>, Scalar>;
  detail::for_each(
      generic.self(), detail::ColumnStrip<detail::column_strip<B>>::strips(N),
      Columns{arguments.parameters, arguments.parameters + tensor_offset(L::parameters, 1), arguments.buffers,
              arguments.buffers + tensor_offset(L::buffers, 1), arguments.buffers + tensor_offset(L::buffers, 2),
              arguments.input, arguments.output, arguments.batch});
}

template <typename B, typename Scalar, std::size_t N>
void backward(const Generic<B>& generic, BatchNorm<N>, Width<N>, const BackwardArguments<Scalar>& arguments) {
  using L = BatchNorm<N>;
  using Columns = detail::BatchNormColumnGradients<L, detail::column_strip<B>, Scalar>;
  detail::for_each(generic.self(), detail::ColumnStrip<detail::column_strip<B>>::strips(N),
                   Columns{arguments.parameters, arguments.input, arguments.output_gradient, arguments.input_gradient,
                           arguments.parameter_gradients,
                           arguments.parameter_gradients + tensor_offset(L::parameters, 1), arguments.batch});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// LayerNorm and BatchNorm on panels. Features stand below one another and samples side by side: LayerNorm's sums run
/// down, a vector of samples at once, and BatchNorm's along rows. Formulas as in generic/normalization.hpp.

#include <array>
#include <cmath>
#include <cstddef>

#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/eigen/panel/row_sums.hpp"
#include "retort/backend/generic/normalized_row.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_pool.hpp"
#include "retort/nn/layer.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// The mean and inverse deviation of each sample (LayerNorm) or feature (BatchNorm).
template <typename Scalar>
struct Statistics {
  Scalar* mean;
  Scalar* inverse_deviation;
};

/// What the gradient of a LayerNorm's input takes from each sample: with g = dy * weight, the means of g and of g x^.
template <typename Scalar>
struct GradientMeans {
  Scalar* of_gradient;
  Scalar* of_product;
};

/// Calls function(first, place) for every vector of samples in a batch: its first sample, and where its features begin
/// in a matrix (Features, batch). The pool's threads share them where a layer is wide.
template <std::size_t Features, typename V, typename Function>
void for_each_sample_vector(internal::ThreadPool& pool, std::size_t batch, const Function& function) {
  constexpr std::size_t least_features = 256;  // fewer are not worth a second thread
  const std::size_t vectors = vectors_for<V>(batch);
  const auto call = [&](std::size_t index) {
    const std::size_t first = index * simd::lanes<V>;
    const std::size_t of_panel = first % simd::tile_width<V>;
    function(first, (first - of_panel) * Features + of_panel);
  };
  if constexpr (Features < least_features) {
    for (std::size_t index = 0; index < vectors; ++index) {
      call(index);
    }
  } else {
    pool.for_each_piece(vectors, call);
  }
}

namespace detail {

/// The sum of term(feature), a vector of samples, over all features. Four sums at once, as each waits for its last
/// addition.
template <std::size_t Features, typename V, typename Term>
V sum_features(const Term& term) {
  constexpr std::size_t strands = 4;
  constexpr std::size_t whole = Features / strands * strands;
  std::array<V, strands> sums;
  sums.fill(V(simd::ScalarOf<V>{0}));
  for (std::size_t feature = 0; feature < whole; feature += strands) {
    simd::detail::unroll<strands>([&](std::size_t s) __attribute__((always_inline)) { sums[s] += term(feature + s); });
  }
  simd::detail::unroll<Features - whole>([&](std::size_t s)
                                             __attribute__((always_inline)) { sums[s] += term(whole + s); });
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// Calls function(feature, weight, bias) for rows of a normalization, with its parameters in all lanes.
template <typename L, typename V, typename Function>
void for_each_normalized_row(const simd::ScalarOf<V>* parameters, RowRange rows, const Function& function) {
  for (std::size_t row = rows.begin; row < rows.end; ++row) {
    function(row, V(parameters[row]), V(parameters[bias_offset<L> + row]));
  }
}

}  // namespace detail

/// The statistics of a vector of samples, whose features begin at `input` and at every width from there.
template <typename L, typename V>
void layer_norm_statistics(const simd::ScalarOf<V>* input, const Statistics<simd::ScalarOf<V>>& samples) {
  using Scalar = simd::ScalarOf<V>;
  constexpr auto count = static_cast<Scalar>(L::input_size);
  const auto load = [&](std::size_t row) { return V::load_aligned(input + row * width<Scalar>); };
  const V mean = detail::sum_features<L::input_size, V>(load) / V(count);
  const V variance = detail::sum_features<L::input_size, V>([&](std::size_t row) {
                       const V centred = load(row) - mean;
                       return centred * centred;
                     }) /
                     V(count);
  mean.store_aligned(samples.mean);
  backend::detail::inverse_deviation<L>(variance).store_aligned(samples.inverse_deviation);
}

/// Rows of one panel's output; it may be the input. `samples`: the panel's.
template <typename L, typename V>
void layer_norm_rows(const simd::ScalarOf<V>* parameters, const Statistics<simd::ScalarOf<V>>& samples,
                     const simd::ScalarOf<V>* input, simd::ScalarOf<V>* output,
                     const PanelRows<simd::ScalarOf<V>>& rows) {
  using Scalar = simd::ScalarOf<V>;
  const std::size_t vectors = rows.vectors();
  detail::for_each_normalized_row<L, V>(parameters, rows, [&](std::size_t row, const V& weight, const V& bias) {
    for (std::size_t v = 0; v < vectors; ++v) {
      const std::size_t sample = v * simd::lanes<V>;
      const std::size_t at = row * width<Scalar> + sample;
      const V centred = V::load_aligned(input + at) - V::load_aligned(samples.mean + sample);
      (centred * V::load_aligned(samples.inverse_deviation + sample) * weight + bias).store_aligned(output + at);
    }
  });
}

/// For a vector of samples, the means that the gradient of their inputs needs.
template <typename L, typename V>
void layer_norm_gradient_means(const simd::ScalarOf<V>* parameters, const Statistics<simd::ScalarOf<V>>& samples,
                               const simd::ScalarOf<V>* input, const simd::ScalarOf<V>* gradient,
                               const GradientMeans<simd::ScalarOf<V>>& means) {
  using Scalar = simd::ScalarOf<V>;
  constexpr auto count = static_cast<Scalar>(L::input_size);
  const V mean = V::load_aligned(samples.mean);
  const V inverse = V::load_aligned(samples.inverse_deviation);
  const auto weighted = [&](std::size_t row) {
    return V::load_aligned(gradient + row * width<Scalar>) * V(parameters[row]);
  };
  (detail::sum_features<L::input_size, V>(weighted) / V(count)).store_aligned(means.of_gradient);
  const V products = detail::sum_features<L::input_size, V>([&](std::size_t row) {
    return weighted(row) * ((V::load_aligned(input + row * width<Scalar>) - mean) * inverse);
  });
  (products / V(count)).store_aligned(means.of_product);
}

/// Rows of the gradients of weight and bias, (features) each, and of the input's gradient, which replaces the output's.
/// `sums` has room for two numbers a feature. All statistics are by sample of the batch.
template <typename L, typename V, typename Sink>
void layer_norm_gradient_rows(const simd::ScalarOf<V>* parameters, const Statistics<simd::ScalarOf<V>>& samples,
                              const GradientMeans<simd::ScalarOf<V>>& means, const simd::ScalarOf<V>* input,
                              simd::ScalarOf<V>* gradient, std::size_t batch, RowRange rows, simd::ScalarOf<V>* sums,
                              const Sink& sink) {
  using Scalar = simd::ScalarOf<V>;
  constexpr std::size_t features = L::input_size;
  Scalar* of_weight = sums;
  Scalar* of_bias = sums + features;
  for_each_row_tile<features>(rows, [&]<std::size_t Rows>(std::size_t row) {
    std::array<V, Rows> weight_sums;
    std::array<V, Rows> bias_sums;
    weight_sums.fill(V(Scalar{0}));
    bias_sums.fill(V(Scalar{0}));
    for_each_panel<Scalar>(batch, rows, [&](const PanelRows<Scalar>& panel) {
      simd::for_each_vector<V>(panel.samples, [&](std::size_t at, std::size_t count) {
        const std::size_t sample = panel.first_sample() + at;
        const V mean = V::load_aligned(samples.mean + sample);
        const V inverse = V::load_aligned(samples.inverse_deviation + sample);
        const V mean_gradient = V::load_aligned(means.of_gradient + sample);
        const V mean_product = V::load_aligned(means.of_product + sample);
        for (std::size_t r = 0; r < Rows; ++r) {
          const std::size_t place = panel.place(features) + (row + r) * width<Scalar> + at;
          const V dy = V::load_aligned(gradient + place);
          const V normalised = (V::load_aligned(input + place) - mean) * inverse;
          const V product = dy * normalised;
          const bool whole = count == simd::lanes<V>;
          weight_sums[r] += whole ? product : simd::first_elements(product, count);
          bias_sums[r] += whole ? dy : simd::first_elements(dy, count);
          ((dy * V(parameters[row + r]) - mean_gradient - normalised * mean_product) * inverse)
              .store_aligned(gradient + place);
        }
      });
    });
    for (std::size_t r = 0; r < Rows; ++r) {
      of_weight[row + r] = simd::sum_lanes(weight_sums[r]);
      of_bias[row + r] = simd::sum_lanes(bias_sums[r]);
    }
  });
  sink_sums<V>(of_weight, rows, 0, sink);
  sink_sums<V>(of_bias, rows, bias_offset<L>, sink);
}

/// What a BatchNorm changes as it trains.
template <typename Scalar>
struct RunningStatistics {
  Scalar* mean;
  Scalar* variance;
  Scalar* batches_tracked;  // (1)
};

template <typename L, typename Scalar>
RunningStatistics<Scalar> running_statistics(Scalar* buffers) {
  return {buffers, buffers + tensor_offset(L::buffers, 1), buffers + tensor_offset(L::buffers, 2)};
}

/// Rows of a training batch's output, and of its statistics. The running ones move towards them.
template <typename L, typename V>
void batch_norm_rows(const simd::ScalarOf<V>* parameters, const RunningStatistics<simd::ScalarOf<V>>& running,
                     const Statistics<simd::ScalarOf<V>>& features, const simd::ScalarOf<V>* input,
                     simd::ScalarOf<V>* output, std::size_t batch, RowRange rows) {
  using Scalar = simd::ScalarOf<V>;
  const auto samples = static_cast<Scalar>(batch);
  const Scalar unbias = samples / (samples - Scalar{1});
  constexpr auto momentum = static_cast<Scalar>(L::momentum);
  for_each_row_tile<L::input_size>(rows, [&]<std::size_t Rows>(std::size_t row) {
    auto mean = sum_row_tile<Rows, V>(L::input_size, batch, row, [&](std::size_t /*r*/, std::size_t place) {
      return V::load_aligned(input + place);
    });
    for (Scalar& value : mean) {
      value /= samples;
    }
    const auto squares = sum_row_tile<Rows, V>(L::input_size, batch, row, [&](std::size_t r, std::size_t place) {
      const V centred = V::load_aligned(input + place) - V(mean[r]);
      return centred * centred;
    });
    for (std::size_t r = 0; r < Rows; ++r) {
      const Scalar variance = squares[r] / samples;
      features.mean[row + r] = mean[r];
      features.inverse_deviation[row + r] = backend::detail::inverse_deviation<L>(variance);
      running.mean[row + r] += momentum * (mean[r] - running.mean[row + r]);
      running.variance[row + r] += momentum * (variance * unbias - running.variance[row + r]);
    }
  });
  if (rows.begin == 0) {
    *running.batches_tracked += Scalar{1};
  }
  for_each_panel<Scalar>(batch, rows, [&](const PanelRows<Scalar>& panel) {
    const std::size_t vectors = panel.vectors();
    detail::for_each_normalized_row<L, V>(parameters, rows, [&](std::size_t row, const V& weight, const V& bias) {
      const V mean(features.mean[row]);
      const V scale = weight * V(features.inverse_deviation[row]);
      const std::size_t place = panel.place(L::input_size) + row * width<Scalar>;
      for (std::size_t at = place; at < place + vectors * simd::lanes<V>; at += simd::lanes<V>) {
        ((V::load_aligned(input + at) - mean) * scale + bias).store_aligned(output + at);
      }
    });
  });
}

/// Like layer_norm_gradient_rows, with the statistics of batch_norm_rows.
template <typename L, typename V, typename Sink>
void batch_norm_gradient_rows(const simd::ScalarOf<V>* parameters, const Statistics<simd::ScalarOf<V>>& features,
                              const simd::ScalarOf<V>* input, simd::ScalarOf<V>* gradient, std::size_t batch,
                              RowRange rows, simd::ScalarOf<V>* sums, const Sink& sink) {
  using Scalar = simd::ScalarOf<V>;
  Scalar* of_weight = sums;
  Scalar* of_bias = sums + L::input_size;
  const auto normalised = [&](std::size_t row, std::size_t place) {
    return (V::load_aligned(input + place) - V(features.mean[row])) * V(features.inverse_deviation[row]);
  };
  const auto samples = static_cast<Scalar>(batch);
  for_each_row_tile<L::input_size>(rows, [&]<std::size_t Rows>(std::size_t row) {
    const auto of_dy = sum_row_tile<Rows, V>(L::input_size, batch, row, [&](std::size_t /*r*/, std::size_t place) {
      return V::load_aligned(gradient + place);
    });
    const auto of_product = sum_row_tile<Rows, V>(L::input_size, batch, row, [&](std::size_t r, std::size_t place) {
      return V::load_aligned(gradient + place) * normalised(row + r, place);
    });
    for (std::size_t r = 0; r < Rows; ++r) {
      of_weight[row + r] = of_product[r];
      of_bias[row + r] = of_dy[r];
    }
  });
  for_each_panel<Scalar>(batch, rows, [&](const PanelRows<Scalar>& panel) {
    const std::size_t vectors = panel.vectors();
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      const V mean_dy(of_bias[row] / samples);
      const V mean_product(of_weight[row] / samples);
      const V scale(parameters[row] * features.inverse_deviation[row]);
      const std::size_t place = panel.place(L::input_size) + row * width<Scalar>;
      for (std::size_t at = place; at < place + vectors * simd::lanes<V>; at += simd::lanes<V>) {
        (scale * (V::load_aligned(gradient + at) - mean_dy - normalised(row, at) * mean_product))
            .store_aligned(gradient + at);
      }
    }
  });
  sink_sums<V>(of_weight, rows, 0, sink);
  sink_sums<V>(of_bias, rows, bias_offset<L>, sink);
}

namespace detail {

/// Weight over deviation of `count` features from `first` on, outside of training.
template <typename L, typename V>
V running_scales(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* buffers, std::size_t first,
                 std::size_t count) {
  const V variance = simd::load<V>(buffers + tensor_offset(L::buffers, 1) + first, count);
  return simd::load<V>(parameters + first, count) * backend::detail::inverse_deviation<L>(variance);
}

}  // namespace detail

/// Rows of one panel outside of training, in place.
template <typename L, typename V>
void infer_batch_norm_rows(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* buffers,
                           simd::ScalarOf<V>* values, const PanelRows<simd::ScalarOf<V>>& rows) {
  using Scalar = simd::ScalarOf<V>;
  const std::size_t vectors = rows.vectors();
  simd::for_each_vector<V>(rows.count(), [&](std::size_t position, std::size_t count) {
    const std::size_t first = rows.begin + position;
    alignas(64) std::array<Scalar, simd::lanes<V>> scales;
    detail::running_scales<L, V>(parameters, buffers, first, count).store_aligned(scales.data());
    for (std::size_t i = 0; i < count; ++i) {
      const V mean(buffers[first + i]);
      const V scale(scales[i]);
      const V bias(parameters[bias_offset<L> + first + i]);
      Scalar* row_values = values + (first + i) * width<Scalar>;
      for (std::size_t at = 0; at < vectors * simd::lanes<V>; at += simd::lanes<V>) {
        ((V::load_aligned(row_values + at) - mean) * scale + bias).store_aligned(row_values + at);
      }
    }
  });
}

/// Columns of rows (samples, features) outside of training, in place. From one row to the next are `stride` numbers.
template <typename L, typename V>
void infer_batch_norm_columns(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* buffers,
                              simd::ScalarOf<V>* rows, std::size_t samples, std::size_t stride, RowRange columns) {
  using Scalar = simd::ScalarOf<V>;
  simd::for_each_vector<V>(columns.count(), [&](std::size_t position, std::size_t count) {
    const std::size_t at = columns.begin + position;
    const V mean = simd::load<V>(buffers + at, count);
    const V scale = detail::running_scales<L, V>(parameters, buffers, at, count);
    const V bias = simd::load<V>(parameters + bias_offset<L> + at, count);
    for (std::size_t sample = 0; sample < samples; ++sample) {
      Scalar* values = rows + sample * stride + at;
      simd::store((simd::load<V>(values, count) - mean) * scale + bias, values, count);
    }
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel

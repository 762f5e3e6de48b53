// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model's layers on one sample, in plain loops, with its weights where a file has them. The sums are those of
/// backend/generic, to the bit.

#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

#include "retort/backend/generic/dot_products.hpp"
#include "retort/backend/generic/normalized_row.hpp"
#include "retort/backend/generic/square_means.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/shape.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// The tensors of a layer: pointers to floats, in the order of its parameters, and of its buffers.
struct LayerTensors {
  const std::byte* const* parameters;
  const std::byte* const* buffers;

  const float* parameter(std::size_t index) const { return reinterpret_cast<const float*>(parameters[index]); }
  const float* buffer(std::size_t index) const { return reinterpret_cast<const float*>(buffers[index]); }
};

/// y (Out) = W (Out, In) x (In): the sums of RowDotProducts, in the same order.
template <std::size_t In, std::size_t Out>
void multiply(const float* weights, const float* x, float* y) {
  using Product = backend::detail::RowDotProducts<float, 1, 1>;
#if (defined(__SSE__) || defined(__ARM_NEON)) && !defined(__CUDACC__)
  // g++ makes no SIMD of a tile with a single row; these are vectors of GNU C, for any processor that has some.
  constexpr std::size_t lanes = Product::lanes;
  constexpr std::size_t together = 4;
  constexpr std::size_t whole = In / lanes * lanes;
  using Lanes [[gnu::vector_size(lanes * sizeof(float))]] = float;
  for (std::size_t first = 0; first < Out; first += together) {
    Lanes sums[together] = {};
    const float* rows[together];
    for (std::size_t i = 0; i < together; ++i) {
      rows[i] = weights + (first + i < Out ? first + i : Out - 1) * In;  // beyond the edge the last one again
    }
    for (std::size_t k = 0; k < whole; k += lanes) {
      Lanes of_x;
      std::memcpy(&of_x, x + k, sizeof(of_x));
      for (std::size_t i = 0; i < together; ++i) {
        Lanes of_row;
        std::memcpy(&of_row, rows[i] + k, sizeof(of_row));
        sums[i] += of_x * of_row;
      }
    }
    for (std::size_t i = 0; i < together && first + i < Out; ++i) {
      float sum = 0;
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        sum += sums[i][lane];
      }
      for (std::size_t k = whole; k < In; ++k) {
        sum += x[k] * rows[i][k];
      }
      y[first + i] = sum;
    }
  }
#else
  const Product product{{x, 1, In}, {weights, Out, In}, {y, 1, Out}};
  for (std::size_t tile = 0; tile < product.tiles(); ++tile) {
    product(tile);
  }
#endif
}

// y = layer(x): `x` and `y` do not overlap.

template <std::size_t In, std::size_t Out, Bias bias>
void infer_sample(Linear<In, Out, bias>, const LayerTensors& tensors, const float* x, float* y) {
  multiply<In, Out>(tensors.parameter(0), x, y);
  if constexpr (bias == Bias::yes) {
    for (std::size_t i = 0; i < Out; ++i) {
      y[i] += tensors.parameter(1)[i];
    }
  }
}

template <std::size_t N>
void infer_sample(LayerNorm<N>, const LayerTensors& tensors, const float* x, float* y) {
  backend::detail::LayerNormRow<LayerNorm<N>, float>{tensors.parameter(0), tensors.parameter(1), x, y}(0);
}

template <std::size_t N>
void infer_sample(BatchNorm<N>, const LayerTensors& tensors, const float* x, float* y) {
  backend::detail::BatchNormInference<BatchNorm<N>, float>{
      tensors.parameter(0), tensors.parameter(1), tensors.buffer(0), tensors.buffer(1), x, y}(0);
}

template <typename Input, std::size_t K>
void infer_sample(AvgPool2d<Input, K>, const LayerTensors& /*tensors*/, const float* x, float* y) {
  using L = AvgPool2d<Input, K>;
  using Squares = backend::detail::SquareRuns<L, L::columns / K>;
  const backend::detail::SquareMeans<Squares, float> means{x, y};
  for (std::size_t run = 0; run < L::output_size / Squares::run; ++run) {
    means(run);
  }
}

template <typename L>
concept PredictableLayer = PointwiseLayer<L> || requires(const LayerTensors& tensors, float* values) {
  infer_sample(L{}, tensors, values, values);
};

/// The place of a layer's first tensor among those of a model.
template <std::size_t N>
constexpr std::size_t first_tensor(const std::array<TensorInfo, N>& tensors, std::size_t layer) {
  std::size_t first = 0;
  while (first < N && tensors[first].layer < layer) {
    ++first;
  }
  return first;
}

/// A model's numbers between its layers: two arrays, of which a sized layer reads one and writes the other.
template <Model M>
class Activations {
 public:
  Activations() {}  // NOLINT(modernize-use-equals-default): the arrays are left as they are, even by Activations{}

  /// (in)
  float* input() { return even_.data(); }

  /// The outputs (out) of what `input` holds. `places` are the tensors, parameters first.
  const float* infer(const std::byte* const* places) {
    std::array<float*, 2> halves{even_.data(), odd_.data()};
    [&]<std::size_t... Index>(std::index_sequence<Index...>) {
      (apply<Index>(places, halves), ...);
    }(std::make_index_sequence<M::layer_count>{});
    return halves[0];
  }

 private:
  template <std::size_t Index>
  static void apply(const std::byte* const* places, std::array<float*, 2>& halves) {
    using L = typename M::template LayerAt<Index>;
    static_assert(PredictableLayer<L>,
                  "retort/predict.hpp: a layer of this model is none that it knows: Linear, LayerNorm, BatchNorm, "
                  "AvgPool2d and all pointwise layers; io::export_c ships a Quantized model");
    if constexpr (SizedLayer<L>) {
      constexpr std::size_t parameter = first_tensor(M::parameters, Index);
      constexpr std::size_t buffer = M::parameters.size() + first_tensor(M::buffers, Index);
      const LayerTensors tensors{places + parameter, places + buffer};
      infer_sample(L{}, tensors, halves[0], halves[1]);
      std::swap(halves[0], halves[1]);
    } else if constexpr (ElementwiseLayer<L>) {
      for (std::size_t i = 0; i < M::widths[Index]; ++i) {
        halves[0][i] = static_cast<float>(L::value(halves[0][i]));
      }
    }
  }

  /// The largest width in the half that `odd` names.
  static constexpr std::size_t widest(bool odd) {
    std::size_t result = odd ? 1 : M::input_size;
    bool in_odd = false;
    [&]<std::size_t... Index>(std::index_sequence<Index...>) {
      const auto visit = [&](bool sized, std::size_t width) {
        in_odd = in_odd != sized;
        result = in_odd == odd && width > result ? width : result;
      };
      (visit(SizedLayer<typename M::template LayerAt<Index>>, M::widths[Index + 1]), ...);
    }(std::make_index_sequence<M::layer_count>{});
    return result;
  }

  std::array<float, widest(false)> even_;
  std::array<float, widest(true)> odd_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

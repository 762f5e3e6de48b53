// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A graph's products on Thrust's host systems: their plain loops, over factors rounded as tensor cores round them.

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "retort/backend/cuda/graph/column_sums.hpp"
#include "retort/backend/cuda/graph/epilogue.hpp"
#include "retort/backend/cuda/graph/linear_spec.hpp"
#include "retort/backend/cuda/graph/operand.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/backend/generic/product.hpp"
#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

namespace detail {

/// A factor as the float that the tensor cores read.
template <typename Factor>
struct TakeFactor {
  const Factor* factors;
  float* taken;

  void operator()(std::size_t element) const {
    if constexpr (std::is_same_v<Factor, Bfloat16>) {
      taken[element] = static_cast<float>(factors[element]);
    } else {
      taken[element] = round_to_tf32(factors[element]);
    }
  }
};

}  // namespace detail

/// The interface of the products of GraphSteps. `index` counts the model's Linear layers; factors are Operand<Scalar,
/// precision>, results Scalar; no gaps between the rows of a matrix.
template <typename System, typename Scalar, Precision precision>
class HostProducts {
 public:
  using Factor = Operand<Scalar, precision>;

  /// For batches of up to `capacity` samples.
  HostProducts(const Thrust<System>& backend, std::span<const LinearSpec> linears, std::size_t capacity)
      : linears_(linears.begin(), linears.end()) {
    std::size_t widest = 0;
    std::size_t factors = 0;
    std::size_t sums = 0;
    for (const LinearSpec& linear : linears_) {
      widest = std::max({widest, linear.in, linear.out});
      factors = std::max(factors, linear.in * linear.out);
      sums = std::max(sums, column_sum_scratch_size(capacity, linear.out));
    }
    if constexpr (rounds) {
      left_ = backend.template allocate<Scalar>(capacity * widest);
      right_ = backend.template allocate<Scalar>(std::max(factors, capacity * widest));
    }
    column_sums_ = backend.template allocate<Scalar>(sums);
  }

  /// To be called before the products of a batch of another size. Allocates none of the backend's memory.
  void prepare(const Thrust<System>& /*backend*/, std::size_t /*batch*/) {}

  /// output (batch, out) = scale input (batch, in) weight^T, then what the layer's LinearSpec asks for.
  void forward(const Thrust<System>& backend, std::size_t index, MatrixView<const Factor> input,
               const LinearTensors<const Factor, const Scalar>& linear, Scalar scale, MatrixView<Scalar> output) {
    forward_product(backend, rounded(backend, input, left_), rounded(backend, linear.weight, right_), output);
    scale_values(backend, output, scale);
    const LinearSpec& spec = linears_[index];
    apply_epilogue(backend, spec.adds_bias ? linear.bias : nullptr, spec.applies_relu, output);
  }

  /// The weight's gradient is scale output_gradient^T (batch, out) input (batch, in); the bias's, if the layer has one,
  /// is the sum of output_gradient over the batch.
  void gradients(const Thrust<System>& backend, std::size_t /*index*/, MatrixView<const Factor> input,
                 MatrixView<const Factor> output_gradient, Scalar scale,
                 const LinearTensors<Scalar, Scalar>& gradients) {
    weight_gradient_product(backend, rounded(backend, input, right_), rounded(backend, output_gradient, left_),
                            gradients.weight);
    scale_values(backend, gradients.weight, scale);
    if (gradients.bias != nullptr) {
      sum_columns(backend, output_gradient, column_sums_.data(), gradients.bias);
    }
  }

  /// input_gradient (batch, in) = output_gradient (batch, out) weight (out, in).
  void input_gradient(const Thrust<System>& backend, std::size_t /*index*/, MatrixView<const Factor> weight,
                      MatrixView<const Factor> output_gradient, MatrixView<Scalar> input_gradient) {
    input_gradient_product(backend, rounded(backend, weight, right_), rounded(backend, output_gradient, left_),
                           input_gradient);
  }

 private:
  using Buffer = typename Thrust<System>::template Buffer<Scalar>;

  static constexpr bool rounds = product_precision<Scalar, precision> != Precision::fp32;

  /// Factors as the product reads them: these, or copies in `memory`.
  static MatrixView<const Scalar> rounded(const Thrust<System>& backend, MatrixView<const Factor> factors,
                                          Buffer& memory) {
    if constexpr (rounds) {
      backend::for_each_of(backend, factors.rows * factors.columns,
                           detail::TakeFactor<Factor>{factors.data, memory.data()});
      return {memory.data(), factors.rows, factors.columns};
    } else {
      return factors;
    }
  }

  std::vector<LinearSpec> linears_;
  Buffer left_{};
  Buffer right_{};
  Buffer column_sums_{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph

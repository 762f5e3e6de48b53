// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Linear on the Eigen backend: three products, each cut into strips of its result that do not depend on the number of
/// threads.

#include <algorithm>
#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/eigen/core.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/product.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/linear.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// How one extent of a product is cut for the threads: about eight strips of whole register tiles (48 floats are three
/// AVX-512 registers, the height of Eigen's tile), or one where a layer is too small to be worth a second thread.
template <std::size_t Extent, std::size_t In, std::size_t Out>
struct Strips {
  static constexpr std::size_t tile = 48;
  static constexpr std::size_t width =
      In * Out < (std::size_t{1} << 17) ? Extent : std::max(tile, Extent / 8 / tile * tile);
  static constexpr std::size_t count = (Extent + width - 1) / width;

  static constexpr std::size_t begin(std::size_t strip) { return strip * width; }
  static constexpr std::size_t size(std::size_t strip) { return std::min(width, Extent - begin(strip)); }
};

/// result += left * right on the calling thread, as the function of the same name in product.hpp, by the backend's
/// library of products where it has one.
template <typename Scalar, Order left_order, Order right_order>
void add_product(const Eigen& backend, std::size_t rows, std::size_t columns, std::size_t depth,
                 Operand<Scalar, left_order> left, Operand<Scalar, right_order> right, Scalar* result,
                 std::size_t result_stride) {
  if (const AddProduct<Scalar> add = backend.products().template add<Scalar>(); add != nullptr) {
    add(rows, columns, depth, {left.data, left.stride, left_order}, {right.data, right.stride, right_order}, result,
        result_stride);
  } else {
    add_product(rows, columns, depth, left, right, result, result_stride);
  }
}

template <typename Scalar>
using RowVector = ::Eigen::Map<::Eigen::Matrix<Scalar, 1, ::Eigen::Dynamic>>;
template <typename Scalar>
using ConstRowVector = ::Eigen::Map<const ::Eigen::Matrix<Scalar, 1, ::Eigen::Dynamic>>;

template <typename L>
inline constexpr std::size_t bias_offset = tensor_offset(L::parameters, 1);

/// Columns [first, first + count) of output = input W^T + b.
template <typename L, typename Scalar>
void linear_columns(const Eigen& backend, const Scalar* parameters, const Scalar* input, Scalar* output,
                    std::size_t batch, std::size_t first, std::size_t count) {
  for (std::size_t sample = 0; sample < batch; ++sample) {
    Scalar* row = output + sample * L::output_size + first;
    if constexpr (L::has_bias) {
      std::copy_n(parameters + bias_offset<L> + first, count, row);
    } else {
      std::fill_n(row, count, Scalar{0});
    }
  }
  // In column-major terms: output^T (out, batch) = W (out, in) input^T (in, batch).
  add_product(backend, count, batch, L::input_size,
              Operand<Scalar, Order::row_major>{parameters + first * L::input_size, L::input_size},
              Operand<Scalar, Order::column_major>{input, L::input_size}, output + first, L::output_size);
}

}  // namespace detail

/// Outside of training, on the calling thread: a batch of one is a matrix-vector product, others one matrix product.
template <typename Scalar, std::size_t In, std::size_t Out, Bias bias>
void infer(const Eigen& backend, Linear<In, Out, bias>, Width<In>, const InferArguments<Scalar>& arguments) {
  using L = Linear<In, Out, bias>;
  if (arguments.batch != 1) {
    detail::linear_columns<L>(backend, arguments.parameters, arguments.input, arguments.output, arguments.batch, 0,
                              Out);
    return;
  }
  using Weight = ::Eigen::Matrix<Scalar, ::Eigen::Dynamic, ::Eigen::Dynamic, ::Eigen::RowMajor>;
  const ::Eigen::Map<const Weight> weight(arguments.parameters, Out, In);  // (out, in)
  const ::Eigen::Map<const ::Eigen::Matrix<Scalar, ::Eigen::Dynamic, 1>> input(arguments.input, In);
  ::Eigen::Map<::Eigen::Matrix<Scalar, ::Eigen::Dynamic, 1>> output(arguments.output, Out);
  if constexpr (L::has_bias) {
    std::copy_n(arguments.parameters + detail::bias_offset<L>, Out, arguments.output);
    output.noalias() += weight * input;
  } else {
    output.noalias() = weight * input;
  }
}

template <typename Scalar, std::size_t In, std::size_t Out, Bias bias>
void forward(const Eigen& backend, Linear<In, Out, bias>, Width<In>, const ForwardArguments<Scalar>& arguments) {
  using Strips = detail::Strips<Out, In, Out>;
  backend.pool().for_each_chunk(Strips::count, [&](std::size_t strip) {
    detail::linear_columns<Linear<In, Out, bias>>(backend, arguments.parameters, arguments.input, arguments.output,
                                                  arguments.batch, Strips::begin(strip), Strips::size(strip));
  });
}

template <typename Scalar, std::size_t In, std::size_t Out, Bias bias>
void backward(const Eigen& backend, Linear<In, Out, bias>, Width<In>, const BackwardArguments<Scalar>& arguments) {
  using L = Linear<In, Out, bias>;
  using detail::Operand;

  // dW (out, in) = dy^T x; in column-major terms dW^T (in, out) = x^T (in, batch) dy (batch, out), cut along out. db =
  // sum of dy.
  using RowStrips = detail::Strips<Out, In, Out>;
  backend.pool().for_each_chunk(RowStrips::count, [&](std::size_t strip) {
    const std::size_t first = RowStrips::begin(strip);
    const std::size_t count = RowStrips::size(strip);
    Scalar* weight_gradient = arguments.parameter_gradients + first * In;
    std::fill_n(weight_gradient, count * In, Scalar{0});
    detail::add_product(backend, In, count, arguments.batch, Operand<Scalar, Order::column_major>{arguments.input, In},
                        Operand<Scalar, Order::row_major>{arguments.output_gradient + first, Out}, weight_gradient, In);
    if constexpr (L::has_bias) {
      detail::RowVector<Scalar> bias_gradient(arguments.parameter_gradients + detail::bias_offset<L> + first,
                                              static_cast<::Eigen::Index>(count));
      bias_gradient.setZero();
      for (std::size_t sample = 0; sample < arguments.batch; ++sample) {
        bias_gradient += detail::ConstRowVector<Scalar>(arguments.output_gradient + sample * Out + first,
                                                        static_cast<::Eigen::Index>(count));
      }
    }
  });
  if (arguments.input_gradient == nullptr) {
    return;
  }
  // dx (batch, in) = dy W; in column-major terms dx^T (in, batch) = W^T (in, out) dy^T (out, batch), cut along in.
  using ColumnStrips = detail::Strips<In, In, Out>;
  backend.pool().for_each_chunk(ColumnStrips::count, [&](std::size_t strip) {
    const std::size_t first = ColumnStrips::begin(strip);
    const std::size_t count = ColumnStrips::size(strip);
    for (std::size_t sample = 0; sample < arguments.batch; ++sample) {
      std::fill_n(arguments.input_gradient + sample * In + first, count, Scalar{0});
    }
    detail::add_product(
        backend, count, arguments.batch, Out, Operand<Scalar, Order::column_major>{arguments.parameters + first, In},
        Operand<Scalar, Order::column_major>{arguments.output_gradient, Out}, arguments.input_gradient + first, In);
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The epilogue of a product: bias, ReLU and scale, where the library has none.

#include <cstddef>

#include "retort/backend/generic/generic.hpp"
#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

namespace detail {

template <typename Scalar>
struct OutputEpilogue {
  const Scalar* bias;  // (out), or null
  bool relu;
  std::size_t out;
  Scalar* output;  // (batch, out)

  RETORT_HOST_DEVICE void operator()(std::size_t element) const {
    Scalar value = output[element];
    if (bias != nullptr) {
      value += bias[element % out];
    }
    output[element] = relu && value < Scalar{0} ? Scalar{0} : value;  // a NaN stays a NaN
  }
};

template <typename Scalar>
struct ScaleValue {
  Scalar scale;
  Scalar* values;

  RETORT_HOST_DEVICE void operator()(std::size_t element) const { values[element] *= scale; }
};

}  // namespace detail

/// output (batch, out) += bias (out), if that is not null; with `relu`, values below 0 become 0. No gaps between rows.
template <typename System, typename Scalar>
void apply_epilogue(const Thrust<System>& backend, const Scalar* bias, bool relu, MatrixView<Scalar> output) {
  if (bias != nullptr || relu) {
    backend::for_each_of(backend, output.rows * output.columns,
                         detail::OutputEpilogue<Scalar>{bias, relu, output.columns, output.data});
  }
}

/// Multiplies all values by `scale`. No gaps between rows.
template <typename System, typename Scalar>
void scale_values(const Thrust<System>& backend, MatrixView<Scalar> values, Scalar scale) {
  if (scale != Scalar{1}) {
    backend::for_each_of(backend, values.rows * values.columns, detail::ScaleValue<Scalar>{scale, values.data});
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph

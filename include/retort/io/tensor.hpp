// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A tensor as a file has it.

#include <cstddef>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/io/dtype.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io {

/// One tensor of a file. Its bytes belong to the SafetensorsFile it came from, or to whoever made it.
struct Tensor {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::size_t> shape;    // outermost first; empty for a single number
  std::span<const std::byte> bytes;  // row-major, little-endian, not necessarily aligned

  /// A tensor over somebody's values, which must outlive it: `Tensor::of<float>("0.weight", {20, 784}, values)`.
  template <typename Scalar>
  static Tensor of(std::string name, std::vector<std::size_t> shape, std::span<const Scalar> values) {
    return {std::move(name), dtype_of<Scalar>(), std::move(shape), std::as_bytes(values)};
  }

  /// Elements: the product of the shape, 1 where it is empty.
  std::size_t count() const { return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>{}); }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io

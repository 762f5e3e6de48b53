// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Average pooling.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/shape.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The mean of each K x K square of a channel, squares side by side: torch.nn.AvgPool2d(K). `Input` is a
/// Shape<Channels, Rows, Columns>, as in AvgPool2d<Shape<1, 28, 28>, 2>. There is nothing to learn or to save.
template <typename Input, std::size_t K>
struct AvgPool2d {
  static_assert(Input::rank == 3, "retort: an AvgPool2d<Shape<Channels, Rows, Columns>, K> takes three extents");
};

template <std::size_t Channels, std::size_t Rows, std::size_t Columns, std::size_t K>
struct AvgPool2d<Shape<Channels, Rows, Columns>, K> {
  static_assert(K > 0 && Rows % K == 0 && Columns % K == 0,
                "retort: an AvgPool2d<Shape<Channels, Rows, Columns>, K> cuts channels into squares of K x K: Rows and "
                "Columns must be multiples of K, which is at least 1");
  using input_shape = Shape<Channels, Rows, Columns>;
  using output_shape = Shape<Channels, Rows / K, Columns / K>;

  static constexpr std::string_view name = "AvgPool2d";
  static constexpr std::size_t columns = Columns;
  static constexpr std::size_t square = K;
  static constexpr std::size_t input_size = input_shape::size;
  static constexpr std::size_t output_size = output_shape::size;
  static constexpr std::size_t flops = 0;  // sums are not counted

  static constexpr std::array<TensorSpec, 0> parameters{};
  static constexpr std::array<TensorSpec, 0> buffers{};

  static std::string describe() { return concatenate({name, "(", Channels, "x", Rows, "x", Columns, ", ", K, ")"}); }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET

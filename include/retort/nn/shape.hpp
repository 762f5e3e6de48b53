// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What flows between layers, as a type: a plain width, or extents.

#include <cstddef>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// One sample's extents, the last axis fastest: Shape<784>, or Shape<3, 32, 32> for (channels, rows, columns).
template <std::size_t... Extents>
struct Shape {
  static_assert(sizeof...(Extents) > 0 && sizeof...(Extents) < 4, "retort: a Shape has one to three extents");
  static_assert(((Extents > 0) && ...), "retort: a Shape's extents are at least 1");

  static constexpr std::size_t rank = sizeof...(Extents);
  /// Elements of a sample.
  static constexpr std::size_t size = (Extents * ...);
};

namespace detail {

/// The shapes that a sized layer takes and gives: its `input_shape` and `output_shape`, or its plain widths. A plain
/// width takes the elements of any shape of that size, one after another, so no layer need flatten an image.
template <typename L>
struct LayerShapes {
  using Input = Shape<L::input_size>;
  using Output = Shape<L::output_size>;
};
template <typename L>
  requires(
      requires { typename L::input_shape; } || requires { typename L::output_shape; })
struct LayerShapes<L> {
  using Input = typename L::input_shape;
  using Output = typename L::output_shape;
  static_assert(Input::size == L::input_size && Output::size == L::output_size,
                "retort: a layer states input_shape and output_shape, whose sizes are input_size and output_size");
};

}  // namespace detail

}  // namespace retort::inline RETORT_INSTRUCTION_SET

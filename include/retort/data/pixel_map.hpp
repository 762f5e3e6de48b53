// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Where the pixels of a turned, resized, slanted and moved image come from. It is computed in integers, and no
/// library's sine is called, so that all backends read the same places of an image.

#include <cstddef>
#include <cstdint>
#include <numbers>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/dataset_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// How far an image moves: down by `rows`, right by `columns`.
struct PixelOffset {
  std::int32_t rows = 0;
  std::int32_t columns = 0;
  friend constexpr bool operator==(PixelOffset, PixelOffset) = default;
};

namespace detail {

template <typename Scalar>
struct SineCosine {
  Scalar sine;
  Scalar cosine;
};

/// To 2e-9 or a few roundings, and exact at multiples of 90: Taylor's series within a quarter. Precondition: a few
/// turns at most.
template <typename Scalar>
RETORT_HOST_DEVICE constexpr SineCosine<Scalar> sine_cosine(Scalar degrees) {
  const auto c = [](double value) { return static_cast<Scalar>(value); };
  const Scalar quarters = degrees * c(1.0 / 90.0);
  const auto quarter = static_cast<std::int32_t>(quarters + (quarters < c(0) ? c(-0.5) : c(0.5)));
  const Scalar x = (degrees - c(90) * static_cast<Scalar>(quarter)) * c(std::numbers::pi / 180.0);
  const Scalar y = x * x;
  const Scalar sine = x * (1 - y * c(1.0 / 6) * (1 - y * c(1.0 / 20) * (1 - y * c(1.0 / 42) * (1 - y * c(1.0 / 72)))));
  const Scalar cosine =
      1 -
      y * c(1.0 / 2) * (1 - y * c(1.0 / 12) * (1 - y * c(1.0 / 30) * (1 - y * c(1.0 / 56) * (1 - y * c(1.0 / 90)))));
  const bool swaps = (quarter & 1) != 0;
  const Scalar first = swaps ? cosine : sine;
  const Scalar second = swaps ? sine : cosine;
  return {(quarter & 2) != 0 ? -first : first, ((quarter + 1) & 2) != 0 ? -second : second};
}

}  // namespace detail

/// A distance in an image, in 2^-21ths of a pixel.
struct Displacement {
  std::int32_t rows = 0;
  std::int32_t columns = 0;
};

/// A place in an image: a pixel, and how far it lies towards the next ones, in 256ths.
struct PixelPlace {
  std::int64_t row;
  std::int64_t column;
  std::int32_t down;
  std::int32_t right;
};

/// Where the pixels of a row come from: the first one, and the step from each to the next. In 2^-21ths of a pixel, with
/// what rounds them to 256ths.
struct PixelLine {
  std::int64_t row;
  std::int64_t column;
  std::int64_t row_step;
  std::int64_t column_step;
};

/// Where the pixels of a changed image come from: an affine map about the image's centre, in 2^-20ths.
struct PixelMap {
  static constexpr std::int64_t one = std::int64_t{1} << 20;

  std::int64_t row_by_row = one;
  std::int64_t row_by_column = 0;
  std::int64_t column_by_row = 0;
  std::int64_t column_by_column = one;
  PixelOffset shift{};

  PixelMap() = default;

  /// For an image that is resized by the factor `scale`, whose vertical lines lean to the right by `shear` degrees at
  /// the bottom, that is turned anticlockwise by `rotation` degrees and moved by `moved`. Preconditions: scale >= 0.1,
  /// -45 <= shear <= 45.
  RETORT_HOST_DEVICE constexpr PixelMap(double rotation, double scale, double shear, PixelOffset moved) : shift(moved) {
    const auto turn = detail::sine_cosine(rotation);
    const auto slant = detail::sine_cosine(shear);
    const double slope = slant.sine / slant.cosine;
    const auto whole = [scale](double value) {
      const double scaled = value / scale * static_cast<double>(one);
      return static_cast<std::int64_t>(scaled + (scaled < 0.0 ? -0.5 : 0.5));
    };
    row_by_row = whole(turn.cosine);
    row_by_column = whole(turn.sine);
    column_by_row = whole(-turn.sine - slope * turn.cosine);
    column_by_column = whole(turn.cosine - slope * turn.sine);
  }

  RETORT_HOST_DEVICE constexpr PixelLine line(ImageShape image, std::int64_t row) const {
    // From the centre, in half pixels.
    const std::int64_t last_row = static_cast<std::int64_t>(image.rows) - 1;
    const std::int64_t last_column = static_cast<std::int64_t>(image.columns) - 1;
    const std::int64_t down = 2 * (row - shift.rows) - last_row;
    const std::int64_t right = -2 * std::int64_t{shift.columns} - last_column;
    constexpr std::int64_t half = 1 << 12;
    return {last_row * one + row_by_row * down + row_by_column * right + half,
            last_column * one + column_by_row * down + column_by_column * right + half, 2 * row_by_column,
            2 * column_by_column};
  }

  /// Where the pixel at (row, column) comes from, inside of the image or not; `beside` is added to the place.
  RETORT_HOST_DEVICE constexpr PixelPlace source(ImageShape image, std::int64_t row, std::int64_t column,
                                                 Displacement beside = {}) const {
    const PixelLine from = line(image, row);
    const std::int64_t from_row = (from.row + column * from.row_step + beside.rows) >> 13;
    const std::int64_t from_column = (from.column + column * from.column_step + beside.columns) >> 13;
    return {from_row >> 8, from_column >> 8, static_cast<std::int32_t>(from_row & 255),
            static_cast<std::int32_t>(from_column & 255)};
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data

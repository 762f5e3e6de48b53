// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Random turns, sizes, slants and noise. Where a pixel comes from is computed in integers, and no library's sine is
/// called, so that all backends read the same places of an image.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <string_view>
#include <tuple>

#include "retort/core/error.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// How much samples change at random, besides a shift; 0 switches a change off. An image is resized, slanted and turned
/// about its centre, in this order, and then shifted. Between pixels, values are interpolated bilinearly; what comes
/// from beyond the border has the raw value 0.
struct Distortion {
  static constexpr std::string_view name = "distortion";

  double rotation = 0.0;  ///< degrees: turned by up to this, either way
  double scale = 0.0;     ///< larger or smaller by up to this fraction
  double shear = 0.0;     ///< degrees: vertical lines lean by up to this, either way
  /// The standard deviation of the normal noise that is added to each feature, of images or not, before it is
  /// normalised. A byte counts as 0 ... 1.
  double noise = 0.0;

  static constexpr auto hyperparameters() {
    return std::tuple{
        Hyperparameter{"rotation",
                       &Distortion::rotation,
                       {"a number of degrees in [0, 180]", [](const double& x) { return x >= 0.0 && x <= 180.0; }}},
        Hyperparameter{"scale",
                       &Distortion::scale,
                       {"a number in [0, 0.9]", [](const double& x) { return x >= 0.0 && x <= 0.9; }}},
        Hyperparameter{"shear",
                       &Distortion::shear,
                       {"a number of degrees in [0, 45]", [](const double& x) { return x >= 0.0 && x <= 45.0; }}},
        Hyperparameter{"noise", &Distortion::noise, {"a number in [0, 1000000]", [](const double& x) {
                                                       return x >= 0.0 && x <= 1e6;
                                                     }}}};
  }

  RETORT_HOST_DEVICE constexpr bool moves_pixels() const { return rotation != 0.0 || scale != 0.0 || shear != 0.0; }
  RETORT_HOST_DEVICE constexpr bool is_set() const { return moves_pixels() || noise != 0.0; }

  /// Throws OptionError for an amount outside its range, and where pixels would move but the samples are no images.
  void validate(ImageShape image) const {
    validate_hyperparameters(*this);
    if (moves_pixels() && image == ImageShape{}) {
      throw OptionError(concatenate({describe_settings(*this), ": the samples are no images, expected noise alone"}));
    }
  }

  friend bool operator==(const Distortion&, const Distortion&) = default;
};

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

/// A place in an image: a pixel, and how far it lies towards the next ones, in 256ths.
struct PixelPlace {
  std::int64_t row;
  std::int64_t column;
  std::int32_t down;
  std::int32_t right;
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

  /// Where the pixel at (row, column) comes from, inside of the image or not.
  RETORT_HOST_DEVICE constexpr PixelPlace source(ImageShape image, std::int64_t row, std::int64_t column) const {
    // From the centre, in half pixels, so that sums below are in 2^-21ths of a pixel.
    const std::int64_t last_row = static_cast<std::int64_t>(image.rows) - 1;
    const std::int64_t last_column = static_cast<std::int64_t>(image.columns) - 1;
    const std::int64_t down = 2 * (row - shift.rows) - last_row;
    const std::int64_t right = 2 * (column - shift.columns) - last_column;
    const std::int64_t from_row = in_256ths(last_row * one + row_by_row * down + row_by_column * right);
    const std::int64_t from_column = in_256ths(last_column * one + column_by_row * down + column_by_column * right);
    return {from_row >> 8, from_column >> 8, static_cast<std::int32_t>(from_row & 255),
            static_cast<std::int32_t>(from_column & 255)};
  }

 private:
  RETORT_HOST_DEVICE static constexpr std::int64_t in_256ths(std::int64_t value) { return (value + (1 << 12)) >> 13; }
};

/// One of four standard normal numbers by Box and Muller from a block of random words. Precondition: index < 4.
template <typename Scalar>
RETORT_HOST_DEVICE Scalar standard_normal(const PhiloxBlock& words, std::size_t index) {
  using std::log;
  using std::sqrt;
  const std::size_t pair = index / 2 * 2;
  const Scalar radius = sqrt(static_cast<Scalar>(-2) * log(1 - uniform01<Scalar>(words[pair])));
  const auto [sine, cosine] = detail::sine_cosine(360 * uniform01<Scalar>(words[pair + 1]));
  return radius * (index % 2 == 0 ? cosine : sine);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Elastic distortion: a random field of displacements that changes smoothly over an image (Simard, Steinkraus and
/// Platt, "Best practices for convolutional neural networks applied to visual document analysis", 2003).

#include <cstddef>
#include <cstdint>
#include <numbers>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/pixel_map.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// The weights of the four nodes around a place in a cubic spline, in 4096ths.
struct SplineWeights {
  std::uint32_t node;  ///< the first of the four
  std::int32_t w0;
  std::int32_t w1;
  std::int32_t w2;
  std::int32_t w3;
};

/// One sample's displacements, as cubic B-splines between nodes that each have a random vector, uniform in both
/// directions. A B-spline is nearly the Gaussian of deviation 1 / sqrt(3) of the nodes' distance (Unser, Aldroubi and
/// Eden, 1992), so this is nearly Simard's field, a Gaussian over the random vectors of all pixels, from far fewer of
/// them. Computed in integers, rows and columns apart, so that all backends read the same places of an image.
class ElasticField {
 public:
  /// Moves nothing.
  ElasticField() = default;

  /// `deviation`: of a pixel's displacement in each direction, in pixels; it varies by 4 % from pixel to pixel.
  /// `sigma`: the Gaussian's, in pixels. Preconditions: 0 <= deviation <= 16, 1 <= sigma <= 1000.
  RETORT_HOST_DEVICE constexpr ElasticField(const RandomStream& stream, std::uint64_t sample, ImageShape image,
                                            double deviation, double sigma)
      : stream_(stream),
        nodes_per_pixel_(static_cast<std::uint32_t>(65536.0 / std::numbers::sqrt3 / sigma + 0.5)),
        columns_(count(image.columns)),
        first_(sample * (std::uint64_t{count(image.rows)} * columns_)),
        amount_(static_cast<std::int32_t>(deviation * (std::numbers::sqrt3 * 64.0 * 315.0 / 151.0) + 0.5)) {}

  RETORT_HOST_DEVICE constexpr bool is_set() const { return amount_ != 0; }
  /// No displacement is larger.
  RETORT_HOST_DEVICE constexpr std::int64_t most() const { return std::int64_t{amount_} << 15; }
  /// Nodes along a side of so many pixels.
  RETORT_HOST_DEVICE constexpr std::uint32_t count(std::size_t pixels) const {
    return static_cast<std::uint32_t>((pixels - 1) * nodes_per_pixel_ >> 16) + 4;
  }

  RETORT_HOST_DEVICE constexpr SplineWeights weights(std::size_t pixel) const {
    const std::uint64_t place = std::uint64_t{pixel} * nodes_per_pixel_;
    const auto t = static_cast<std::uint32_t>(place >> 8 & 255);
    const std::uint32_t s = 256 - t;
    // Six times the cubics, in 2^-24ths.
    const auto part = [](std::uint32_t cubic) { return static_cast<std::int32_t>(cubic / (6u << 12)); };
    const auto inner = [](std::uint32_t x) { return (4u << 24) - 6 * 256 * x * x + 3 * x * x * x; };
    return {static_cast<std::uint32_t>(place >> 16), part(s * s * s), part(inner(t)), part(inner(s)), part(t * t * t)};
  }

  /// The node's random vector.
  RETORT_HOST_DEVICE constexpr Displacement node(std::uint32_t row, std::uint32_t column) const {
    return vector_of(stream_.word(first_ + std::uint64_t{row} * columns_ + column));
  }
  /// Those of a whole row, whose words are drawn four at a time.
  constexpr void fill_row(std::uint32_t row, Displacement* nodes) const {
    const std::uint64_t first = first_ + std::uint64_t{row} * columns_;
    PhiloxBlock words;
    for (std::uint64_t element = first; element < first + columns_; ++element) {
      if (element == first || element % 4 == 0) {
        words = stream_.block(element / 4);
      }
      nodes[element - first] = vector_of(words[element % 4]);
    }
  }

  /// Of four numbers, below 2^15 as the result is.
  RETORT_HOST_DEVICE static constexpr std::int32_t mean(const SplineWeights& weights, std::int32_t x0, std::int32_t x1,
                                                        std::int32_t x2, std::int32_t x3) {
    return (weights.w0 * x0 + weights.w1 * x1 + weights.w2 * x2 + weights.w3 * x3) >> 12;
  }

  /// Of the vectors of four nodes in a row.
  RETORT_HOST_DEVICE constexpr Displacement in_row(std::uint32_t row, const SplineWeights& weights) const {
    const Displacement d0 = node(row, weights.node);
    const Displacement d1 = node(row, weights.node + 1);
    const Displacement d2 = node(row, weights.node + 2);
    const Displacement d3 = node(row, weights.node + 3);
    return {mean(weights, d0.rows, d1.rows, d2.rows, d3.rows),
            mean(weights, d0.columns, d1.columns, d2.columns, d3.columns)};
  }

  /// From 2^-15ths of the largest to 2^-21ths of a pixel.
  RETORT_HOST_DEVICE constexpr std::int32_t scaled(std::int32_t value) const { return value * amount_; }

  /// How far from its place on the map the pixel at (row, column) is read.
  RETORT_HOST_DEVICE constexpr Displacement operator()(std::size_t row, std::size_t column) const {
    if (!is_set()) {
      return {};
    }
    const SplineWeights across = weights(column);
    const SplineWeights along = weights(row);
    const Displacement d0 = in_row(along.node, across);
    const Displacement d1 = in_row(along.node + 1, across);
    const Displacement d2 = in_row(along.node + 2, across);
    const Displacement d3 = in_row(along.node + 3, across);
    return {scaled(mean(along, d0.rows, d1.rows, d2.rows, d3.rows)),
            scaled(mean(along, d0.columns, d1.columns, d2.columns, d3.columns))};
  }

 private:
  RETORT_HOST_DEVICE static constexpr Displacement vector_of(std::uint32_t word) {
    return {static_cast<std::int32_t>(word) >> 16, static_cast<std::int32_t>(word << 16) >> 16};
  }

  RandomStream stream_{Seed{}, Stream::augmentation, 0};
  std::uint32_t nodes_per_pixel_ = 0;  // in 2^-16ths
  std::uint32_t columns_ = 0;          // of nodes
  std::uint64_t first_ = 0;            // the sample's first random word
  std::int32_t amount_ = 0;            // the largest displacement, in 2^-6ths of a pixel
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data

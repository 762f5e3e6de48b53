// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A dataset as plain pointers: enough for a backend to gather batches, without the containers that own the memory.

#include <cstddef>
#include <cstdint>
#include <limits>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// How raw features become a network's inputs: (x - mean) / standard_deviation; a uint8 x is divided by 255 first.
struct Normalization {
  double mean = 0.0;
  double standard_deviation = 1.0;
  friend constexpr bool operator==(const Normalization&, const Normalization&) = default;
};

/// The extents of an image whose pixels are a sample's features: (channels, rows, columns), the last axis fastest; 0 x
/// 0 if the features are no image.
struct ImageShape {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t channels = 1;

  /// Whether an image has that many features. Divides instead of multiplying: a product of hostile extents may wrap
  /// around to the right number.
  constexpr bool has(std::size_t features) const {
    return rows != 0 && channels != 0 && features % rows == 0 && features / rows % channels == 0 &&
           features / rows / channels == columns;
  }
  friend constexpr bool operator==(const ImageShape&, const ImageShape&) = default;
};

/// Among labels: the sample has none. No class has this number.
inline constexpr std::uint32_t unlabelled = std::numeric_limits<std::uint32_t>::max();

/// Samples in memory that it does not own. Exactly one of `bytes` and `reals` is set.
struct DatasetView {
  const std::uint8_t* bytes = nullptr;    // (size, features), row-major
  const float* reals = nullptr;           // (size, features), row-major
  const std::uint32_t* labels = nullptr;  // (size): classes, or `unlabelled`
  const float* targets = nullptr;         // (size, target_count), row-major; null for none
  std::size_t target_count = 0;
  std::size_t size = 0;
  std::size_t features = 0;
  ImageShape image{};
  Normalization normalization{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data

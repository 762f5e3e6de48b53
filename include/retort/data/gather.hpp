// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// From raw samples to a network's inputs, in one pass: pick, shift, normalise. A backend loops over the rows of a
/// batch, on as many threads as it likes; a device backend calls `gathered_feature` once per element. Both give the
/// same bits if the compiler treats x * scale + offset alike in both (fused, or rounded twice), else they differ by at
/// most one rounding.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// (x - mean) / standard_deviation as x * scale + offset; for bytes it includes their division by 255. Computed in
/// double, once.
template <typename Scalar>
struct GatherConstants {
  Scalar scale = 1;
  Scalar offset = 0;

  GatherConstants() = default;
  explicit GatherConstants(const DatasetView& data)
      : scale(static_cast<Scalar>(1 / (data.normalization.standard_deviation * (data.bytes != nullptr ? 255.0 : 1.0)))),
        offset(static_cast<Scalar>(-data.normalization.mean / data.normalization.standard_deviation)) {}

  template <typename Raw>
  RETORT_HOST_DEVICE constexpr Scalar operator()(Raw raw) const {
    return static_cast<Scalar>(raw) * scale + offset;
  }
};

/// Stands for no feature.
inline constexpr std::size_t no_feature = static_cast<std::size_t>(-1);

/// The feature of an image that is at `feature` after the image was moved by `shift`; no_feature beyond the border.
/// Precondition: `image` is set if `shift` is not zero.
RETORT_HOST_DEVICE constexpr std::size_t shifted_source(ImageShape image, PixelOffset shift, std::size_t feature) {
  if (shift.rows == 0 && shift.columns == 0) {
    return feature;
  }
  const std::size_t in_channel = image.channels == 1 ? feature : feature % (image.rows * image.columns);
  const auto columns = static_cast<std::int64_t>(image.columns);
  const std::int64_t row = static_cast<std::int64_t>(in_channel) / columns - shift.rows;
  const std::int64_t column = static_cast<std::int64_t>(in_channel) % columns - shift.columns;
  if (row < 0 || row >= static_cast<std::int64_t>(image.rows) || column < 0 || column >= columns) {
    return no_feature;
  }
  return feature - in_channel + static_cast<std::size_t>(row * columns + column);
}

/// Feature `feature` of sample `index`, normalised; pixels shifted in from beyond the border have the raw value 0.
/// Preconditions: index < data.size, feature < data.features; data.image is set if `shift` is not zero.
template <typename Scalar>
RETORT_HOST_DEVICE constexpr Scalar gathered_feature(const DatasetView& data, const GatherConstants<Scalar>& constants,
                                                     std::uint32_t index, PixelOffset shift, std::size_t feature) {
  const std::size_t source = shifted_source(data.image, shift, feature);
  if (source == no_feature) {
    return constants(Scalar{0});
  }
  const std::size_t position = index * data.features + source;
  return data.bytes != nullptr ? constants(data.bytes[position]) : constants(data.reals[position]);
}

namespace detail {

// Writes as many whole blocks as fit from position `begin` on; returns the position after them.
template <std::size_t Block, typename Raw, typename Scalar, typename Constants>
std::size_t normalize_blocks(const Raw* __restrict raw, std::size_t begin, std::size_t count, Constants constants,
                             Scalar* __restrict output) {
  for (; begin + Block <= count; begin += Block) {
    for (std::size_t i = 0; i < Block; ++i) {
      output[begin + i] = constants(raw[begin + i]);
    }
  }
  return begin;
}

// Blocks of a fixed size become SIMD at every optimisation level and without a long prologue, so they suit the short
// rows of a shifted image too.
template <typename Raw, typename Scalar, typename Constants>
void normalize(const Raw* raw, std::size_t count, Constants constants, Scalar* output) {
  std::size_t done = normalize_blocks<16>(raw, 0, count, constants, output);
  done = normalize_blocks<8>(raw, done, count, constants, output);
  normalize_blocks<1>(raw, done, count, constants, output);
}

// For bytes that are not normalised.
struct Unchanged {
  constexpr std::uint8_t operator()(std::uint8_t raw) const { return raw; }
};

// `raw` and `output`: (image.rows, image.columns)
template <typename Raw, typename Scalar, typename Constants>
void normalize_shifted_channel(const Raw* raw, ImageShape image, PixelOffset shift, Constants constants,
                               Scalar* output) {
  const auto rows = static_cast<std::int64_t>(image.rows);
  const auto columns = static_cast<std::int64_t>(image.columns);
  const Scalar outside = constants(Scalar{0});
  // Output columns [begin, end) of a visible row come from the image.
  const std::int64_t begin = std::clamp<std::int64_t>(shift.columns, 0, columns);
  const std::int64_t end = std::clamp<std::int64_t>(columns + shift.columns, begin, columns);
  for (std::int64_t row = 0; row < rows; ++row, output += columns) {
    const std::int64_t source = row - shift.rows;
    if (source < 0 || source >= rows || begin == end) {
      std::fill_n(output, columns, outside);
      continue;
    }
    std::fill(output, output + begin, outside);
    normalize(raw + source * columns + (begin - shift.columns), static_cast<std::size_t>(end - begin), constants,
              output + begin);
    std::fill(output + end, output + columns, outside);
  }
}

// `raw` and `output`: (image.channels, image.rows, image.columns)
template <typename Raw, typename Scalar, typename Constants>
void normalize_shifted(const Raw* raw, ImageShape image, PixelOffset shift, Constants constants, Scalar* output) {
  const std::size_t pixels = image.rows * image.columns;
  for (std::size_t channel = 0; channel < image.channels; ++channel) {
    normalize_shifted_channel(raw + channel * pixels, image, shift, constants, output + channel * pixels);
  }
}

}  // namespace detail

/// Writes sample `index`, normalised, to output[0 ... data.features - 1]. Precondition: index < data.size; `output`
/// does not overlap the data.
template <typename Scalar>
void gather_row(const DatasetView& data, const GatherConstants<Scalar>& constants, std::uint32_t index,
                Scalar* output) {
  const std::size_t begin = index * data.features;
  if (data.bytes != nullptr) {
    detail::normalize(data.bytes + begin, data.features, constants, output);
  } else {
    detail::normalize(data.reals + begin, data.features, constants, output);
  }
}

/// The same with the image moved by `shift`; pixels from outside have the raw value 0. Any shift is allowed.
/// Precondition: data.image is set if `shift` is not zero (RandomShift::validate).
template <typename Scalar>
void gather_row(const DatasetView& data, const GatherConstants<Scalar>& constants, std::uint32_t index,
                PixelOffset shift, Scalar* output) {
  if (shift == PixelOffset{}) {
    gather_row(data, constants, index, output);
    return;
  }
  const std::size_t begin = index * data.features;
  if (data.bytes != nullptr) {
    detail::normalize_shifted(data.bytes + begin, data.image, shift, constants, output);
  } else {
    detail::normalize_shifted(data.reals + begin, data.image, shift, constants, output);
  }
}

/// The bytes of sample `index`, with the image moved by `shift`. Preconditions: those above, and data.bytes is set.
inline void copy_byte_row(const DatasetView& data, std::uint32_t index, PixelOffset shift, std::uint8_t* output) {
  const std::uint8_t* raw = data.bytes + index * data.features;
  if (shift == PixelOffset{}) {
    std::copy_n(raw, data.features, output);
  } else {
    detail::normalize_shifted(raw, data.image, shift, detail::Unchanged{}, output);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// From raw samples to a network's inputs, in one pass: pick, shift or distort, mix, normalise. A backend loops over
/// the rows of a batch, on as many threads as it likes; a device backend calls `gathered_feature` once per element.
/// Both give the same bits if the compiler treats x * scale + offset alike in both (fused, or rounded twice), else they
/// differ by at most one rounding.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_scratch.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/elastic_field.hpp"
#include "retort/data/interpolate.hpp"
#include "retort/data/pixel_map.hpp"

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

/// A pixel of the channel that begins at data.bytes[begin] or data.reals[begin], not normalised; 0 beyond the border.
template <typename Scalar>
RETORT_HOST_DEVICE constexpr Scalar raw_pixel(const DatasetView& data, std::size_t begin, std::int64_t row,
                                              std::int64_t column) {
  const auto columns = static_cast<std::int64_t>(data.image.columns);
  if (row < 0 || row >= static_cast<std::int64_t>(data.image.rows) || column < 0 || column >= columns) {
    return 0;
  }
  const std::size_t position = begin + static_cast<std::size_t>(row * columns + column);
  return data.bytes != nullptr ? static_cast<Scalar>(data.bytes[position]) : static_cast<Scalar>(data.reals[position]);
}

/// Feature `feature` of sample `index` by the map and the field, not normalised: between four pixels. Exact for bytes,
/// in float too: 8 bits of a byte and 8 for each direction.
template <typename Scalar>
RETORT_HOST_DEVICE constexpr Scalar interpolated_feature(const DatasetView& data, std::uint32_t index,
                                                         const PixelMap& map, const ElasticField& field,
                                                         std::size_t feature) {
  const std::size_t in_channel = feature % (data.image.rows * data.image.columns);
  const std::size_t begin = index * data.features + feature - in_channel;
  const std::size_t row = in_channel / data.image.columns;
  const std::size_t column = in_channel % data.image.columns;
  const PixelPlace place =
      map.source(data.image, static_cast<std::int64_t>(row), static_cast<std::int64_t>(column), field(row, column));
  const auto part = [](std::int32_t of_256) { return static_cast<Scalar>(of_256) * static_cast<Scalar>(1.0 / 256); };
  const auto in_row = [&](std::int64_t from) {
    return raw_pixel<Scalar>(data, begin, from, place.column) * part(256 - place.right) +
           raw_pixel<Scalar>(data, begin, from, place.column + 1) * part(place.right);
  };
  return in_row(place.row) * part(256 - place.down) + in_row(place.row + 1) * part(place.down);
}

/// Feature `feature` of sample `index`, distorted and shifted, not normalised.
template <typename Scalar>
RETORT_HOST_DEVICE Scalar moved_feature(const DatasetView& data, std::uint32_t index, const View& view,
                                        std::size_t feature) {
  return view.augmentation.interpolates()
             ? interpolated_feature<Scalar>(data, index, view.pixel_map(index), view.elastic_field(index, data.image),
                                            feature)
             : gathered_feature(data, GatherConstants<Scalar>{}, index, view.offset(index), feature);
}

template <typename Scalar>
RETORT_HOST_DEVICE constexpr Scalar mixed(Scalar own, Scalar other, Scalar share) {
  return own + share * (other - own);
}

/// The standard deviation of the noise, in raw values.
template <typename Scalar>
RETORT_HOST_DEVICE constexpr Scalar raw_noise(const DatasetView& data, const Augmentation& augmentation) {
  return static_cast<Scalar>(augmentation.noise * (data.bytes != nullptr ? 255.0 : 1.0));
}

}  // namespace detail

/// Feature `feature` of sample `index`, distorted, shifted, mixed and normalised. Preconditions: those above;
/// data.image is set if pixels move (Augmentation::validate).
template <typename Scalar>
RETORT_HOST_DEVICE Scalar distorted_feature(const DatasetView& data, const GatherConstants<Scalar>& constants,
                                            std::uint32_t index, const View& view, std::size_t feature) {
  const bool mixes = view.augmentation.mix != 0.0;
  const Mixing mixing = mixes ? view.mixing(index, data.size) : Mixing{};
  Scalar raw = 0;
  for (std::size_t i = 0; i < (mixes ? 2u : 1u); ++i) {  // one call of so large a function, which devices inline
    const Scalar value = detail::moved_feature<Scalar>(data, i == 0 ? index : mixing.other, view, feature);
    raw = i == 0 ? value : detail::mixed(raw, value, static_cast<Scalar>(mixing.share));
  }
  if (view.augmentation.noise != 0.0) {
    const auto [even, odd] =
        standard_normals<Scalar>(view.noise_words(index, data.features, feature / 4), feature % 4 / 2);
    raw += detail::raw_noise<Scalar>(data, view.augmentation) * (feature % 2 == 0 ? even : odd);
  }
  return constants(raw);
}

/// The same for any augmentation.
template <typename Scalar>
RETORT_HOST_DEVICE Scalar gathered_feature(const DatasetView& data, const GatherConstants<Scalar>& constants,
                                           std::uint32_t index, const View& view, std::size_t feature) {
  return view.augmentation.distorts() ? distorted_feature(data, constants, index, view, feature)
                                      : gathered_feature(data, constants, index, view.offset(index), feature);
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

// `raw` and `output`: (image.rows, image.columns). In memory all pixels that stay in sight move by the same distance,
// so they go in one piece, and what came over a side's border with them is overwritten.
template <typename Raw, typename Scalar, typename Constants>
void normalize_shifted_channel(const Raw* raw, ImageShape image, PixelOffset shift, Constants constants,
                               Scalar* output) {
  const auto rows = static_cast<std::int64_t>(image.rows);
  const auto columns = static_cast<std::int64_t>(image.columns);
  const Scalar outside = constants(Scalar{0});
  // Output rows [top, bottom) and columns [left, right) come from the image.
  const std::int64_t top = std::clamp<std::int64_t>(shift.rows, 0, rows);
  const std::int64_t bottom = std::clamp<std::int64_t>(rows + shift.rows, top, rows);
  const std::int64_t left = std::clamp<std::int64_t>(shift.columns, 0, columns);
  const std::int64_t right = std::clamp<std::int64_t>(columns + shift.columns, left, columns);
  if (top == bottom || left == right) {
    std::fill_n(output, rows * columns, outside);
    return;
  }
  const std::int64_t begin = top * columns + left;
  const std::int64_t end = (bottom - 1) * columns + right;
  std::fill(output, output + begin, outside);
  normalize(raw + (begin - shift.rows * columns - shift.columns), static_cast<std::size_t>(end - begin), constants,
            output + begin);
  std::fill(output + end, output + rows * columns, outside);
  for (std::int64_t gap = 0; gap < columns - (right - left); ++gap) {
    for (std::int64_t place = top * columns + right + gap; place < end; place += columns) {
      output[place] = outside;
    }
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
/// Precondition: data.image is set if `shift` is not zero (Augmentation::validate).
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

namespace detail {

/// output (image.channels, image.rows, image.columns), normalised. Preconditions: those of Interpolation.
template <bool elastic, typename Scalar>
[[gnu::noinline]] void interpolate_bytes(const DatasetView& data, std::uint32_t index, const PixelMap& map,
                                         const ElasticField& field, GatherConstants<Scalar> finish, Scalar* output) {
  finish.scale /= 65536;  // exact, unless it is nearly 0
  const std::size_t pixels = data.image.rows * data.image.columns;
  const std::uint8_t* raw = data.bytes + index * data.features;
  Interpolation<elastic> interpolate(data.image, map, field);
  for (std::size_t first = 0; first < data.features; first += pixels) {
    interpolate(raw + first, finish, output + first);
  }
}

/// The same of any features and map, by an elastic field, whose random vectors are drawn again for each pixel. Cold:
/// for speed, the compiler would copy their drawing sixteen times.
template <typename Scalar>
[[gnu::cold, gnu::noinline]] void interpolate_pixels(const DatasetView& data, std::uint32_t index, const PixelMap& map,
                                                     const ElasticField& field, const GatherConstants<Scalar>& finish,
                                                     Scalar* output) {
  for (std::size_t feature = 0; feature < data.features; ++feature) {
    output[feature] = finish(interpolated_feature<Scalar>(data, index, map, field, feature));
  }
}

/// The same of any features, map and field.
template <typename Scalar>
void interpolate_row(const DatasetView& data, std::uint32_t index, const PixelMap& map, const ElasticField& field,
                     const GatherConstants<Scalar>& finish, Scalar* output) {
  if (data.bytes != nullptr && Interpolation<false>::takes(data.image, map, field)) {
    if (field.is_set()) {
      interpolate_bytes<true>(data, index, map, field, finish, output);
    } else {
      interpolate_bytes<false>(data, index, map, field, finish, output);
    }
    return;
  }
  if (field.is_set()) {
    interpolate_pixels(data, index, map, field, finish, output);
    return;
  }
  for (std::size_t feature = 0; feature < data.features; ++feature) {
    output[feature] = finish(interpolated_feature<Scalar>(data, index, map, ElasticField{}, feature));
  }
}

/// The same of a view, noise and mixing left out.
template <typename Scalar>
void move_row(const DatasetView& data, std::uint32_t index, const View& view, const GatherConstants<Scalar>& finish,
              Scalar* output) {
  if (view.augmentation.interpolates()) {
    interpolate_row(data, index, view.pixel_map(index), view.elastic_field(index, data.image), finish, output);
  } else {
    gather_row(data, finish, index, view.offset(index), output);
  }
}

/// Mixes output (data.features), which holds sample `index` and is not normalised, with what the view says.
template <typename Scalar>
void mix_row(const DatasetView& data, std::uint32_t index, const View& view, Scalar* output) {
  struct OtherTag;
  Scalar* const other = internal::thread_scratch<Scalar, OtherTag>(data.features);
  const Mixing mixing = view.mixing(index, data.size);
  move_row(data, mixing.other, view, {}, other);
  const auto share = static_cast<Scalar>(mixing.share);
  for (std::size_t feature = 0; feature < data.features; ++feature) {
    output[feature] = mixed(output[feature], other[feature], share);
  }
}

/// Adds the noise of sample `index` to output (data.features), which is not normalised.
template <typename Scalar>
void add_noise(const DatasetView& data, std::uint32_t index, const View& view, Scalar* output) {
  const Scalar deviation = raw_noise<Scalar>(data, view.augmentation);
  for (std::size_t first = 0; first < data.features; first += 2) {
    const auto [even, odd] = standard_normals<Scalar>(view.noise_words(index, data.features, first / 4), first % 4 / 2);
    output[first] += deviation * even;
    if (first + 1 < data.features) {
      output[first + 1] += deviation * odd;
    }
  }
}

}  // namespace detail

/// The same under an augmentation. Preconditions: those of Augmentation::validate.
template <typename Scalar>
void gather_row(const DatasetView& data, const GatherConstants<Scalar>& constants, std::uint32_t index,
                const View& view, Scalar* output) {
  if (!view.augmentation.distorts()) {
    gather_row(data, constants, index, view.offset(index), output);
    return;
  }
  if (view.augmentation.noise == 0.0 && view.augmentation.mix == 0.0) {
    detail::move_row(data, index, view, constants, output);
    return;
  }
  detail::move_row(data, index, view, {}, output);
  if (view.augmentation.mix != 0.0) {
    detail::mix_row(data, index, view, output);
  }
  if (view.augmentation.noise != 0.0) {
    detail::add_noise(data, index, view, output);
  }
  std::transform(output, output + data.features, output, constants);
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

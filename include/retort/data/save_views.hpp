// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The views of a dataset for a teacher outside this library, which cannot draw them.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"
#include "retort/data/inputs_fingerprint.hpp"
#include "retort/data/logits_fingerprints.hpp"
#include "retort/data/save_npy.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

namespace detail {

/// (views, samples), and a sample's own extents: those of an image, without channels if there is one, or its features.
inline std::vector<std::size_t> extents_of_views(const Dataset& data, std::size_t views) {
  const ImageShape image = data.image();
  std::vector<std::size_t> shape{views, data.size()};
  if (image == ImageShape{}) {
    shape.push_back(data.feature_count());
    return shape;
  }
  if (image.channels != 1) {
    shape.push_back(image.channels);
  }
  shape.push_back(image.rows);
  shape.push_back(image.columns);
  return shape;
}

/// Appends all samples of all views, some at a time; fill_row(sample, view, row) writes one.
template <typename T, typename FillRow>
void write_views(AtomicFile& file, const DatasetView& data, const Augmentation& augmentation, Views views,
                 const FillRow& fill_row) {
  constexpr std::size_t bytes_at_once = std::size_t{1} << 20;
  const std::size_t most = std::clamp<std::size_t>(bytes_at_once / (data.features * sizeof(T)), 1, data.size);
  std::vector<T> rows(most * data.features);
  for (std::size_t index = 0; index < views.count; ++index) {
    const View view{augmentation, views.seed, static_cast<std::uint32_t>(index)};
    for (std::size_t first = 0; first < data.size; first += most) {
      const std::size_t count = std::min(most, data.size - first);
      for (std::size_t i = 0; i < count; ++i) {
        fill_row(static_cast<std::uint32_t>(first + i), view, rows.data() + i * data.features);
      }
      file.write(std::as_bytes(std::span<const T>(rows.data(), count * data.features)));
    }
  }
}

}  // namespace detail

/// Writes what a training on `data` with this augmentation and these views shows a student, as an NPY file for another
/// program, whose network answers it: an array of (views, samples) and a sample's extents, (rows, columns) or
/// (channels, rows, columns) for images, else (features). View v is that of epochs v, v + views.count and so on. The
/// numbers are raw, as `data` holds them, not normalised: uint8 where it holds bytes that only move by whole pixels,
/// else float32, on the same scale (0 to 255 for bytes, beyond where there is noise).
///
/// Beside it lies FILE.json with the fingerprint of these inputs. The other program saves its logits, (views, samples,
/// classes), and a copy of FILE.json beside them, named after them: then load_teacher_logits gives a table that is
/// refused for a training on anything but these views of this data. tabulate_logits makes such a table within this
/// library.
///
/// Deterministic: a function of the arguments; between processors, noise and real inputs that are interpolated may
/// differ by roundings. Each file is written whole or not at all, FILE.json last. Memory: about 1 MiB. Throws
/// FileError; OptionError for an augmentation that changes nothing or is not for this data, and for a number of views
/// that is 0 or not below 2^32; Error for a dataset that was moved from.
[[gnu::cold]] inline void save_views(const std::filesystem::path& path, const Dataset& data,
                                     const Augmentation& augmentation, Views views) {
  constexpr const char* owner = "save_views";
  data.require_samples();
  augmentation.validate(data.image());
  if (!augmentation.is_set()) {
    throw OptionError(concatenate({owner, ": the augmentation changes nothing, expected one that does"}));
  }
  require_option(views.count >= 1 && views.count <= UINT32_MAX, owner, "views.count", views.count,
                 "a number from 1 to 2^32 - 1");
  const DatasetView view = data.view();
  const bool stay_bytes = view.bytes != nullptr && !augmentation.distorts();
  const std::filesystem::path beside = detail::LogitsFingerprints::path_beside(path);
  AtomicFile file(path);
  require_writable(beside);
  file.write(detail::npy_header(stay_bytes ? detail::npy_type<std::uint8_t>() : detail::npy_type<float>(), false,
                                detail::extents_of_views(data, views.count)));
  if (stay_bytes) {
    detail::write_views<std::uint8_t>(file, view, augmentation, views,
                                      [&](std::uint32_t sample, const View& of, std::uint8_t* row) {
                                        copy_byte_row(view, sample, of.offset(sample), row);
                                      });
  } else {
    detail::write_views<float>(file, view, augmentation, views, [&](std::uint32_t sample, const View& of, float* row) {
      gather_row(view, GatherConstants<float>{}, sample, of, row);
    });
  }
  detail::LogitsFingerprints::forget(path);
  file.commit();
  detail::LogitsFingerprints{.inputs = detail::inputs_fingerprint(data, augmentation, views)}.save(beside);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data

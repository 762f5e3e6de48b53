// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The inputs that a student sees, as a file: a teacher elsewhere answers the very same views.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/gather.hpp"
#include "retort/data/save_npy.hpp"
#include "retort/data/teacher_logits.hpp"
#include "retort/data/teacher_logits_table.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// Writes a training's inputs as an NPY file of float32, of shape (views.count, samples, features), or (samples,
/// features) without an augmentation: row i of view v is sample i as a student sees it then, normalised. Beside it
/// FILE.json has the fingerprint of these inputs. A teacher's answers to all rows, an array (views, samples, classes)
/// in LOGITS.npy with a copy of FILE.json as LOGITS.npy.json, are a table that load_teacher_logits reads and that no
/// other inputs fit. Equal arguments give equal views on all backends, but for the last bit of a pixel (gather.hpp).
/// Each file is whole or not there. Memory: some samples. Throws FileError; OptionError for an augmentation without
/// views, or one that is not for this data.
[[gnu::cold]] inline void save_views(const std::filesystem::path& path, const Dataset& data,
                                     const Augmentation& augmentation = {}, Views views = {}) {
  augmentation.validate(data.image());
  if (augmentation.is_set() && views.count == 0) {
    throw OptionError("save_views: views.count is 0, new views in every epoch, expected those that come again");
  }
  constexpr std::size_t most = 256;  // samples at a time
  const std::size_t count = augmentation.is_set() ? views.count : 1;
  const std::size_t shape[] = {count, data.size(), data.feature_count()};
  AtomicFile file(path);
  file.write(
      detail::npy_prefix(detail::npy_type<float>(), false, std::span(shape).subspan(augmentation.is_set() ? 0 : 1)));
  const DatasetView view = data.view();
  const GatherConstants<float> constants(view);
  std::vector<float> rows(std::min(most, data.size()) * view.features);
  for (std::size_t index = 0; index < count; ++index) {
    const View seen{augmentation, views.seed, static_cast<std::uint32_t>(index)};
    for (std::size_t first = 0; first < data.size(); first += most) {
      const std::size_t samples = std::min(most, data.size() - first);
      for (std::size_t i = 0; i < samples; ++i) {
        gather_row(view, constants, static_cast<std::uint32_t>(first + i), seen, rows.data() + i * view.features);
      }
      file.write(std::as_bytes(std::span(rows).first(samples * view.features)));
    }
  }
  file.commit();
  detail::LogitsFingerprints{.inputs = detail::inputs_fingerprint(data, augmentation, views)}.save_beside(path);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The inputs that a teacher answers before a training, where it sees the same augmented views again and again.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "retort/backend/backend.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/train/resident_dataset.hpp"
#include "retort/train/trainer_interface.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Calls answer(inputs, row, count) for all samples of all views, `count` at a time: row v data.size + i is sample i in
/// view v. Inputs (count, Features) and `data` are in the backend's memory. Precondition: the epoch's views come again.
template <std::size_t Features, typename Scalar, typename Backend, typename Answer>
void for_each_view(const Backend& backend, const data::DatasetView& data, const Epoch& epoch, const Answer& answer) {
  constexpr std::size_t most = 1024;
  auto samples = backend.template allocate<std::uint32_t>(data.size);
  number_samples(backend, data.size, samples.data());
  auto inputs = backend.template allocate<Scalar>(std::min(most, data.size) * Features);
  for (std::size_t view = 0; view < epoch.view_count(); ++view) {
    for (std::size_t first = 0; first < data.size; first += most) {
      const std::size_t count = std::min(most, data.size - first);
      gather_batch(backend, data, std::as_const(samples).data() + first, count, epoch.view(view), inputs.data());
      answer(std::as_const(inputs).data(), view * data.size + first, count);
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

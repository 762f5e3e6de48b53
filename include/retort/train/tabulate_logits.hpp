// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A network's answers to a dataset as a table.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "retort/backend/backend.hpp"
#include "retort/core/flush_subnormals.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/teacher_logits_table.hpp"
#include "retort/nn/network.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/resident_dataset.hpp"
#include "retort/train/teacher.hpp"
#include "retort/train/teacher_views.hpp"
#include "retort/train/trainer_interface.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A table of the network's logits for each sample of `data`, or for each of its views: what a DistillationTrainer asks
/// this teacher for on such data, and bit for bit the training that the network itself gives, if it computes in float.
/// `data::save_teacher_logits("logits.npy", tabulate_logits(teacher, train))` keeps a teacher's answers without the
/// teacher; data::ensemble_logits makes one of several.
///
/// Deterministic. Memory: the table, and the answers to one view on the network's backend. Throws OptionError for an
/// augmentation without views or the other way round, and for one that is not for this data; ShapeError for a logit
/// that is no finite number; else like predict_all.
template <Model M, typename Backend, typename Scalar>
data::TeacherLogitsTable tabulate_logits(const Network<M, Backend, Scalar>& teacher, const data::Dataset& data,
                                         const data::Augmentation& augmentation = {}, data::Views views = {}) {
  constexpr std::size_t classes = M::output_size;
  internal::require_predictable(teacher, data);
  augmentation.validate(data.image());
  require_option(augmentation.is_set() ? views.count >= 1 && views.count <= UINT32_MAX : views.count == 0,
                 "tabulate_logits", "views.count", views.count,
                 "0, or a number from 1 to 2^32 - 1 beside an augmentation");

  const internal::FlushSubnormals flush(backend::flushes_subnormals<Backend>);
  const Backend& backend = teacher.backend();
  const internal::Teacher<M, Backend, Scalar> source(&teacher);
  const internal::ResidentDataset<Backend> resident(backend, data);
  const internal::Epoch epoch{.augmentation = augmentation, .views = views};
  data::Matrix<float> logits(epoch.view_count() * data.size(), classes);
  auto answers = backend.template allocate<Scalar>(data.size() * classes);
  std::vector<Scalar> on_host(answers.size());
  const auto take = [&](std::size_t row, std::size_t count) {
    const std::span<Scalar> values(on_host.data(), count * classes);
    copy_to_host(backend, std::as_const(answers).data(), values);
    std::ranges::transform(values, logits.row(row).data(), [](Scalar value) { return static_cast<float>(value); });
  };
  if (augmentation.is_set()) {
    internal::for_each_view<M::input_size, Scalar>(backend, resident.view(), epoch,
                                                   [&](const Scalar* inputs, std::size_t row, std::size_t count) {
                                                     source.answer_batch(backend, inputs, answers.data(), count);
                                                     take(row, count);
                                                   });
  } else {
    source.answer_dataset(backend, resident.view(), answers.data());
    take(0, data.size());
  }
  return data::TeacherLogitsTable(std::move(logits), data, augmentation, views);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A network's answers as a table, for trainings that share them.

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "retort/backend/arguments.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/teacher_logits_table.hpp"
#include "retort/nn/network.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/resident_dataset.hpp"
#include "retort/train/teacher_views.hpp"
#include "retort/train/trainer_interface.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The logits of a network for every sample of `data`, or for every sample of each of its views: what a
/// training would ask it for, bit for bit. The table can be saved, and mixed with others (ensemble_logits). Throws like
/// predict_all; OptionError for an augmentation without views, or one that is not for this data.
template <Model M, typename Backend, typename Scalar>
data::TeacherLogitsTable make_teacher_table(const Network<M, Backend, Scalar>& network, const data::Dataset& data,
                                            const data::Augmentation& augmentation = {}, data::Views views = {}) {
  constexpr std::size_t classes = M::output_size;
  if (!augmentation.is_set()) {
    const std::vector<Scalar> answers = predict_all(network, data);
    return data::TeacherLogitsTable(
        data::Matrix<float>(data.size(), classes, std::vector<float>(answers.begin(), answers.end())), data);
  }
  internal::require_predictable(network, data);
  augmentation.validate(data.image());
  if (views.count == 0) {
    throw OptionError("make_teacher_table: views.count is 0, new views in every epoch, expected those that come again");
  }
  const internal::Epoch epoch{.augmentation = augmentation, .views = views};
  std::vector<float> logits(views.count * data.size() * classes);
  const Backend& backend = network.backend();
  const internal::ResidentDataset<Backend> resident(backend, data);
  typename Backend::template Buffer<Scalar> outputs{};
  std::vector<Scalar> copy;
  internal::for_each_view<M::input_size, Scalar>(
      backend, resident.view(), epoch, [&](const Scalar* inputs, std::size_t row, std::size_t count) {
        copy.resize(count * classes);
        if (outputs.size() < copy.size()) {
          outputs = backend.template allocate<Scalar>(copy.size());
        }
        predict_batch(backend, M{},
                      backend::InferArguments<Scalar>{network.parameter_data(), network.buffer_data(), inputs,
                                                      outputs.data(), count});
        copy_to_host(backend, std::as_const(outputs).data(), std::span(copy));
        for (std::size_t i = 0; i < copy.size(); ++i) {
          logits[row * classes + i] = static_cast<float>(copy[i]);
        }
      });
  return data::TeacherLogitsTable(data::Matrix<float>(views.count * data.size(), classes, std::move(logits)), data,
                                  augmentation, views);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET

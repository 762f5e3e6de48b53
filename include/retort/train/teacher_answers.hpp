// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A teacher's answers in a training's memory: its logits, and what leaves a hidden layer where a loss compares that.

#include <cstddef>
#include <span>
#include <vector>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/term_layers.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/teacher_logits_table.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/train/teacher_views.hpp"
#include "retort/train/trainer_interface.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

namespace detail {

template <typename L, typename TeacherModel>
struct TeacherLayerOf {
  using type = NoTeacherLayer;
};
template <typename L, Model TeacherModel>
  requires ComparesLayers<typename L::Term>
struct TeacherLayerOf<L, TeacherModel> {
  using type = TeacherLayer<typename L::Term, TeacherModel>;
};

}  // namespace detail

/// The teacher's layer that a loss compares, or NoTeacherLayer.
template <typename L, typename TeacherModel>
using TeacherLayerOf = typename detail::TeacherLayerOf<L, TeacherModel>::type;

/// Logits (rows, classes) and, if the loss reads what leaves a layer of the teacher, features (rows, width). `Students`
/// is their model, or a OneOfModels; `Layer` is a TeacherLayer, NoTeacherLayer or derived from one.
template <typename Students, typename Layer, typename Backend, typename Scalar>
class TeacherAnswers {
 public:
  /// How many values a row has.
  static constexpr std::size_t row_size = [] {
    std::size_t size = Students::output_size;
    if constexpr (Layer::reads_features) {
      size += Layer::width;
    }
    return size;
  }();

  /// Copies a table's logits.
  [[gnu::cold]] void take(const Backend& backend, const data::TeacherLogitsTable& table) {
    const std::span<const float> logits = table.logits().values();
    const std::vector<Scalar> values(logits.begin(), logits.end());
    logits_ = backend.template allocate<Scalar>(values.size());
    copy_from_host(backend, std::span(values), logits_.data());
  }

  /// Has the teacher answer all samples, or all views: row v data.size + i is sample i in view v. Precondition: the
  /// epoch's views come again.
  template <typename Source>
  [[gnu::cold]] void ask(const Backend& backend, const Source& teacher, const data::DatasetView& data,
                         const Epoch& epoch) {
    make_room(backend, epoch.view_count() * data.size);
    if (epoch.augmentation.is_set()) {
      for_each_view<Students::input_size, Scalar>(backend, data, epoch,
                                                  [&](const Scalar* inputs, std::size_t row, std::size_t count) {
                                                    answer(backend, teacher, inputs, row, count);
                                                  });
      return;
    }
    teacher.answer_dataset(backend, data, logits_.data());
    if constexpr (Layer::reads_features) {
      teacher.template answer_dataset<Layer::teacher_layers>(backend, data, features_.data());
    }
  }

  /// Allocates `rows` rows, without contents.
  [[gnu::cold]] void make_room(const Backend& backend, std::size_t rows) {
    logits_ = backend.template allocate<Scalar>(rows * Students::output_size);
    if constexpr (Layer::reads_features) {
      features_ = backend.template allocate<Scalar>(rows * Layer::width);
    }
  }

  /// Has the teacher answer inputs (count, in), and keeps the answers from row `row` on. Precondition: there is room.
  template <typename Source>
  void answer(const Backend& backend, const Source& teacher, const Scalar* inputs, std::size_t row, std::size_t count) {
    teacher.answer_batch(backend, inputs, logits_.data() + row * Students::output_size, count);
    if constexpr (Layer::reads_features) {
      teacher.template answer_batch<Layer::teacher_layers>(backend, inputs, features_.data() + row * Layer::width,
                                                           count);
    }
  }

  /// All rows, for a step. `by_sample`: see TeacherTable.
  backend::TeacherTable<Scalar> rows(bool by_sample) const {
    return {logits_.data(), by_sample, Layer::reads_features ? features_.data() : nullptr};
  }

 private:
  using Buffer = typename Backend::template Buffer<Scalar>;

  Buffer logits_{};
  Buffer features_{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Training a student on labels and on a teacher's logits.

#include <memory>
#include <string>
#include <utility>

#include "retort/core/instruction_set.hpp"
#include "retort/data/dataset.hpp"
#include "retort/loss/loss.hpp"
#include "retort/nn/network.hpp"
#include "retort/optim/optimizer.hpp"
#include "retort/train/epoch_trainer.hpp"
#include "retort/train/fit.hpp"
#include "retort/train/fit_options.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/teacher.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Distils a teacher into a student: `DistillationTrainer distiller{teacher, student, HintonLoss{.temperature = 4},
/// Adam{}}` (Hinton, Vinyals and Dean, arXiv:1503.02531). The teacher is const, and only its inference runs, so dropout
/// cannot act in it. Its logits are computed once and looked up by sample index, unless the inputs are augmented. Both
/// networks must outlive the trainer. Deterministic as Trainer is.
template <Model TeacherModel, Model StudentModel, typename Backend = backend::Eigen, typename Scalar = float>
class DistillationTrainer
    : private shape_check::teacher_with<TeacherModel::output_size>::template classes_but_student_with<
          StudentModel::output_size>,
      private shape_check::teacher_of<TeacherModel::input_size>::template inputs_but_student_of<
          StudentModel::input_size> {
  static_assert(detail::check_extents<TeacherModel, StudentModel>());

 public:
  /// Throws OptionError for a hyperparameter outside its range, and where teacher and student are one network.
  template <Loss L, Optimizer O>
  DistillationTrainer(const Network<TeacherModel, Backend, Scalar>& teacher,
                      Network<StudentModel, Backend, Scalar>& student, L loss, O optimizer)
      : engine_(
            std::make_unique<EpochTrainer<StudentModel, Backend, Scalar, L, O, Teacher<TeacherModel, Backend, Scalar>>>(
                student, std::move(loss), std::move(optimizer), Teacher<TeacherModel, Backend, Scalar>{&teacher})) {}

  /// A teacher that would be gone before `fit` is called.
  template <Loss L, Optimizer O>
  DistillationTrainer(const Network<TeacherModel, Backend, Scalar>&& teacher,
                      Network<StudentModel, Backend, Scalar>& student, L loss, O optimizer) = delete;

  /// As Trainer::fit, for the student. Throws OptionError also for data whose inputs are made otherwise than those that
  /// the teacher was trained on.
  History fit(const data::Dataset& train, const FitOptions& options) {
    return detail::fit(detail::require_engine(engine_), train, nullptr, options);
  }
  History fit(const data::Dataset& train, const data::Dataset& validation, const FitOptions& options) {
    return detail::fit(detail::require_engine(engine_), train, &validation, options);
  }

  /// What takes the steps, and why what would be faster does not: "single operations in float, not panels: LayerNorm
  /// (layer 1) is neither Linear nor pointwise".
  std::string describe() const { return detail::require_engine(engine_).describe(); }

 private:
  std::unique_ptr<TrainerInterface> engine_;
};

template <Model TeacherModel, Model StudentModel, typename Backend, typename Scalar, Loss L, Optimizer O>
DistillationTrainer(const Network<TeacherModel, Backend, Scalar>&, Network<StudentModel, Backend, Scalar>&, L, O)
    -> DistillationTrainer<TeacherModel, StudentModel, Backend, Scalar>;

}  // namespace retort::inline RETORT_INSTRUCTION_SET

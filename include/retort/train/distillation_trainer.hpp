// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Training a student on labels and on a teacher's logits.

#include <utility>

#include "retort/core/instruction_set.hpp"
#include "retort/data/teacher_logits_table.hpp"
#include "retort/loss/loss.hpp"
#include "retort/nn/network.hpp"
#include "retort/optim/optimizer.hpp"
#include "retort/train/teacher.hpp"
#include "retort/train/trainer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Distils a teacher into a student: `DistillationTrainer distiller{teacher, student, HintonLoss{.temperature = 4},
/// Adam{}}` (Hinton, Vinyals and Dean, arXiv:1503.02531). The teacher is const, and only its inference runs, so dropout
/// cannot act in it. Its logits are computed once and looked up by sample index, unless the inputs are augmented anew
/// in every epoch (data::Views). Both networks must outlive the trainer. Deterministic, like Trainer. `fit` also throws
/// OptionError for data whose inputs are made differently from those that the teacher was trained on.
template <typename TeacherModel, Model StudentModel, typename Backend = backend::Eigen, typename Scalar = float>
class DistillationTrainer : public TrainerBase, private internal::TeacherFits<TeacherModel, StudentModel> {
 public:
  /// Throws OptionError for a hyperparameter outside its range, and if teacher and student are one network.
  template <Loss L, Optimizer O>
  DistillationTrainer(const Network<TeacherModel, Backend, Scalar>& teacher,
                      Network<StudentModel, Backend, Scalar>& student, L loss, O optimizer)
      : TrainerBase(internal::make_training(student, std::move(loss), std::move(optimizer), &teacher)) {}

  /// A temporary teacher would be gone before `fit` is called.
  template <Loss L, Optimizer O>
  DistillationTrainer(const Network<TeacherModel, Backend, Scalar>&& teacher,
                      Network<StudentModel, Backend, Scalar>& student, L loss, O optimizer) = delete;
};

/// The same from a table of logits, of a teacher of any kind: `DistillationTrainer
/// distiller{data::load_teacher_logits("logits.npy"), student, HintonLoss{.temperature = 4}, Adam{}}`. The trainer
/// keeps the table. A table of a network's own logits gives the bits that the network gives. `fit` also throws what
/// TeacherLogitsTable::require_made_for throws: ShapeError for a table of other extents, OptionError for an
/// augmentation without `views` and for a table of other inputs; and OptionError for a mean of several teachers at
/// another temperature than the loss's (require_temperature_for). A table has no place for samples that
/// `validation_fraction` would hold out: split the data before (data::random_split).
template <Model StudentModel, typename Backend, typename Scalar>
class DistillationTrainer<data::TeacherLogitsTable, StudentModel, Backend, Scalar> : public TrainerBase {
 public:
  /// Throws OptionError for a hyperparameter outside its range.
  template <Loss L, Optimizer O>
  DistillationTrainer(data::TeacherLogitsTable teacher, Network<StudentModel, Backend, Scalar>& student, L loss,
                      O optimizer)
      : TrainerBase(internal::make_training(student, std::move(loss), std::move(optimizer), std::move(teacher))) {}
};

template <Model TeacherModel, Model StudentModel, typename Backend, typename Scalar, Loss L, Optimizer O>
DistillationTrainer(const Network<TeacherModel, Backend, Scalar>&, Network<StudentModel, Backend, Scalar>&, L, O)
    -> DistillationTrainer<TeacherModel, StudentModel, Backend, Scalar>;
template <Model StudentModel, typename Backend, typename Scalar, Loss L, Optimizer O>
DistillationTrainer(data::TeacherLogitsTable, Network<StudentModel, Backend, Scalar>&, L, O)
    -> DistillationTrainer<data::TeacherLogitsTable, StudentModel, Backend, Scalar>;

}  // namespace retort::inline RETORT_INSTRUCTION_SET

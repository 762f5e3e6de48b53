// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The Trainings on a backend type. No Catch2 here, which nvcc need not read.

#include <span>
#include <string>
#include <utility>

#include "every_backend/arenas.hpp"
#include "every_backend/candidate.hpp"
#include "every_backend/models.hpp"
#include "retort/backend/engine.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/loss/hint.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/trainer.hpp"

namespace retort::test {

/// What takes the steps of a model that is trained on labels.
template <typename Backend, Model M>
using StepsAlone =
    internal::StepsOf<backend::TrainingTypes<Backend, M, CrossEntropy, Adam, float, internal::NoTeacher>>;

template <typename Backend, typename Scalar = float>
class TrainingsOf final : public Trainings {
 public:
  explicit TrainingsOf(Backend backend) : backend_(std::move(backend)) {}

  std::string describe() const override { return backend_.describe(); }

  TrainResult train(const TrainingTask& task) const override {
    return task.in_double ? train_in<double>(task) : train_in<Scalar>(task);
  }

 private:
  static FitOptions options_of(const TrainingTask& task, FitOptions options) {
    options.epochs = task.epochs;
    options.seed = Seed{17};
    return options;
  }

  template <typename M, typename S>
  TrainResult fit(auto& trainer, const Network<M, Backend, S>& network, const TrainingTask& task,
                  const FitOptions& options) const {
    TrainResult result;
    result.history = task.validation == nullptr ? trainer.fit(*task.train, options)
                                                : trainer.fit(*task.train, *task.validation, options);
    const AlignedBuffer<S> parameters = network.copy_parameters();
    const AlignedBuffer<S> buffers = network.copy_buffers();
    result.parameters = packed(M::parameters, parameters.span());
    result.buffers = packed(M::buffers, buffers.span());
    return result;
  }

  template <typename M, typename S>
  TrainResult train_alone(const TrainingTask& task, const Adam& optimizer) const {
    Network<M, Backend, S> network{Seed{1}, backend_};
    Trainer trainer{network, CrossEntropy{}, optimizer};
    return fit(trainer, network, task, options_of(task, {}));
  }

  template <typename M, typename S>
  TrainResult distil(const TrainingTask& task, const auto& loss, const auto& optimizer,
                     const FitOptions& options) const {
    Network<NarrowTeacher, Backend, S> teacher{Seed{2}, backend_};
    set_parameters(teacher, *task.teacher);
    Network<M, Backend, S> student{Seed{1}, backend_};
    DistillationTrainer trainer{std::as_const(teacher), student, loss, optimizer};
    return fit(trainer, student, task, options_of(task, options));
  }

  /// In float or double.
  template <typename S>
  TrainResult train_in(const TrainingTask& task) const {
    const Adam adam{.learning_rate = 2e-4, .beta1 = 0.5};
    switch (task.recipe) {
      case Recipe::teacher:
        return train_alone<Teacher, S>(task, adam);
      case Recipe::narrow_teacher:
        return train_alone<NarrowTeacher, S>(task, adam);
      case Recipe::alone:
        return train_alone<Student, S>(task, adam);
      case Recipe::as_written:
        return distil<Student, S>(task, LossOfLabels{SoftmaxPassedToKlLoss{.temperature = 7.0, .hard_weight = 0.3}},
                                  adam, {});
      case Recipe::hinton:
        return distil<Student, S>(task, LossOfLabels{HintonLoss{.temperature = 4.0, .hard_weight = 0.3}}, adam, {});
      case Recipe::everything:
        break;
    }
    return distil<Everything, S>(
        task, WithTerm{HintonLoss{.temperature = 3.0, .hard_weight = 0.2}, Hint<4, 2>{.weight = 0.5}},
        AdamW{.learning_rate = 1e-3, .weight_decay = 0.05},
        {.batch_size = 50,
         .augmentation = {.shift = 2},
         .schedule = LinearWarmup{.steps = 20, .then = CosineSchedule{}},
         .clipping = GradientClipping{.max_norm = 0.5}});
  }

  Backend backend_;
};

}  // namespace retort::test

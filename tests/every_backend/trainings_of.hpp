// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The Trainings on a backend type. No Catch2 here, which nvcc need not read.

#include <string>
#include <type_traits>
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
template <typename Backend, Model M, typename Scalar = float>
using StepsAlone =
    internal::StepsOf<backend::TrainingTypes<Backend, M, CrossEntropy, Adam, Scalar, internal::NoTeacher>>;

/// A task as a backend's engines train it.
template <typename Backend>
class Training {
 public:
  Training(const Backend& backend, const TrainingTask& task) : backend_(backend), task_(task) {}

  /// The full teacher, a narrow one, or the student alone.
  template <typename M, typename S>
  TrainResult alone() const {
    Network<M, Backend, S> network{Seed{1}, backend_};
    Trainer trainer{network, CrossEntropy{}, adam};
    return fit(trainer, network, {});
  }

  template <typename S>
  TrainResult distilled_student() const {
    const LossOfLabels as_written{SoftmaxPassedToKlLoss{.temperature = 7.0, .hard_weight = 0.3}};
    const LossOfLabels hinton{HintonLoss{.temperature = 4.0, .hard_weight = 0.3}};
    return distil<Student, S>(task_.recipe == Recipe::as_written ? as_written : hinton, adam, {});
  }

  template <typename S>
  TrainResult everything() const {
    return distil<Everything, S>(
        WithTerm{HintonLoss{.temperature = 3.0, .hard_weight = 0.2}, Hint<4, 2>{.weight = 0.5}},
        AdamW{.learning_rate = 1e-3, .weight_decay = 0.05},
        {.batch_size = 50,
         .augmentation = {.shift = 2},
         .schedule = LinearWarmup{.steps = 20, .then = CosineSchedule{}},
         .clipping = GradientClipping{.max_norm = 0.5}});
  }

 private:
  static constexpr Adam adam{.learning_rate = 2e-4, .beta1 = 0.5};

  template <typename M, typename S>
  TrainResult fit(auto& trainer, const Network<M, Backend, S>& network, FitOptions options) const {
    options.epochs = task_.epochs;
    options.seed = Seed{17};
    TrainResult result;
    result.history = task_.validation == nullptr ? trainer.fit(*task_.train, options)
                                                 : trainer.fit(*task_.train, *task_.validation, options);
    const AlignedBuffer<S> parameters = network.copy_parameters();
    const AlignedBuffer<S> buffers = network.copy_buffers();
    result.parameters = packed(M::parameters, parameters.span());
    result.buffers = packed(M::buffers, buffers.span());
    return result;
  }

  template <typename M, typename S>
  TrainResult distil(const auto& loss, const auto& optimizer, const FitOptions& options) const {
    Network<NarrowTeacher, Backend, S> teacher{Seed{2}, backend_};
    set_parameters(teacher, *task_.teacher);
    Network<M, Backend, S> student{Seed{1}, backend_};
    DistillationTrainer trainer{std::as_const(teacher), student, loss, optimizer};
    return fit(trainer, student, options);
  }

  const Backend& backend_;
  const TrainingTask& task_;
};

template <typename Backend, typename Scalar = float>
class TrainingsOf final : public Trainings {
 public:
  explicit TrainingsOf(Backend backend) : backend_(std::move(backend)) {}

  std::string describe() const override { return backend_.describe(); }

  TrainResult train(const TrainingTask& task) const override {
    return task.in_double ? train_in<double>(task) : train_in<Scalar>(task);
  }

 private:
  template <typename S>
  TrainResult train_in(const TrainingTask& task) const {
    const Training<Backend> training{backend_, task};
    switch (task.recipe) {
      case Recipe::teacher:
        return training.template alone<Teacher, S>();
      case Recipe::narrow_teacher:
        return training.template alone<NarrowTeacher, S>();
      case Recipe::alone:
        return training.template alone<Student, S>();
      case Recipe::as_written:
      case Recipe::hinton:
        return training.template distilled_student<S>();
      case Recipe::everything:
        break;
    }
    return training.template everything<S>();
  }

  Backend backend_;
};

/// Trainings on a cluster of blocks, which takes students in float alone. All else is trained by the engines of Block,
/// as on the backend itself: each is one type for both.
template <typename Cluster, typename Block>
class ClusterTrainings final : public Trainings {
 public:
  ClusterTrainings(Cluster cluster, Block block) : cluster_(std::move(cluster)), others_(std::move(block)) {}

  std::string describe() const override { return cluster_.describe(); }

  TrainResult train(const TrainingTask& task) const override {
    const Training<Cluster> training{cluster_, task};
    if (!task.in_double && task.recipe == Recipe::alone) {
      return training.template alone<Student, float>();
    }
    if (!task.in_double && (task.recipe == Recipe::as_written || task.recipe == Recipe::hinton)) {
      return training.template distilled_student<float>();
    }
    return others_.train(task);
  }

 private:
  static_assert(std::is_same_v<StepsAlone<Cluster, Teacher>, StepsAlone<Block, Teacher>>);
  static_assert(std::is_same_v<StepsAlone<Cluster, Student, double>, StepsAlone<Block, Student, double>>);

  Cluster cluster_;
  TrainingsOf<Block> others_;
};

}  // namespace retort::test

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Training steps with everything that belongs to one: gather, forward, loss, backward, Adam. An iteration is an epoch,
/// its order and the sums of its losses included; "time/step" is that of one step.

#include <benchmark/benchmark.h>

#include <cstddef>

#include "models.hpp"
#include "retort/backend/arguments.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/network.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/schedule.hpp"
#include "retort/train/epoch_trainer.hpp"
#include "retort/train/trainer_interface.hpp"
#include "runner.hpp"

namespace retort::benchmarks {

/// On a host 64 batches of 64 images, on a GPU 750: what an epoch costs besides its steps is then as small a part of a
/// step as in a training on MNIST. Of a larger size 8 batches.
template <typename Backend>
const data::Dataset& epoch_of_batches(std::size_t batch) {
  return digits(batch * (batch > 64 ? 8 : Backend::host_memory ? 64 : 750));
}

/// What an iteration runs. `flops` is one step's work, of which the rate is reported.
struct Epochs {
  const data::Dataset& data;
  std::size_t batch;
  double flops;
  std::size_t count = 1;
  data::Augmentation augmentation{};
  data::Views views{};

  std::size_t steps() const { return (data.size() + batch - 1) / batch; }  ///< of one
};

inline void report_steps(::benchmark::State& state, const Epochs& epochs) {
  using ::benchmark::Counter;
  const auto steps = static_cast<double>(epochs.count * epochs.steps());
  state.counters["time/step"] = Counter(steps, Counter::kIsIterationInvariantRate | Counter::kInvert);
  state.counters["FLOP/s"] = Counter(steps * epochs.flops, Counter::kIsIterationInvariantRate);
}

/// Runs epochs of a training, which has the data and a teacher's cached logits in its memory before the first one.
template <typename Runner>
void run_epochs(::benchmark::State& state, const typename Runner::Backend& backend,
                internal::TrainerInterface& epoch_trainer, const Epochs& epochs) {
  epoch_trainer.begin(epochs.data, nullptr,
                      {.batch_size = epochs.batch, .augmentation = epochs.augmentation, .views = epochs.views});
  const Schedule schedule;
  const std::size_t steps = epochs.steps();
  std::size_t epoch = 0;
  Runner::measure(state, backend, [&] {
    for (std::size_t i = 0; i < epochs.count; ++i, ++epoch) {
      epoch_trainer.train_epoch({.batch_size = epochs.batch,
                                 .augmentation = epochs.augmentation,
                                 .views = epochs.views,
                                 .schedule = &schedule,
                                 .progress = {.step = epoch * steps, .epoch = epoch}},
                                [](std::size_t, const retort::backend::LossSum&) {});
    }
  });
  report_steps(state, epochs);
}

template <Model M, typename Runner>
void train_step(::benchmark::State& state, const typename Runner::Backend& backend, std::size_t batch) {
  using Backend = typename Runner::Backend;
  Network<M, Backend> network{Seed{0}, backend};
  internal::EpochTrainer<M, Backend, float, CrossEntropy, Adam, internal::NoTeacher> epoch_trainer(network, {}, {}, {});
  run_epochs<Runner>(state, backend, epoch_trainer,
                     {epoch_of_batches<Backend>(batch), batch, training_step_flops<M>(batch)});
}

/// With the teacher's logits looked up, or computed in each step, as images need it whose views are new in each epoch.
template <typename Runner>
void distillation_step(::benchmark::State& state, const typename Runner::Backend& backend, std::size_t batch,
                       const data::Augmentation& augmentation, data::Views views) {
  using Backend = typename Runner::Backend;
  const Network<Teacher, Backend> teacher{Seed{0}, backend};
  Network<Student, Backend> student{Seed{1}, backend};
  internal::EpochTrainer<Student, Backend, float, HintonLoss, Adam, internal::Teacher<Teacher, Backend, float>>
      epoch_trainer(student, {}, {}, {&teacher});
  const bool online = augmentation.is_set() && views.count == 0;
  const double teacher_flops = online ? static_cast<double>(batch * Teacher::flops) : 0.0;
  run_epochs<Runner>(state, backend, epoch_trainer,
                     {.data = epoch_of_batches<Backend>(batch),
                      .batch = batch,
                      .flops = teacher_flops + training_step_flops<Student>(batch),
                      .augmentation = augmentation,
                      .views = views});
}

/// What differs between a GPU's precisions: a model that fits a block's memory trains in fp32 with each of them.
template <typename Runner>
bool register_teacher_steps() {
  register_benchmark<Runner>("train_step<Teacher>", {64}, train_step<Teacher, Runner>);
  if constexpr (!Runner::Backend::host_memory) {
    register_benchmark<Runner>("train_step<Teacher>", {4096}, train_step<Teacher, Runner>);
  }
  return true;
}

/// What differs between one block and a cluster of them.
template <typename Runner>
bool register_student_steps() {
  register_benchmark<Runner>("train_step<Student>", {64}, train_step<Student, Runner>);
  register_benchmark<Runner>("train_step<PooledStudent>", {64}, train_step<PooledStudent, Runner>);
  const auto register_distillation = [](const char* name, const data::Augmentation& augmentation, data::Views views) {
    register_benchmark<Runner>(
        name, {64}, [=](::benchmark::State& state, const typename Runner::Backend& backend, std::size_t batch) {
          distillation_step<Runner>(state, backend, batch, augmentation, views);
        });
  };
  constexpr data::Views two{.count = 2};
  register_distillation("distillation_step/cached", {}, {});
  register_distillation("distillation_step/online", {.shift = 2}, {});
  register_distillation("distillation_step/views/shifted", {.shift = 1}, two);
  register_distillation("distillation_step/views/affine", affine, two);
  register_distillation("distillation_step/views/affine_noisy", affine_noisy, two);
  return true;
}

template <typename Runner>
bool register_steps() {
  return register_student_steps<Runner>() && register_teacher_steps<Runner>();
}

}  // namespace retort::benchmarks

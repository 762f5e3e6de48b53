// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The main job's distillation, whole: five epochs of 48,000 images with a teacher whose logits are cached. An
/// iteration is all of it; "time/step" is its 3,750th part.

#include <benchmark/benchmark.h>

#include <cstddef>

#include "models.hpp"
#include "retort/core/philox.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/network.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/epoch_trainer.hpp"
#include "retort/train/teacher.hpp"
#include "runner.hpp"
#include "train/step_benchmark.hpp"

namespace retort::benchmarks {

inline Epochs main_job_epochs(std::size_t batch) {
  return {digits(48'000), batch, training_step_flops<Student>(batch), 5};
}

/// The epochs alone, order and sums of the losses included: images and logits are in the backend's memory before.
template <typename Runner>
void distillation_epochs(::benchmark::State& state, const typename Runner::Backend& backend, std::size_t batch) {
  using Backend = typename Runner::Backend;
  const Network<Teacher, Backend> teacher{Seed{0}, backend};
  Network<Student, Backend> student{Seed{1}, backend};
  internal::EpochTrainer<Student, Backend, float, HintonLoss, Adam, internal::Teacher<Teacher, Backend, float>>
      epoch_trainer(student, {}, {}, {&teacher});
  run_epochs<Runner>(state, backend, epoch_trainer, main_job_epochs(batch));
}

/// As a program calls it, from images in the host's memory: they are copied, and the teacher answers each once.
template <typename Runner>
void distillation_fit(::benchmark::State& state, const typename Runner::Backend& backend, std::size_t batch) {
  using Backend = typename Runner::Backend;
  const Network<Teacher, Backend> teacher{Seed{0}, backend};
  Network<Student, Backend> student{Seed{1}, backend};
  DistillationTrainer trainer{teacher, student, HintonLoss{}, Adam{}};
  const Epochs epochs = main_job_epochs(batch);
  Runner::measure(state, backend, [&] {
    const History history = trainer.fit(epochs.data, {.epochs = epochs.count, .batch_size = batch});
    ::benchmark::DoNotOptimize(history.data());
  });
  report_steps(state, epochs);
}

template <typename Runner>
bool register_distillations() {
  register_benchmark<Runner>("distillation_epochs", {64}, distillation_epochs<Runner>);
  register_benchmark<Runner>("distillation_fit", {64}, distillation_fit<Runner>);
  return true;
}

}  // namespace retort::benchmarks

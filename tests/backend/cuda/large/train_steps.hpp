#pragma once
/// @file
/// Short trainings with the steps of a given class on a given backend, so that two of them can be compared. No Catch2
/// here, which nvcc need not read.

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "retort/backend/arguments.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/nn/network.hpp"
#include "retort/optim/gradient_clipping.hpp"
#include "retort/train/step_engine.hpp"
#include "small_datasets.hpp"

namespace retort::test {

struct LargeStepSettings {
  std::size_t samples = 70;
  std::size_t batch = 24;  // leaves a short last one
  data::RandomShift shift{};
  std::optional<GradientClipping> clipping{};
  bool real_features = false;
  double mean = 0.5;
  std::size_t epochs = 3;
};

template <Model M>
data::Dataset large_step_dataset(const LargeStepSettings& settings) {
  if (settings.real_features) {
    return clouds(settings.samples, M::input_size, M::output_size, 4);
  }
  return noise_images(settings.samples, {5, M::input_size / 5}, M::output_size, 1)
      .with_normalization({.mean = settings.mean, .standard_deviation = 0.5});
}

struct TrainedSteps {
  std::vector<double> parameters;
  backend::LossSum sum;
};

/// `settings.epochs` epochs of a student, with a teacher that is another network of the same model.
template <Model M, typename Backend, typename Scalar, typename Steps, typename L, typename O>
TrainedSteps train_large_steps(const LargeStepSettings& settings, const L& loss, const O& optimizer) {
  using TeacherSource = Teacher<M, Backend, Scalar>;
  const data::Dataset data = large_step_dataset<M>(settings);
  const Backend backend;
  const Network<M, Backend, Scalar> teacher{Seed{5}, backend};
  Network<M, Backend, Scalar> network{Seed{3}, backend};
  StepEngine<M, Backend, Scalar, L, O, TeacherSource, Steps> engine(network, loss, optimizer, TeacherSource{&teacher});
  engine.begin(data, nullptr, settings.batch, settings.shift);
  const Schedule schedule;
  const std::size_t steps = (settings.samples + settings.batch - 1) / settings.batch;
  TrainedSteps trained;
  for (std::size_t epoch = 0; epoch < settings.epochs; ++epoch) {
    EpochPlan plan;
    plan.batch_size = settings.batch;
    plan.seed = Seed{11};
    plan.shift = settings.shift;
    plan.schedule = &schedule;
    plan.progress.step = epoch * steps;
    plan.progress.epoch = epoch;
    plan.clipping = settings.clipping;
    const BatchCallback after_batch = [](std::size_t, const backend::LossSum&) {};
    trained.sum += engine.train_epoch(plan, after_batch).sum;
  }
  std::vector<Scalar> parameters(M::parameter_arena_size);
  copy_to_host(backend, std::as_const(network).parameter_data(), std::span(parameters));
  trained.parameters.assign(parameters.begin(), parameters.end());
  return trained;
}

}  // namespace retort::test

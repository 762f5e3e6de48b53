// SPDX-License-Identifier: MIT
#pragma once
// Short trainings with the steps of a given class, so that two of them can be compared.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "brief.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/loss/loss.hpp"
#include "retort/nn/network.hpp"
#include "retort/optim/gradient_clipping.hpp"
#include "retort/train/epoch_trainer.hpp"
#include "small_datasets.hpp"

namespace retort::test {

/// As many samples as a test with batches of this size takes: a brief run takes two batches and a half.
constexpr std::size_t samples_for(std::size_t batch) {
  return brief ? std::min<std::size_t>(100, (5 * batch + 1) / 2) : 150;
}

struct StepSettings {
  std::size_t samples = samples_for(64);
  std::size_t batch = 64;
  data::Augmentation augmentation{};
  std::optional<GradientClipping> clipping{};
  bool real_features = false;
  std::size_t epochs = brief ? 1 : 2;
  data::Normalization normalization{.mean = 0.5, .standard_deviation = 0.5};  // of bytes
  unsigned threads = 1;                                                       // for the caller that makes the backend
  data::ImageShape image{};                                                   // of bytes; five rows if it is empty
};

template <Model M>
data::Dataset step_dataset(const StepSettings& settings) {
  if (settings.real_features) {
    return clouds(settings.samples, M::input_size, M::output_size, 4);
  }
  const data::ImageShape image = settings.image.rows == 0 ? data::ImageShape{5, M::input_size / 5} : settings.image;
  return noise_images(settings.samples, image, M::output_size, 1, settings.normalization);
}

/// `settings.epochs` epochs, on samples some of which have no label if the loss learns from those, and on none with one
/// where two are mixed; returns parameters and buffers, and adds up losses and answers.
template <Model M, typename Scalar, typename Steps, typename Backend, typename L, typename O>
std::vector<double> train_steps(const Backend& backend, const StepSettings& settings, const L& loss, const O& optimizer,
                                backend::LossSum& sum) {
  using TeacherSource = internal::Teacher<M, Backend, Scalar>;
  const data::Dataset labelled = step_dataset<M>(settings);
  const data::Dataset data = settings.augmentation.mix != 0.0 ? labelled.without_labels()
                             : learns_without_label(loss)     ? partly_labelled(labelled)
                                                              : labelled;
  const Network<M, Backend, Scalar> teacher{Seed{5}, backend};
  Network<M, Backend, Scalar> network{Seed{3}, backend};
  internal::EpochTrainer<M, Backend, Scalar, L, O, TeacherSource, Steps> epoch_trainer(network, loss, optimizer,
                                                                                       TeacherSource{&teacher});
  epoch_trainer.begin(data, nullptr, {.batch_size = settings.batch, .augmentation = settings.augmentation});
  const Schedule schedule;
  const std::size_t steps = (settings.samples + settings.batch - 1) / settings.batch;
  for (std::size_t epoch = 0; epoch < settings.epochs; ++epoch) {
    sum += epoch_trainer
               .train_epoch({.batch_size = settings.batch,
                             .seed = Seed{11},
                             .augmentation = settings.augmentation,
                             .schedule = &schedule,
                             .progress = {.step = epoch * steps, .epoch = epoch},
                             .clipping = settings.clipping},
                            [](std::size_t, const backend::LossSum&) {})
               .sum;
  }
  std::vector<Scalar> numbers(M::parameter_arena_size + M::buffer_arena_size);
  copy_to_host(backend, std::as_const(network).parameter_data(), std::span(numbers).first(M::parameter_arena_size));
  copy_to_host(backend, std::as_const(network).buffer_data(), std::span(numbers).subspan(M::parameter_arena_size));
  return {numbers.begin(), numbers.end()};
}

}  // namespace retort::test

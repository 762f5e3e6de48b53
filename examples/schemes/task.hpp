// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What all schemes share: images, teacher, recipe and the table of errors.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <retort/retort.hpp>
#include <string>

#include "common/comparison.hpp"
#include "common/models.hpp"
#include "common/number_text.hpp"

namespace schemes {

namespace rt = retort;

template <std::size_t Width>
using Perceptron = rt::Network<examples::Perceptron<Width>>;
using Student = Perceptron<20>;
using Teacher = rt::Network<examples::Teacher>;

constexpr rt::Adam adam{.learning_rate = 5e-3};
constexpr rt::HintonLoss loss{.temperature = 2, .hard_weight = 0.3};

struct Task {
  rt::data::Dataset images;  // all that students learn from
  rt::data::Dataset test;
  Teacher teacher;  // has learnt from more images
  std::size_t epochs;
  std::size_t warmup_steps;
  std::uint64_t seeds;
  examples::Comparison errors{"student alone"};

  const rt::backend::Eigen& cpu() const { return teacher.backend(); }

  /// Of every training: students differ only in what they learn from. Images are moved anew in each epoch.
  rt::FitOptions recipe(std::uint64_t seed) const {
    return {.epochs = epochs,
            .seed = rt::Seed{seed},
            .augmentation = {.shift = 1},
            .schedule = rt::LinearWarmup{.steps = warmup_steps, .then = rt::CosineSchedule{}}};
  }

  /// Notes how many of the test images a network gets wrong.
  template <typename Network>
  void report(const std::string& name, const Network& network) {
    errors.add(name, static_cast<double>(rt::evaluate(network, test).errors));
  }

  std::string caption() const {
    using examples::counted;
    return rt::concatenate({"Errors on ", counted(test.size(), "test image"), "; ",
                            counted(images.size(), "training image"), ", ", counted(epochs, "epoch"), ", ",
                            counted(seeds, "seed"), "."});
  }

  void print_table() const {
    std::printf("%s\n", caption().c_str());
    for (const examples::Competitor& competitor : errors.competitors()) {
      const auto [count, mean, deviation] = rt::statistics(competitor.errors);
      if (count == 1) {
        std::printf("%-45s %6.0f\n", competitor.name.c_str(), mean);
      } else {
        std::printf("%-45s %6.0f +- %.0f\n", competitor.name.c_str(), mean, deviation);
      }
    }
  }
};

/// `teacher` is a network or a table of logits.
template <typename AnyTeacher, typename Network>
void distil(const AnyTeacher& teacher, Network& student, const rt::FitOptions& options,
            const rt::data::Dataset& images) {
  rt::DistillationTrainer{teacher, student, loss, adam}.fit(images, options);
}

}  // namespace schemes

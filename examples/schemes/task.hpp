// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What all schemes share: images, teacher, recipe and the table of errors.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <retort/retort.hpp>
#include <string>
#include <utility>
#include <vector>

#include "common/models.hpp"

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
  std::map<std::string, std::vector<double>> errors{};  // by name, one for each seed
  std::vector<std::string> names{};                     // in the order of the table

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
    report(name, rt::evaluate(network, test).errors);
  }
  void report(const std::string& name, std::size_t wrong) {
    if (errors[name].empty()) {
      names.push_back(name);
    }
    errors[name].push_back(static_cast<double>(wrong));
  }

  void print_table() const {
    std::printf("Errors on %zu test images; %zu training images, %zu epochs, %llu %s.\n", test.size(), images.size(),
                epochs, static_cast<unsigned long long>(seeds), seeds == 1 ? "seed" : "seeds");
    for (const std::string& name : names) {
      const auto [count, mean, deviation] = rt::statistics(errors.at(name));
      if (count == 1) {
        std::printf("%-45s %6.0f\n", name.c_str(), mean);
      } else {
        std::printf("%-45s %6.0f +- %.0f\n", name.c_str(), mean, deviation);
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

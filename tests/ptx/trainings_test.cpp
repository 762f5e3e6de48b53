// SPDX-License-Identifier: MIT
// Trainings with their kernels as nvcc compiles them, run on the host, against the same by the host's compiler.

#include <cstddef>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "catch.hpp"
#include "ptx/emulated_device.hpp"
#include "ptx/emulated_system.hpp"
#include "ptx/training_cases.hpp"
#include "random_values.hpp"

namespace {

using namespace retort;
using test::ptx::EmulatedDevice;
using test::ptx::TrainingCase;

/// Returns how many kernels were launched, each of another type.
std::size_t check_cases(const std::vector<TrainingCase>& cases) {
  std::ifstream file(RETORT_PTX_FOLDER "/trainings.ptx");
  EmulatedDevice& device = EmulatedDevice::get();
  device.load({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
  const std::vector<test::StepSettings> all_settings{
      {.samples = 100, .batch = 40, .epochs = 2},
      {.samples = 50, .batch = 32, .augmentation = {.shift = 2}, .epochs = 1, .normalization = {.mean = 0.1307}},
      {.samples = 50,
       .batch = 32,
       .augmentation = {.rotation = 20, .scale = 0.2, .shear = 10, .noise = 0.1},
       .epochs = 1,
       .normalization = {.mean = 0.1307}},
      {.samples = 60, .batch = 32, .clipping = GradientClipping{.max_norm = 0.01}, .epochs = 1},
      {.samples = 3, .batch = 1, .epochs = 1},
  };
  for (const TrainingCase which : cases) {
    for (std::size_t i = 0; i < all_settings.size(); ++i) {
      CAPTURE(which, i);
      const bool of_doubles = which == TrainingCase::wide_double || which == TrainingCase::operations_double;
      const bool has_batch_norm = which >= TrainingCase::operations;
      test::StepSettings settings = all_settings[i];
      settings.batch += has_batch_norm && settings.batch == 1 ? 2 : 0;
      if (which == TrainingCase::operations_weighted) {
        settings.augmentation = {};
      }
      const auto expected = test::ptx::train_case<system::Twin>(which, settings);
      const auto found = test::ptx::train_case<system::Emulated>(which, settings);
      const double apart = test::largest_difference(found.parameters, expected.parameters);
      CHECK(apart < (of_doubles ? 2e-12 : 4e-6));
      CHECK_THAT(found.sum.loss, WithinRel(expected.sum.loss, of_doubles ? 1e-12 : 1e-6));
      CHECK(found.sum.correct == expected.sum.correct);
      std::cout << "case " << static_cast<int>(which) << ", settings " << i << ": apart by " << apart << "\n";
    }
  }
  INFO(device.findings.text());
  CHECK(device.findings.count() == 0);
  std::cout << device.launches.size() << " kinds of kernels\n";
  return device.launches.size();
}

TEST_CASE("the kernels of a graph", "[ptx]") {
  CHECK(check_cases({TrainingCase::wide, TrainingCase::wide_bf16, TrainingCase::wide_adam, TrainingCase::wide_double,
                     TrainingCase::front, TrainingCase::front_bf16}) >= 12);
}

TEST_CASE("the kernels of single operations", "[ptx]") {
  CHECK(check_cases({TrainingCase::operations, TrainingCase::operations_weighted, TrainingCase::operations_double}) >=
        20);
}

}  // namespace

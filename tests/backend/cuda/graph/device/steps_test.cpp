// SPDX-License-Identifier: MIT
// Steps of large models on a GPU: products by cuBLASLt, each step a CUDA graph.

#include <cmath>
#include <cstddef>
#include <vector>

#include "backend/cuda/graph/device/steps_on_device.hpp"
#include "backend/cuda/runtime/cuda_device.hpp"
#include "catch.hpp"
#include "random_values.hpp"

namespace {

using namespace retort::test;

/// Four epochs, so that both the batches and the shorter last one are done at once, recorded, and replayed.
StepSettings settings_of(int number) {
  StepSettings settings{.samples = 300, .batch = 64, .epochs = 4};
  if (number == 1) {
    settings.augmentation = {.shift = 2};
    settings.normalization.mean = 0.1307;
  } else if (number == 2) {
    settings.clipping = retort::GradientClipping{.max_norm = 0.01};  // far below the gradients' norms
  } else if (number == 3) {
    settings.batch = 1;
    settings.samples = 9;
  }
  return settings;
}

double relative_distance(const std::vector<double>& found, const std::vector<double>& expected) {
  double difference = 0.0;
  double size = 0.0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    difference += (found[i] - expected[i]) * (found[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  return std::sqrt(difference / size);
}

TEST_CASE("steps of large models on a GPU are those of its operations, and repeat", "[graph][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  const double loss_unclipped = train_on_device(settings_of(0), DeviceProducts::fp64).large.sum.loss;
  CHECK(std::abs(train_on_device(settings_of(2), DeviceProducts::fp64).large.sum.loss / loss_unclipped - 1) > 1e-3);
  for (const int number : {0, 1, 2, 3}) {
    CAPTURE(number);
    for (const auto& [products, tolerance] :
         {std::pair{DeviceProducts::fp64, 1e-11}, std::pair{DeviceProducts::fp32, 1e-4},
          std::pair{DeviceProducts::tf32, 1e-2}, std::pair{DeviceProducts::bf16, 5e-2}}) {
      CAPTURE(products);
      const DeviceTrainings trained = train_on_device(settings_of(number), products);
      CHECK(relative_distance(trained.large.parameters, trained.operations.parameters) < tolerance);
      CHECK_THAT(trained.large.sum.loss, WithinRel(trained.operations.sum.loss, tolerance));
      CHECK(same_bits(trained.large.parameters, trained.again.parameters));
      CHECK(trained.large.sum.loss == trained.again.sum.loss);
      CHECK(trained.large.sum.correct == trained.again.sum.correct);
    }
  }
}

}  // namespace

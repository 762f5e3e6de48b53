// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Trainings of a large model on the GPU, compiled by nvcc for the tests.

#include "backend/cuda/graph/trained_steps.hpp"

namespace retort::test {

enum class DeviceProducts { fp32, tf32, bf16, fp64 };

/// The same training three times: by GraphSteps, by GraphSteps again, and by the backend's single operations, in exact
/// products of the same scalar.
struct DeviceTrainings {
  TrainedSteps large;
  TrainedSteps again;
  TrainedSteps operations;
};

/// Precondition: there is a CUDA device. Throws DeviceError.
DeviceTrainings train_on_device(const StepSettings& settings, DeviceProducts products);

}  // namespace retort::test

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Whether there is a CUDA device to test on. No Catch2 here, which nvcc need not read.

#include <string>

#include "retort/backend/cuda/runtime/device.hpp"

namespace retort::test {

/// Why tests that need a CUDA device are skipped: there is no driver, or it knows of no device. Empty otherwise, also
/// where driver or device do not work: the tests then run, and fail.
inline std::string no_cuda_device() {
  const backend::cuda::DeviceSurvey survey = backend::cuda::survey_devices();
  if (survey.status == cudaErrorStubLibrary ||
      (survey.status == cudaErrorInsufficientDriver && survey.driver_version == 0)) {
    return "no CUDA device (no NVIDIA driver is installed)";
  }
  if (survey.status == cudaErrorNoDevice || (survey.status == cudaSuccess && survey.count == 0)) {
    return "no CUDA device (the driver knows of none)";
  }
  return {};
}

}  // namespace retort::test

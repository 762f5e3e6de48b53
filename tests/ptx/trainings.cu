// SPDX-License-Identifier: MIT
// The kernels of GraphSteps and of single operations, for the host to read as PTX.

#include "ptx/emulated_system.hpp"
#include "ptx/training_cases.hpp"

template retort::test::TrainedSteps retort::test::ptx::train_case<retort::system::Emulated>(TrainingCase, StepSettings);

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Which training steps the CUDA backend takes itself.

#include "retort/backend/cuda/chip/layout.hpp"
#include "retort/backend/cuda/chip/steps.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/large/large_steps.hpp"
#include "retort/backend/cuda/thread_group.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// Models that fit one block's memory.
template <typename System, Precision precision, ThreadGroup group, Model M, typename Scalar>
  requires chip::fits_block<M, Scalar>
struct OwnTrainingSteps<CudaOn<System, precision, group>, M, Scalar> {
  using type = chip::OnChipSteps<M, Scalar, System, group>;
};

/// Other models of Linear and pointwise layers.
template <typename System, Precision precision, ThreadGroup group, Model M, typename Scalar>
  requires large::LargeModel<M> && (!chip::fits_block<M, Scalar>)
struct OwnTrainingSteps<CudaOn<System, precision, group>, M, Scalar> {
  using type = large::LargeSteps<M, Scalar, System, precision>;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

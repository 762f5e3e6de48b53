// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The whole Eigen backend, and a check that it satisfies the concept.

#include "retort/backend/backend.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/inference.hpp"
#include "retort/backend/eigen/linear.hpp"
#include "retort/backend/eigen/optimizer.hpp"
#include "retort/backend/eigen/panel/steps.hpp"
#include "retort/backend/eigen/simd_chain.hpp"
#include "retort/backend/generic/backend.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

static_assert(Backend<Eigen, float> && Backend<Eigen, double>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

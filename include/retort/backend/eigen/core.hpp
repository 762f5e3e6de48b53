// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Includes Eigen for all headers of this folder.

#include "retort/core/quiet_intrinsics.hpp"

RETORT_QUIET_INTRINSICS_BEGIN
#include <Eigen/Core>
RETORT_QUIET_INTRINSICS_END

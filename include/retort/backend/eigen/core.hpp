// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Eigen, for the headers of this folder: all of them include it from here.

#include "retort/core/quiet_intrinsics.hpp"

RETORT_QUIET_INTRINSICS_BEGIN
#include <Eigen/Core>
RETORT_QUIET_INTRINSICS_END

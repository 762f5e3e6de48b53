// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Every operation of backend::Thrust. Include a system's header instead: cpp.hpp, omp.hpp, tbb.hpp, cuda.hpp.

#include "retort/backend/backend.hpp"
#include "retort/backend/generic/backend.hpp"
#include "retort/backend/thrust/thrust.hpp"

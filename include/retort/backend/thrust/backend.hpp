// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Every operation of backend::Thrust. Include the header of a system instead: cpp.hpp, omp.hpp, tbb.hpp, cuda.hpp.

#include "retort/backend/backend.hpp"
#include "retort/backend/thrust/chain.hpp"
#include "retort/backend/thrust/gather.hpp"
#include "retort/backend/thrust/inference.hpp"
#include "retort/backend/thrust/linear.hpp"
#include "retort/backend/thrust/loss.hpp"
#include "retort/backend/thrust/normalization.hpp"
#include "retort/backend/thrust/optimizer.hpp"
#include "retort/backend/thrust/thrust.hpp"

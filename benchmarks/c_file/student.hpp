// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The student whose C files are measured. Its weights are random: no time depends on them.

#include "models.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/philox.hpp"
#include "retort/nn/network.hpp"
#include "retort/train/preprocessing.hpp"

namespace retort::benchmarks {

inline Network<Student> untrained_student() {
  Network<Student> network{Seed{0}};
  network.set_preprocessing(preprocessing_of(digits()));
  return network;
}

}  // namespace retort::benchmarks

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the teacher alone says about the students' augmentation.

#include <string>

#include "options.hpp"
#include "retort/data/dataset.hpp"

namespace distill_mnist {

/// How much the teacher's mean probabilities deviate over the students' images, in a sentence: augmented, as they are,
/// and with each of several changes alone. Reads the run's teacher.safetensors. Precondition: the students' images are
/// augmented.
std::string describe_deviation(const Options& options, const retort::data::Dataset& images);

}  // namespace distill_mnist

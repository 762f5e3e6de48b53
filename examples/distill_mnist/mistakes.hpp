// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the distilled student gets wrong, as sections of a page.

#include <string>

#include "report.hpp"
#include "retort/data/dataset.hpp"

namespace distill_mnist {

/// The confusion matrix, and the images that it is most wrong about, with its probabilities and the teacher's.
std::string mistakes(const Report& report, const retort::data::Dataset& held_out);

}  // namespace distill_mnist

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A layer of one's own at work: the guide's page 6.

#include <cstdio>
#include <retort/retort.hpp>

#include "../../tests/worked_examples/softplus.hpp"
#include "digits.hpp"

namespace guide {

using worked_examples::Softplus;
using SmoothStudent = rt::Sequential<rt::Linear<784, 20>, Softplus, rt::Linear<20, 20>, Softplus, rt::Linear<20, 10>>;

inline void own_layer(const Digits& digits, const rt::backend::Eigen& cpu) {
  std::printf("%s\n", rt::summary<SmoothStudent>().c_str());
  rt::Network<SmoothStudent> student{rt::Seed{1}, cpu};
  rt::Trainer trainer{student, rt::CrossEntropy{}, adam};
  std::printf("%s\n", trainer.describe().c_str());
  trainer.fit(digits.few, recipe());
  report("student with Softplus, alone", student, digits);
}

}  // namespace guide

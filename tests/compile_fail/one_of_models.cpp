// SPDX-License-Identifier: MIT
// A list of models that cannot learn the same things.
// expect: retort: OneOfModels wants models of the same number of inputs, and of outputs
// expect: retort: OneOfModels wants each model once

#include "retort/retort.hpp"

using Student = retort::Sequential<retort::Linear<8, 3>>;
using OfOtherInputs = retort::Sequential<retort::Linear<6, 3>>;

constexpr std::size_t unequal = retort::OneOfModels<Student, OfOtherInputs>::count;
constexpr std::size_t twice = retort::OneOfModels<Student, Student>::count;

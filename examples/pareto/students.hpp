// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The networks to choose from.

#include <cstddef>

#include "common/models.hpp"
#include "options.hpp"
#include "retort/quantization/quantized.hpp"
#include "retort/train/sweep_models.hpp"

namespace pareto {

/// Each model as it is, and as one that learns with weights of 4 bits.
template <retort::Model... Models>
using WithInt4 = retort::OneOfModels<Models..., retort::Quantized<Models, retort::Int4>...>;

/// In the order of student_names, twice.
using Students = WithInt4<examples::Perceptron<10>, examples::Perceptron<20>, examples::Perceptron<32>,
                          examples::Pooled<32, 32>, examples::Pooled<64, 48>>;
static_assert(Students::count == 2 * student_names.size());

/// Whether a place among Students is that of one with weights of 4 bits.
constexpr bool has_int4(std::size_t model) { return model >= student_names.size(); }

}  // namespace pareto

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Optimizers on the Eigen backend: one pass over the parameter arena.

#include <array>
#include <cstddef>

#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/panel/apply_optimizer.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// Applies an optimizer's rule to every parameter. All arenas have `size` elements and do not overlap.
template <typename Rule, typename Scalar, std::size_t Moments>
void update_parameters(const Eigen& backend, const Rule& rule, Scalar* parameters, const Scalar* gradients,
                       const std::array<Scalar*, Moments>& moments, std::size_t size) {
  using V = simd::Vector<Scalar>;
  const panel::ApplyRule<Rule, Scalar, Moments> apply{rule, parameters, moments};
  detail::for_each_piece(backend, size, Eigen::elements_per_call, [&](std::size_t begin, std::size_t piece) {
    simd::for_each_vector<V>(piece, [&](std::size_t at, std::size_t count) {
      if (count == simd::lanes<V>) {
        apply(begin + at, simd::load<V>(gradients + begin + at));
      } else {
        apply(begin + at, simd::load_partial<V>(gradients + begin + at, count), count);
      }
    });
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// An elementwise layer on a run of numbers: its functions are called with SIMD vectors where the layer says that they
/// take them, else with scalars.

#include <cstddef>

#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail {

/// values = L(values) and, with `differentiate`, gradients *= L'(values). Preconditions: both begin at a multiple of a
/// vector's size, and `count` is a multiple of its lanes; without `differentiate`, gradients are not read.
template <ElementwiseLayer L, bool differentiate, typename V>
void apply_elementwise(std::size_t count, simd::ScalarOf<V>* values, simd::ScalarOf<V>* gradients) {
  using Scalar = simd::ScalarOf<V>;
  if constexpr (takes_vectors<L>) {
    for (std::size_t i = 0; i < count; i += simd::lanes<V>) {
      const V x = V::load_aligned(values + i);
      const V y = L::value(x);
      y.store_aligned(values + i);
      if constexpr (differentiate) {
        (V::load_aligned(gradients + i) * L::derivative(x, y)).store_aligned(gradients + i);
      }
    }
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      const Scalar x = values[i];
      const auto y = static_cast<Scalar>(L::value(x));
      values[i] = y;
      if constexpr (differentiate) {
        gradients[i] *= static_cast<Scalar>(L::derivative(x, y));
      }
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail

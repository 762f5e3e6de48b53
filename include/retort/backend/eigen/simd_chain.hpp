// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Elementwise layers and chains on SIMD vectors. A layer that says it takes vectors is called with vectors, others
/// with scalars.

#include <array>
#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/chain.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/nn/layer.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail {

/// values = L(values) and, with `differentiate`, gradients *= L'(values). Preconditions: both are aligned to a vector's
/// size, and `count` is a multiple of its lanes; without `differentiate`, gradients are not read.
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

/// Like ScalarChain, for the operations of backend/generic, on groups whose size is a multiple of every SIMD width. So
/// each element goes through the same instructions wherever it lies: the exponentials of SIMD vectors and of the
/// standard library differ in the last bit.
struct SimdChain {
  static constexpr std::size_t group = 64;

  template <bool training, bool differentiate, typename Scalar, PointwiseLayer... Layers>
  static void apply(Chain<Layers...>, [[maybe_unused]] LayerRandom random, [[maybe_unused]] std::size_t begin,
                    [[maybe_unused]] Scalar* values, [[maybe_unused]] Scalar* gradients) {
    (static_cast<void>(
         (apply_layer<Layers, training, differentiate>(random, begin, values, gradients), ++random.layer)),
     ...);
  }

 private:
  template <PointwiseLayer L, bool training, bool differentiate, typename Scalar>
  static void apply_layer(const LayerRandom& random, std::size_t begin, Scalar* values, Scalar* gradients) {
    if constexpr (ElementwiseLayer<L>) {
      apply_elementwise<L, differentiate, simd::Vector<Scalar>>(group, values, gradients);
    } else if constexpr (training) {
      constexpr auto scale = static_cast<Scalar>(L::scale);
      std::array<std::uint32_t, group> words;
      random.stream(Stream::dropout).template fill_blocks<group / 4>(begin / 4, words);
      for (std::size_t i = 0; i < group; ++i) {
        values[i] = words[i] < L::threshold ? Scalar{0} : values[i] * scale;
        if constexpr (differentiate) {
          gradients[i] = words[i] < L::threshold ? Scalar{0} : gradients[i] * scale;
        }
      }
    }
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail

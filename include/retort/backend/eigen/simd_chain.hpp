// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Chains on SIMD vectors, for the operations of backend/generic.

#include <array>
#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/chain.hpp"
#include "retort/backend/eigen/elementwise.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/nn/layer.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail {

/// As ScalarChain, on blocks whose size is a multiple of every SIMD width. So each element goes through the same
/// instructions wherever it lies: an exponential of SIMD vectors and one of the standard library differ in the last bit.
struct SimdChain {
  static constexpr std::size_t block = 64;

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
      apply_elementwise<L, differentiate, simd::Vector<Scalar>>(block, values, gradients);
    } else if constexpr (training) {
      constexpr auto scale = static_cast<Scalar>(L::scale);
      std::array<std::uint32_t, block> words;
      random.stream(Stream::dropout).template fill_blocks<block / 4>(begin / 4, words);
      for (std::size_t i = 0; i < block; ++i) {
        values[i] = words[i] < L::threshold ? Scalar{0} : values[i] * scale;
        if constexpr (differentiate) {
          gradients[i] = words[i] < L::threshold ? Scalar{0} : gradients[i] * scale;
        }
      }
    }
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A run of pointwise layers as one operation: each element of the output depends on the same element of the input, so
/// a backend reads and writes memory once for all of them.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "retort/backend/arguments.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/relu.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// How many elements a Chain takes together, from a multiple of that number on: the words of one block of random
/// numbers.
inline constexpr std::size_t chain_group = 4;

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// Neighbouring elementwise and dropout layers of a model, in order. Dropout in the chain's layer i draws from the
/// stream of layer `random.layer + i`. A Chain without layers is the identity.
template <PointwiseLayer... Layers>
struct Chain {
  static_assert((internal::check_vectors_of_layer<Layers>() && ...));

  /// Whether it is the identity outside of training.
  static constexpr bool only_dropout = (DropoutLayer<Layers> && ...);
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Whether an operation is a Chain whose output determines its derivative: of ReLU and dropout, with at least one ReLU.
/// Where the output is above 0, every layer kept the element (scale_kept); elsewhere the derivative is 0.
template <typename Operation>
inline constexpr bool differentiable_by_output = false;
template <PointwiseLayer... Layers>
inline constexpr bool differentiable_by_output<backend::Chain<Layers...>> =
    (std::is_same_v<Layers, ReLU> || ...) && ((std::is_same_v<Layers, ReLU> || DropoutLayer<Layers>) && ...);

/// Such a Chain's derivative where its output is above 0, times a gradient or a vector of them.
template <typename Scalar, PointwiseLayer... Layers>
RETORT_HOST_DEVICE Scalar scale_kept(backend::Chain<Layers...>, Scalar gradient) {
  const auto scale = [&]<typename L>(L) {
    if constexpr (DropoutLayer<L>) {
      gradient = gradient * constant<Scalar>(L::scale);
    }
  };
  (scale(Layers{}), ...);
  return gradient;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

template <PointwiseLayer L, bool training, bool differentiate, typename Scalar>
RETORT_HOST_DEVICE void apply_pointwise(const LayerRandom& random, std::uint64_t group, Scalar* values,
                                        Scalar* gradients) {
  if constexpr (!DropoutLayer<L>) {
    for (std::size_t i = 0; i < internal::chain_group; ++i) {
      const Scalar x = values[i];
      values[i] = static_cast<Scalar>(L::value(x));
      if constexpr (differentiate) {
        gradients[i] *= static_cast<Scalar>(L::derivative(x, values[i]));
      }
    }
  } else if constexpr (training && L::threshold > 0) {
    const PhiloxBlock words = random.stream(Stream::dropout).block(group);
    for (std::size_t i = 0; i < internal::chain_group; ++i) {
      const bool dropped = words[i] < L::threshold;
      values[i] = dropped ? Scalar{0} : values[i] * static_cast<Scalar>(L::scale);
      if constexpr (differentiate) {
        gradients[i] = dropped ? Scalar{0} : gradients[i] * static_cast<Scalar>(L::scale);
      }
    }
  }
}

}  // namespace detail

/// The chain on elements 4 group ... 4 group + 3 of a batch (row-major), in place. With `training` dropout acts. With
/// `differentiate` too, gradients[i] is multiplied by the chain's derivative at values[i].
template <bool training, bool differentiate, typename Scalar, PointwiseLayer... Layers>
RETORT_HOST_DEVICE void apply_chain(Chain<Layers...>, [[maybe_unused]] LayerRandom random,
                                    [[maybe_unused]] std::uint64_t group, [[maybe_unused]] Scalar* values,
                                    [[maybe_unused]] Scalar* gradients = nullptr) {
  (static_cast<void>(
       (detail::apply_pointwise<Layers, training, differentiate>(random, group, values, gradients), ++random.layer)),
   ...);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

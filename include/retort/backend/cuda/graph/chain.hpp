// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The pass over memory between two products: bias, activation functions and dropout, and their way back. Dropout masks
/// are those of every backend (apply_chain), drawn again in the backward pass or read off the output.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "retort/backend/chain.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

/// output = chain(sums + bias) of a batch, a group of neighbours a call. With `keeps_sums` the bias is added to the
/// sums too.
template <typename C, std::size_t Width, bool keeps_sums, typename Arguments, typename Output>
struct ChainForward {
  using Scalar = typename Arguments::Value;

  const Arguments* arguments;
  Scalar* sums;        // (batch, Width)
  const Scalar* bias;  // (Width), or null
  Output* output;      // (batch, Width)
  std::size_t size;    // batch * Width
  std::uint32_t layer;

  RETORT_HOST_DEVICE void operator()(std::size_t group) const {
    const std::size_t begin = group * internal::chain_group;
    const std::size_t count = group_extent(group, size);
    Scalar values[internal::chain_group];
    load_group(sums + begin, count, values);
    if (bias != nullptr) {
      std::size_t column = begin % Width;
      for (Scalar& value : values) {
        value += bias[column];
        column = column + 1 == Width ? 0 : column + 1;
      }
    }
    if constexpr (keeps_sums) {
      store_group(values, count, sums + begin);
    }
    apply_chain<true, false>(C{}, arguments->random(layer), group, values);
    store_group(values, count, output + begin);
  }
};

/// input_gradient = output_gradient times the chain's derivative, for a batch. `kept`: the chain's inputs, or its
/// outputs where `by_output`; not read where there is no chain.
template <typename C, bool by_output, typename Arguments, typename Kept, typename Output>
struct ChainBackward {
  using Scalar = typename Arguments::Value;

  const Arguments* arguments;
  const Kept* kept;               // (batch, width)
  const Scalar* output_gradient;  // (batch, width)
  Output* input_gradient;         // (batch, width)
  std::size_t size;               // batch * width
  std::uint32_t layer;

  RETORT_HOST_DEVICE void operator()(std::size_t group) const {
    const std::size_t begin = group * internal::chain_group;
    const std::size_t count = group_extent(group, size);
    Scalar gradients[internal::chain_group];
    load_group(output_gradient + begin, count, gradients);
    if constexpr (!std::is_same_v<C, Chain<>>) {
      Scalar values[internal::chain_group];
      load_group(kept + begin, count, values);
      if constexpr (by_output) {
        for (std::size_t i = 0; i < internal::chain_group; ++i) {
          gradients[i] = values[i] > Scalar{0} ? internal::scale_kept(C{}, gradients[i]) : Scalar{0};
        }
      } else {
        apply_chain<true, true>(C{}, arguments->random(layer), group, values, gradients);
      }
    }
    store_group(gradients, count, input_gradient + begin);
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph

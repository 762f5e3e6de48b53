// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a large model asks of the products of one of its Linear layers.

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "retort/backend/cuda/graph/blocks.hpp"
#include "retort/backend/cuda/graph/operand.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

struct LinearSpec {
  std::size_t in;
  std::size_t out;
  bool has_bias;
  bool adds_bias;             ///< in the forward product; else it waits for the chain behind
  bool applies_relu;          ///< likewise
  bool needs_input_gradient;  ///< of all but the first
  bool scaled;                ///< whether sums are multiplied by something other than 1
};

/// Of block Index.
template <GraphModel M, typename Scalar, Precision precision, std::size_t Index>
constexpr LinearSpec linear_spec() {
  using B = Block<M, Index>;
  // A chain's kernel adds the bias. A ReLU alone needs none where its output already is the next product's factor.
  constexpr bool relu = is_relu<typename B::Chain> && !B::is_last && std::is_same_v<Operand<Scalar, precision>, Scalar>;
  constexpr bool alone = !B::has_chain && B::is_last;
  return {.in = B::in,
          .out = B::out,
          .has_bias = B::Linear::has_bias,
          .adds_bias = B::Linear::has_bias && (relu || alone),
          .applies_relu = relu,
          .needs_input_gradient = Index > 0,
          .scaled = Index == 0 && product_precision<Scalar, precision> != Precision::fp32};
}

template <GraphModel M, typename Scalar, Precision precision>
constexpr auto linear_specs() {
  return []<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::array<LinearSpec, sizeof...(Index)>{linear_spec<M, Scalar, precision, Index>()...};
  }(std::make_index_sequence<Blocks<M>::size>{});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph

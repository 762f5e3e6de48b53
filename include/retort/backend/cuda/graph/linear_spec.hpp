// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The arguments of a graph's products for one Linear layer, and what the model asks of them.

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "retort/backend/chain.hpp"
#include "retort/backend/cuda/graph/operand.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"
#include "retort/nn/relu.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

struct LinearSpec {
  std::size_t in;
  std::size_t out;
  bool has_bias;
  bool adds_bias;             ///< in the forward product; else it waits for the chain after it
  bool applies_relu;          ///< likewise
  bool needs_input_gradient;  ///< true for all but the first
  bool scaled;                ///< whether sums are multiplied by something other than 1
};

/// A Linear's weight (out, in) and bias (out), or their gradients.
template <typename Weight, typename Bias>
struct LinearTensors {
  MatrixView<Weight> weight;
  Bias* bias;  // null where there is none
};

/// The spec of stage Index.
template <FullyConnectedModel M, typename Scalar, Precision precision, std::size_t Index>
constexpr LinearSpec linear_spec() {
  using S = Stage<M, Index>;
  // A chain's kernel adds the bias. A lone ReLU needs no kernel where its output already is the next product's factor.
  constexpr bool relu = std::is_same_v<typename S::Chain, Chain<ReLU>> && !S::is_last &&
                        std::is_same_v<Operand<Scalar, precision>, Scalar>;
  constexpr bool alone = !S::has_chain && S::is_last;
  return {.in = S::in,
          .out = S::out,
          .has_bias = S::has_bias,
          .adds_bias = S::has_bias && (relu || alone),
          .applies_relu = relu,
          .needs_input_gradient = Index > 0,
          .scaled = Index == 0 && product_precision<Scalar, precision> != Precision::fp32};
}

template <FullyConnectedModel M, typename Scalar, Precision precision>
constexpr auto linear_specs() {
  return []<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::array<LinearSpec, sizeof...(Index)>{linear_spec<M, Scalar, precision, Index>()...};
  }(std::make_index_sequence<Plan<M>::linear_count>{});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph

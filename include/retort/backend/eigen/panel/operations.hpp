// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The operations that panels take: Linear, chains, LayerNorm and BatchNorm.

#include <cstddef>
#include <tuple>

#include "retort/backend/eigen/panel/pooled_inputs.hpp"
#include "retort/backend/engine.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

template <typename Operation>
inline constexpr bool is_layer_norm = false;
template <std::size_t N>
inline constexpr bool is_layer_norm<LayerNorm<N>> = true;

template <typename Operation>
inline constexpr bool is_batch_norm = false;
template <std::size_t N>
inline constexpr bool is_batch_norm<BatchNorm<N>> = true;

/// Whether rows of an operation's output follow from the same rows of its input. Such an operation takes rows right
/// after the one before it, while they are in the cache.
template <typename Operation>
inline constexpr bool is_by_rows = backend::detail::is_chain<Operation> || is_batch_norm<Operation>;

struct PanelOperations {
  template <typename Operation>
  static constexpr bool takes =
      backend::detail::is_linear<Operation> || is_layer_norm<Operation> || is_by_rows<Operation>;
};

namespace detail {

template <typename Operations>
inline constexpr bool are_for_panels = false;
template <typename... Operations>
inline constexpr bool are_for_panels<std::tuple<Operations...>> =
    (backend::detail::is_linear<Operations> || ...) && (PanelOperations::takes<Operations> && ...);

}  // namespace detail

/// A model of Linear, pointwise and normalization layers in any order, with at least one Linear.
template <typename M>
concept PanelModel = Model<M> && detail::are_for_panels<typename Plan<M>::Operations>;

/// Why panels do not take a training; they pool a model's inputs as they are gathered.
template <typename T>
constexpr Refusal panel_refusal() {
  using M = AfterPooling<typename T::Model>;
  constexpr Refusal of_loss = internal::loss_refusal<T>();
  constexpr Refusal of_layer =
      internal::layer_refusal<T, PanelOperations, M>("is neither Linear, pointwise nor a normalization");
  if constexpr (of_loss) {
    return of_loss;
  } else if constexpr (of_layer) {
    return of_layer;
  } else if constexpr (Plan<M>::linear_count == 0) {
    return {"the model has no Linear layer"};
  } else {
    return {};
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel

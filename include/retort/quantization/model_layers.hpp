// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model made from another, layer by layer.

#include <cstddef>
#include <tuple>
#include <utility>

#include "retort/core/instruction_set.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

template <typename Layers>
struct SequentialOf;
template <Layer... Layers>
struct SequentialOf<std::tuple<Layers...>> {
  using type = Sequential<Layers...>;
};

template <Model M, template <typename, std::size_t> typename Map, typename Indices>
struct MappedLayers;
template <Model M, template <typename, std::size_t> typename Map, std::size_t... Index>
struct MappedLayers<M, Map, std::index_sequence<Index...>>
    : SequentialOf<decltype(std::tuple_cat(std::declval<typename Map<M, Index>::type>()...))> {};

/// The Sequential of the layers in the tuples `Map<M, 0>::type`, `Map<M, 1>::type`, ..., one for each layer of M.
template <Model M, template <typename, std::size_t> typename Map>
using MapLayers = typename MappedLayers<M, Map, std::make_index_sequence<M::layer_count>>::type;

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

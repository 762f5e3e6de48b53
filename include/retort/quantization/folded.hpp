// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model without its BatchNorm layers. Outside of training each multiplies every unit of the Linear before it by a
/// number and adds another, which the Linear can do itself: Jacob et al., arXiv:1712.05877, section 3.2.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "retort/backend/plan.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/tensor_values.hpp"
#include "retort/quantization/model_layers.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail {

template <typename L>
inline constexpr bool is_batch_norm = false;
template <std::size_t N>
inline constexpr bool is_batch_norm<BatchNorm<N>> = true;

/// Whether layer Index is a BatchNorm right behind a Linear.
template <Model M, std::size_t Index>
constexpr bool is_folded_away() {
  if constexpr (Index == 0 || Index >= M::layer_count) {
    return false;
  } else {
    return is_batch_norm<typename M::template LayerAt<Index>> &&
           backend::detail::is_linear<typename M::template LayerAt<Index - 1>>;
  }
}

template <typename L>
struct WithBias;
template <std::size_t In, std::size_t Out, Bias bias>
struct WithBias<Linear<In, Out, bias>> {
  using type = Linear<In, Out>;
};

template <typename M, std::size_t Index>
struct FoldedLayer {
  using type = std::tuple<typename M::template LayerAt<Index>>;
};
template <typename M, std::size_t Index>
  requires(is_folded_away<M, Index>())
struct FoldedLayer<M, Index> {
  using type = std::tuple<>;
};
template <typename M, std::size_t Index>
  requires(is_folded_away<M, Index + 1>())
struct FoldedLayer<M, Index> {
  using type = std::tuple<typename WithBias<typename M::template LayerAt<Index>>::type>;
};

}  // namespace detail

/// The model without each BatchNorm that stands right behind a Linear, which then has a bias; others stay.
template <Model M>
using Folded = internal::MapLayers<M, detail::FoldedLayer>;

namespace internal {

/// The index in M of layer `index` of Folded<M>.
template <Model M>
constexpr std::size_t unfolded_index(std::size_t index) {
  std::size_t result = 0;
  for_each_index<M::layer_count>([&]<std::size_t Index>() {
    result += Index <= index + result && retort::detail::is_folded_away<M, Index>() ? 1u : 0u;
  });
  return index + result;
}

/// Throws Error, from `owner`, for a parameter or a buffer that no network may hold (nn/tensor_values.hpp).
template <Model M, typename Backend, typename Scalar>
[[gnu::cold]] void require_finite(const Network<M, Backend, Scalar>& network, std::string_view owner) {
  const auto require = [&](const auto& tensors, const auto& arena) {
    if (const std::string fault = describe_fault(tensors, std::span<const Scalar>(arena.span())); !fault.empty()) {
      throw Error(concatenate({owner, ": ", fault}));
    }
  };
  require(M::parameters, network.copy_parameters());
  require(M::buffers, network.copy_buffers());
}

}  // namespace internal

/// A network that answers as `network` does, but for roundings, with its BatchNorm layers in the Linear layers before
/// them. It computes in the host's memory what it copies; products of weights are rounded once, from double.
template <Model M, typename Backend, typename Scalar>
Network<Folded<M>, Backend, Scalar> fold_batch_norm(const Network<M, Backend, Scalar>& network) {
  using F = Folded<M>;
  const auto parameters = network.copy_parameters();
  const auto buffers = network.copy_buffers();
  Network<F, Backend, Scalar> folded(Seed{0}, network.backend());
  auto folded_parameters = folded.copy_parameters();
  auto folded_buffers = folded.copy_buffers();
  std::size_t index = 0;  // of the folded model's layer
  internal::for_each_index<M::layer_count>([&]<std::size_t Index>() {
    using L = typename M::template LayerAt<Index>;
    const Scalar* from = parameters.data() + M::parameter_offset(Index);
    Scalar* to = folded_parameters.data() + F::parameter_offset(index);
    if constexpr (detail::is_folded_away<M, Index>()) {
      return;
    } else if constexpr (detail::is_folded_away<M, Index + 1>()) {
      using Norm = typename M::template LayerAt<Index + 1>;
      const Scalar* norm = parameters.data() + M::parameter_offset(Index + 1);
      const Scalar* norm_bias = norm + tensor_offset(Norm::parameters, 1);
      const Scalar* mean = buffers.data() + M::buffer_offset(Index + 1);
      const Scalar* variance = mean + tensor_offset(Norm::buffers, 1);
      constexpr std::size_t bias_at = internal::aligned_extent(L::parameters[0].count());
      for (std::size_t unit = 0; unit < L::output_size; ++unit) {
        const double factor =
            static_cast<double>(norm[unit]) / std::sqrt(static_cast<double>(variance[unit]) + Norm::epsilon);
        for (std::size_t i = 0; i < L::input_size; ++i) {
          const std::size_t at = unit * L::input_size + i;
          to[at] = static_cast<Scalar>(static_cast<double>(from[at]) * factor);
        }
        const double bias = L::has_bias ? static_cast<double>(from[bias_at + unit]) : 0.0;
        to[bias_at + unit] = static_cast<Scalar>((bias - static_cast<double>(mean[unit])) * factor +
                                                 static_cast<double>(norm_bias[unit]));
      }
    } else if constexpr (SizedLayer<L>) {
      std::copy_n(from, tensor_offset(L::parameters, L::parameters.size()), to);
      std::copy_n(buffers.data() + M::buffer_offset(Index), tensor_offset(L::buffers, L::buffers.size()),
                  folded_buffers.data() + F::buffer_offset(index));
    }
    ++index;
  });
  folded.assign_parameters(folded_parameters.span());
  folded.assign_buffers(folded_buffers.span());
  folded.set_preprocessing(network.preprocessing());
  return folded;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET

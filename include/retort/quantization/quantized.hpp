// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model whose numbers are rounded as integer arithmetic will round them, as a type.

#include <cstddef>
#include <tuple>
#include <type_traits>

#include "retort/backend/generic/quantized_linear.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/quantized_linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/weight_format.hpp"
#include "retort/quantization/folded.hpp"
#include "retort/quantization/model_layers.hpp"

/// The message for a layer that has no integer form: the compiler names `integer_form::layer<1>`, its index from 0
/// in the model without BatchNorm.
namespace retort::integer_form {  // for every instruction set

template <std::size_t Index, bool exists>
struct layer {
  static_assert(exists,
                "retort: Quantized<Model>: a layer has no integer form; integer_form::layer<I> names its index I "
                "(from 0, not counting a BatchNorm behind a Linear). These have one: Linear, pointwise layers between "
                "two of them, Dropout anywhere, and an AvgPool2d before all other layers");
};

}  // namespace retort::integer_form

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail {

template <typename L>
inline constexpr bool is_pool = false;
template <typename S, std::size_t K>
inline constexpr bool is_pool<AvgPool2d<S, K>> = true;

/// Whether there is a Linear among the layers [Begin, End).
template <Model M, std::size_t Begin, std::size_t End>
constexpr bool has_linear() {
  bool found = false;
  internal::for_each_index<End - Begin>([&]<std::size_t Offset>() {
    found = found || backend::detail::is_linear<typename M::template LayerAt<Begin + Offset>>;
  });
  return found;
}

/// Whether layer Index of a folded model has an integer form.
template <Model M, std::size_t Index>
constexpr bool has_integer_form() {
  using L = typename M::template LayerAt<Index>;
  return backend::detail::is_linear<L> || DropoutLayer<L> || (is_pool<L> && Index == 0) ||
         (ElementwiseLayer<L> && has_linear<M, 0, Index>() && has_linear<M, Index + 1, M::layer_count>());
}

/// The first layer of a folded model that has none; the number of layers if all have one.
template <Model M>
constexpr std::size_t first_without_integer_form() {
  std::size_t first = M::layer_count;
  internal::for_each_index<M::layer_count>(
      [&]<std::size_t Index>() { first = first == M::layer_count && !has_integer_form<M, Index>() ? Index : first; });
  return first;
}

/// Calls visit(std::type_identity<L>{}) for each pointwise layer L between layer Index and the next with sizes, in
/// order.
template <Model M, std::size_t Index, typename Visit>
constexpr void for_each_pointwise_behind(const Visit& visit) {
  if constexpr (Index + 1 < M::layer_count) {
    using L = typename M::template LayerAt<Index + 1>;
    if constexpr (PointwiseLayer<L>) {
      visit(std::type_identity<L>{});
      for_each_pointwise_behind<M, Index + 1>(visit);
    }
  }
}

/// Whether one of them is a ReLU.
template <Model M, std::size_t Index>
constexpr bool has_relu_behind() {
  bool found = false;
  for_each_pointwise_behind<M, Index>(
      [&]<typename L>(std::type_identity<L> /*layer*/) { found = found || std::is_same_v<L, ReLU>; });
  return found;
}

/// Whether one of them is neither a ReLU nor dropout.
template <Model M, std::size_t Index>
constexpr bool needs_table() {
  bool found = false;
  for_each_pointwise_behind<M, Index>([&]<typename L>(std::type_identity<L> /*layer*/) {
    found = found || !(DropoutLayer<L> || std::is_same_v<L, ReLU>);
  });
  return found;
}

template <WeightFormat P, QuantizedPlace Place, typename L>
struct QuantizedOf;
template <WeightFormat P, QuantizedPlace Place, std::size_t In, std::size_t Out, Bias bias>
struct QuantizedOf<P, Place, Linear<In, Out, bias>> {
  using type = QuantizedLinear<In, Out, P, Place, bias>;
};

template <WeightFormat P>
struct Quantizing {
  template <typename M, std::size_t Index>
  struct Layer : private integer_form::layer<Index, has_integer_form<M, Index>()> {
    using type = std::tuple<typename M::template LayerAt<Index>>;
  };
  template <typename M, std::size_t Index>
    requires(backend::detail::is_linear<typename M::template LayerAt<Index>>)
  struct Layer<M, Index> {
    static constexpr QuantizedPlace place{.first = !has_linear<M, 0, Index>(), .table = needs_table<M, Index>()};
    using type = std::tuple<typename QuantizedOf<P, place, typename M::template LayerAt<Index>>::type>;
  };
};

}  // namespace detail

/// The model with each Linear as a QuantizedLinear, and each BatchNorm folded (Folded). A network of it is trained like
/// any other, by any loss and optimizer: `Network<Quantized<Student, Int4>>`; `quantize` makes one of a trained one.
/// Does not compile for a layer that has no integer form: LayerNorm, or a pooling of hidden units.
template <Model M, WeightFormat P>
using Quantized = internal::MapLayers<Folded<M>, detail::Quantizing<P>::template Layer>;

namespace detail {

template <typename L>
inline constexpr bool is_quantized_linear = false;
template <std::size_t In, std::size_t Out, WeightFormat P, QuantizedPlace Place, Bias bias>
inline constexpr bool is_quantized_linear<QuantizedLinear<In, Out, P, Place, bias>> = true;

template <typename M>
inline constexpr bool is_quantized_model = false;
template <Layer... Layers>
inline constexpr bool is_quantized_model<Sequential<Layers...>> = (is_quantized_linear<Layers> || ...);

template <typename M, std::size_t Index>
struct UnquantizedLayer {
  using type = std::tuple<typename M::template LayerAt<Index>>;
};
template <typename M, std::size_t Index>
  requires(is_quantized_linear<typename M::template LayerAt<Index>>)
struct UnquantizedLayer<M, Index> {
  using type = std::tuple<typename M::template LayerAt<Index>::Float>;
};

/// Whether Quantized makes the model, of that with a Linear for each QuantizedLinear: with layers that have an integer
/// form, one format, and each QuantizedLinear's place as it is.
template <Model M>
constexpr bool is_made_by_quantized() {
  using Float = internal::MapLayers<M, UnquantizedLayer>;
  return std::is_same_v<Quantized<Float, Int8>, M> || std::is_same_v<Quantized<Float, Int4>, M>;
}

}  // namespace detail

}  // namespace retort::inline RETORT_INSTRUCTION_SET

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model: a flat list of layers, and every fact that follows from it, known at compile time.

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/shape.hpp"

/// The messages for layers that do not fit. The compiler's message names the type
/// `shape_check::layer<1>::receives<20>::but_expects<30>`, or `layer<1>::receives<3, 8, 8>::but_expects<1, 8, 8>`: the
/// layer's index from 0, the width or extents it gets, those it expects.
namespace retort::shape_check {  // for every instruction set

template <std::size_t Index>
struct layer {
  template <std::size_t... Received>
  struct receives {
    template <std::size_t... Expected>
    struct but_expects {
      // A plain width takes any extents of that size. Compares packs, since types belong to one instruction set.
      static_assert(
          sizeof...(Expected) == 1 ? (Received * ...) == (Expected * ...)
                                   : std::is_same_v<std::index_sequence<Received...>, std::index_sequence<Expected...>>,
          "retort: a layer of this Sequential does not fit the one before it; layer<I>::receives<A>::but_expects<B> "
          "names its index I (from 0), the width (or extents) A that reaches it and the width (or extents) B that it "
          "expects");
    };
  };
};

}  // namespace retort::shape_check

namespace retort::inline RETORT_INSTRUCTION_SET {

/// One tensor of a model: its facts, and where it lies in the model's arena.
struct TensorInfo {
  TensorSpec spec;
  std::size_t layer = 0;   ///< index in the Sequential, from 0
  std::size_t offset = 0;  ///< in elements from the arena's beginning; a multiple of tensor_alignment
  std::array<char, 40> full_name_storage{};
  std::size_t full_name_size = 0;

  /// "0.weight": the layer's index and the tensor's name, like the state dict of an nn.Sequential.
  constexpr std::string_view full_name() const { return {full_name_storage.data(), full_name_size}; }
  constexpr std::size_t count() const { return spec.count(); }

  /// The tensor's elements, row-major, in an arena.
  template <typename T>
  constexpr std::span<T> in(std::span<T> arena) const {
    return arena.subspan(offset, count());
  }
};

namespace detail {

constexpr TensorInfo make_tensor_info(const TensorSpec& spec, std::size_t layer, std::size_t offset) {
  TensorInfo info{spec, layer, offset};
  std::array<char, 20> digits{};
  std::size_t digit_count = 0;
  for (std::size_t rest = layer; digit_count == 0 || rest != 0; rest /= 10) {
    digits[digit_count++] = static_cast<char>('0' + rest % 10);
  }
  while (digit_count > 0) {
    info.full_name_storage[info.full_name_size++] = digits[--digit_count];
  }
  info.full_name_storage[info.full_name_size++] = '.';
  for (const char letter : spec.name) {
    info.full_name_storage[info.full_name_size++] = letter;
  }
  return info;
}

template <Layer L, bool Buffers>
constexpr auto tensor_specs() {
  if constexpr (!SizedLayer<L>) {
    return std::array<TensorSpec, 0>{};
  } else if constexpr (Buffers) {
    return L::buffers;
  } else {
    return L::parameters;
  }
}

template <Layer L>
constexpr std::size_t layer_flops() {
  if constexpr (SizedLayer<L>) {
    return L::flops;
  } else {
    return 0;
  }
}

// The shape that enters the first layer: the shape that the first sized layer expects, since those before it keep it.
template <Layer... Layers>
struct ModelInput {
  using type = Shape<1>;  // of a Sequential that is refused anyway
};
template <PointwiseLayer First, Layer... Rest>
struct ModelInput<First, Rest...> : ModelInput<Rest...> {};
template <SizedLayer First, Layer... Rest>
struct ModelInput<First, Rest...> {
  using type = typename LayerShapes<First>::Input;
};

// The shapes that a layer takes and gives where `Incoming` reaches it; a pointwise one keeps it.
template <typename Incoming, Layer L>
struct ShapesOf {
  using Input = Incoming;
  using Output = Incoming;
};
template <typename Incoming, SizedLayer L>
struct ShapesOf<Incoming, L> : LayerShapes<L> {};

// The shapes of a model as a std::tuple: element i enters layer i, the last one leaves the model.
template <typename Incoming, Layer... Layers>
struct ShapesFrom {
  using type = std::tuple<Incoming>;
};
template <typename Incoming, Layer First, Layer... Rest>
struct ShapesFrom<Incoming, First, Rest...> {
  using type = decltype(std::tuple_cat(
      std::declval<std::tuple<Incoming>>(),
      std::declval<typename ShapesFrom<typename ShapesOf<Incoming, First>::Output, Rest...>::type>()));
};
template <Layer... Layers>
using ModelShapes = typename ShapesFrom<typename ModelInput<Layers...>::type, Layers...>::type;

/// widths[i] enters layer i; widths[count] leaves the model.
template <Layer... Layers>
constexpr auto model_widths() {
  return []<typename... Shapes>(std::type_identity<std::tuple<Shapes...>>) {
    return std::array<std::size_t, sizeof...(Shapes)>{Shapes::size...};
  }(std::type_identity<ModelShapes<Layers...>>{});
}

template <bool Buffers, Layer... Layers>
constexpr auto model_tensors() {
  std::array<TensorInfo, (tensor_specs<Layers, Buffers>().size() + ... + 0)> tensors{};
  std::size_t count = 0;
  std::size_t layer = 0;
  std::size_t offset = 0;
  const auto append = [&](const auto& specs) {
    for (const TensorSpec& spec : specs) {
      tensors[count++] = make_tensor_info(spec, layer, offset);
      offset += internal::aligned_extent(spec.count());
    }
    ++layer;
  };
  (append(tensor_specs<Layers, Buffers>()), ...);
  return tensors;
}

template <std::size_t N>
constexpr std::size_t arena_size(const std::array<TensorInfo, N>& tensors) {
  std::size_t size = 0;
  for (const TensorInfo& tensor : tensors) {
    size += internal::aligned_extent(tensor.count());
  }
  return size;
}

template <std::size_t Index, typename Received, typename Expected>
struct CheckedShape;
template <std::size_t Index, std::size_t... Received, std::size_t... Expected>
struct CheckedShape<Index, Shape<Received...>, Shape<Expected...>>
    : shape_check::layer<Index>::template receives<Received...>::template but_expects<Expected...> {};

template <typename Indices, Layer... Layers>
struct CheckedShapes;

// A base of Sequential, so that the check comes where the model is named, and its type is in the compiler's message.
template <std::size_t... Index, Layer... Layers>
struct CheckedShapes<std::index_sequence<Index...>, Layers...>
    : CheckedShape<Index, std::tuple_element_t<Index, ModelShapes<Layers...>>,
                   typename ShapesOf<std::tuple_element_t<Index, ModelShapes<Layers...>>, Layers>::Input>... {};

}  // namespace detail

/// A model as a type: layers applied one after another. It holds no data; a Network<Sequential<...>> owns the
/// parameters.
template <Layer... Layers>
struct Sequential : private detail::CheckedShapes<std::index_sequence_for<Layers...>, Layers...> {
  static_assert((SizedLayer<Layers> || ...), "retort: a Sequential needs a layer with sizes, such as Linear<784, 10>");

  template <std::size_t Index>
  using LayerAt = std::tuple_element_t<Index, std::tuple<Layers...>>;

  static constexpr std::size_t layer_count = sizeof...(Layers);
  /// `ShapeAt<i>` enters layer i; `ShapeAt<layer_count>` leaves the model. Pointwise layers keep the shape.
  template <std::size_t Index>
  using ShapeAt = std::tuple_element_t<Index, detail::ModelShapes<Layers...>>;
  /// Their sizes: widths[i] enters layer i; widths[layer_count] leaves the model.
  static constexpr auto widths = detail::model_widths<Layers...>();
  static constexpr std::size_t input_size = widths[0];
  static constexpr std::size_t output_size = widths[layer_count];
  static constexpr std::array<std::string_view, layer_count> layer_names{Layers::name...};
  static constexpr std::array<std::size_t, layer_count> layer_flops{detail::layer_flops<Layers>()...};

  /// The learned tensors, and those kept besides, in the order of PyTorch's state dict within a layer.
  static constexpr auto parameters = detail::model_tensors<false, Layers...>();
  static constexpr auto buffers = detail::model_tensors<true, Layers...>();
  /// Learned numbers, as PyTorch counts them.
  static constexpr std::size_t parameter_count = [] {
    std::size_t count = 0;
    for (const TensorInfo& tensor : parameters) {
      count += tensor.count();
    }
    return count;
  }();
  /// Elements of the arenas that hold them, with the padding after each tensor.
  static constexpr std::size_t parameter_arena_size = detail::arena_size(parameters);
  static constexpr std::size_t buffer_arena_size = detail::arena_size(buffers);

  /// Floating-point operations of one sample's forward pass, counting the products (a multiplication and an addition a
  /// weight).
  static constexpr std::size_t flops = (detail::layer_flops<Layers>() + ...);
  /// The fewest samples that a training batch may have.
  static constexpr std::size_t minimum_batch = [] {
    std::size_t minimum = 1;
    const auto raise = [&]<typename L>(std::type_identity<L>) {
      if constexpr (requires { L::minimum_batch; }) {
        minimum = minimum > L::minimum_batch ? minimum : L::minimum_batch;
      }
    };
    (raise(std::type_identity<Layers>{}), ...);
    return minimum;
  }();

  /// The first layer with parameters, whose input needs no gradient. layer_count if there is none.
  static constexpr std::size_t first_trained_layer = [] {
    if constexpr (parameters.size() == 0) {
      return layer_count;
    } else {
      return parameters[0].layer;
    }
  }();

  /// Where a layer's first parameter (or buffer) lies in the arena; the arena's size if neither it nor any later layer
  /// has one.
  static constexpr std::size_t parameter_offset(std::size_t layer) {
    return offset_of(parameters, parameter_arena_size, layer);
  }
  static constexpr std::size_t buffer_offset(std::size_t layer) { return offset_of(buffers, buffer_arena_size, layer); }

 private:
  template <std::size_t N>
  static constexpr std::size_t offset_of(const std::array<TensorInfo, N>& tensors, std::size_t end, std::size_t layer) {
    for (const TensorInfo& tensor : tensors) {
      if (tensor.layer >= layer) {
        return tensor.offset;
      }
    }
    return end;
  }
};

namespace detail {
template <typename T>
inline constexpr bool is_sequential = false;
template <Layer... Layers>
inline constexpr bool is_sequential<Sequential<Layers...>> = true;
}  // namespace detail

/// A Sequential of layers.
template <typename M>
concept Model = detail::is_sequential<M>;

namespace detail {

template <Model M, typename Indices>
struct LayersAt;
template <Model M, std::size_t... Index>
struct LayersAt<M, std::index_sequence<Index...>> {
  static_assert((SizedLayer<typename M::template LayerAt<Index>> || ...),
                "retort: the layers before a model's first sized one give no answer of their own: take a later layer");
  using type = Sequential<typename M::template LayerAt<Index>...>;
};

}  // namespace detail

/// The model of another's first `Count` layers, at least one of them sized: its tensors lie where they lie in the whole
/// model's arenas, so it runs on those.
template <Model M, std::size_t Count>
using FirstLayers = typename detail::LayersAt<M, std::make_index_sequence<Count>>::type;

}  // namespace retort::inline RETORT_INSTRUCTION_SET

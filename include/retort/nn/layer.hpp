// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a layer is: a type of constexpr facts. A layer holds no data; its tensors are in a Network's arena, and a
/// backend computes it.
///
/// - A *sized* layer states `input_size` and `output_size`, `flops` for one sample, and the tensors it learns
///   (`parameters`) and keeps (`buffers`): Linear, LayerNorm, BatchNorm. A layer whose samples have axes also states
///   `input_shape` and `output_shape` (shape.hpp), which have those sizes: AvgPool2d.
/// - An *elementwise* layer has any width and no tensors. It states two scalar functions: `value(x)`, and
///   `derivative(x, y)` at x with y = value(x): ReLU, GELU, Tanh, ... A new one needs no more than that: templates over
///   the scalar's type, or functions of float alone. A layer whose functions also take SIMD vectors, with `select` in
///   place of a branch and `constant` in place of a literal (core/vector_math.hpp), may state `takes_vectors = true`;
///   CPU backends then call them with vectors. If they do not take them, they do not compile.
/// - Dropout has any width and a rate.
///
/// A layer with more template arguments than its widths states them in `static std::string describe()`, so that files
/// and checkpoints can tell it from its siblings.

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"
#include "retort/core/vector_archetype.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// How the library fills a tensor before training; see initialization.hpp.
enum class InitialValue {
  weight,  ///< a factor of a product, (out, in) or (out, in, rows, columns): by the chosen Initialization
  bias,    ///< next to such a tensor: by the chosen Initialization, with its fan-in
  one,
  zero,
};

/// One tensor of a layer, in PyTorch's terms.
struct TensorSpec {
  std::string_view name;                 ///< as in PyTorch's state dict: "weight", "bias", "running_mean"
  std::array<std::size_t, 4> extents{};  ///< the first `rank` are its shape
  std::size_t rank = 0;
  InitialValue initial_value = InitialValue::zero;
  std::size_t fan_in = 0;
  std::size_t fan_out = 0;
  bool integral = false;  ///< a count, int64 in PyTorch (BatchNorm's num_batches_tracked)
  bool variance = false;  ///< never below 0 (BatchNorm's running_var)

  constexpr std::size_t count() const {
    std::size_t product = 1;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      product *= extents[axis];
    }
    return product;
  }
};

/// A tensor's place in an arena is rounded up to so many elements: 64 bytes of float, 128 of double.
inline constexpr std::size_t tensor_alignment = 16;

}  // namespace retort::inline RETORT_INSTRUCTION_SET

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// `count` elements, rounded up to the next tensor's place.
constexpr std::size_t aligned_extent(std::size_t count) {
  return (count + tensor_alignment - 1) / tensor_alignment * tensor_alignment;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Where tensor `index` of a layer begins, in elements from the layer's first.
template <std::size_t N>
constexpr std::size_t tensor_offset(const std::array<TensorSpec, N>& tensors, std::size_t index) {
  std::size_t offset = 0;
  for (std::size_t i = 0; i < index; ++i) {
    offset += internal::aligned_extent(tensors[i].count());
  }
  return offset;
}

/// A layer with sizes and perhaps tensors of its own.
template <typename L>
concept SizedLayer = requires {
  { L::name } -> std::convertible_to<std::string_view>;
  { L::input_size } -> std::convertible_to<std::size_t>;
  { L::output_size } -> std::convertible_to<std::size_t>;
  { L::flops } -> std::convertible_to<std::size_t>;
  L::parameters.size();
  L::buffers.size();
};

/// A layer that is one scalar function, whatever its width.
template <typename L>
concept ElementwiseLayer = requires(double x, double y) {
  { L::name } -> std::convertible_to<std::string_view>;
  { L::value(x) } -> std::convertible_to<double>;
  { L::derivative(x, y) } -> std::convertible_to<double>;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

template <ElementwiseLayer L>
void call_layer_with_vectors() {
  using V = VectorArchetype<float>;
  const V x;
  static_cast<void>(L::value(x));
  static_cast<void>(L::derivative(x, x));
}

/// True; does not compile for a layer that states `takes_vectors` and does not take them.
template <typename L>
consteval bool check_vectors_of_layer() {
  if constexpr (takes_vectors<L>) {
    constexpr bool takes_them = requires(const VectorArchetype<float>& x) {
      { L::value(x) } -> std::same_as<VectorArchetype<float>>;
      { L::derivative(x, x) } -> std::same_as<VectorArchetype<float>>;
    };
    static_assert(takes_them,
                  "retort: a layer with takes_vectors = true needs value and derivative that are templates over the "
                  "type of their arguments, and return it");
    return compiles_with_vectors<&call_layer_with_vectors<L>>;
  }
  return true;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A layer that drops elements at random while training and is the identity otherwise.
template <typename L>
concept DropoutLayer = !ElementwiseLayer<L> && requires {
  { L::name } -> std::convertible_to<std::string_view>;
  { L::rate } -> std::convertible_to<double>;
};

/// A layer of any width, in which each element of the output depends on the same element of the input.
template <typename L>
concept PointwiseLayer = ElementwiseLayer<L> || DropoutLayer<L>;

template <typename L>
concept Layer = SizedLayer<L> || PointwiseLayer<L>;

}  // namespace retort::inline RETORT_INSTRUCTION_SET

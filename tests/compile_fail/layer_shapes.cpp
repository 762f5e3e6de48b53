// SPDX-License-Identifier: MIT
// Extents that do not fit, though there are as many elements.
// expect: shape_check::layer<2>::receives<3, 4, 2>::but_expects<3, 2, 4>
// expect: retort: a layer of this Sequential does not fit the one before it

#include <array>
#include <cstddef>
#include <string_view>

#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"

template <typename In, typename Out>
struct Reshaping {
  using input_shape = In;
  using output_shape = Out;
  static constexpr std::string_view name = "Reshaping";
  static constexpr std::size_t input_size = In::size;
  static constexpr std::size_t output_size = Out::size;
  static constexpr std::size_t flops = 0;
  static constexpr std::array<retort::TensorSpec, 0> parameters{};
  static constexpr std::array<retort::TensorSpec, 0> buffers{};
};

using retort::Shape;
using Model =
    retort::Sequential<Reshaping<Shape<3, 8, 4>, Shape<3, 4, 2>>, retort::ReLU, Reshaping<Shape<3, 2, 4>, Shape<24>>>;
static_assert(Model::layer_count == 3);

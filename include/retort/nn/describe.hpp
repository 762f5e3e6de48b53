// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model in words: a signature that tells models apart in files, a short name and a table for people.

#include <array>
#include <cstddef>
#include <iomanip>
#include <sstream>
#include <string>

#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/signature.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

template <Layer L>
std::string describe_layer() {
  std::string text;
  write_layer_signature<L>([&](const TextPart& part) { text += part.text(); });
  return text;
}

template <Layer... Layers>
std::array<std::string, sizeof...(Layers)> layer_descriptions(const Sequential<Layers...>&) {
  return {describe_layer<Layers>()...};
}

/// A model's signature (nn/signature.hpp): "Linear(784, 20), ReLU, Linear(20, 10)".
template <Model M>
std::string model_signature() {
  std::string text;
  write_model_signature<M>([&](const TextPart& part) { text += part.text(); });
  return text;
}

/// "784-20-10": the width that enters the model and those that its layers give, without layers that keep it, but for
/// Linear ones. Models that differ in other things have the same.
template <Model M>
std::string model_name() {
  std::string text = to_text(M::input_size);
  const auto append = [&]<typename L>() {
    if constexpr (requires { L::has_bias; }) {
      text += concatenate({"-", L::output_size});
    } else if constexpr (SizedLayer<L>) {
      text += L::input_size == L::output_size ? "" : concatenate({"-", L::output_size});
    }
  };
  [&]<Layer... Layers>(const Sequential<Layers...>&) { (append.template operator()<Layers>(), ...); }(M{});
  return text;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A table: each layer's output shape, parameters, floating-point operations for one sample and bytes of its parameters
/// as `Scalar`; and the sums.
template <Model M, typename Scalar = float>
std::string summary() {
  std::ostringstream text;
  const auto row = [&](const std::string& index, const std::string& layer, const std::string& shape,
                       std::size_t parameters, std::size_t flops) {
    text << std::right << std::setw(3) << index << "  " << std::left << std::setw(26) << layer << std::right
         << std::setw(10) << shape << std::setw(12) << parameters << std::setw(12) << flops << std::setw(12)
         << parameters * sizeof(Scalar) << '\n';
  };
  text << std::right << std::setw(3) << ""
       << "  " << std::left << std::setw(26) << "layer" << std::right << std::setw(10) << "output" << std::setw(12)
       << "parameters" << std::setw(12) << "FLOPs" << std::setw(12) << "bytes" << '\n';
  const auto descriptions = internal::layer_descriptions(M{});
  for (std::size_t layer = 0; layer < M::layer_count; ++layer) {
    std::size_t parameters = 0;
    for (const TensorInfo& tensor : M::parameters) {
      parameters += tensor.layer == layer ? tensor.count() : 0;
    }
    row(to_text(layer), descriptions[layer], to_text(M::widths[layer + 1]), parameters, M::layer_flops[layer]);
  }
  row("", "total", to_text(M::output_size), M::parameter_count, M::flops);
  return text.str();
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET

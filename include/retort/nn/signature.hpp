// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The signature that tells models apart in files, part by part, so that a program can compare it without a string.

#include <cstddef>
#include <type_traits>

#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Calls write(part) for each part of a layer's signature: characters, a std::size_t or a double.
template <Layer L, typename Write>
void write_layer_signature(const Write& write) {
  if constexpr (requires { L::describe(); }) {
    write(L::describe());
  } else if constexpr (SizedLayer<L>) {
    constexpr bool both_sizes = requires { L::has_bias; } || L::input_size != L::output_size;
    write(L::name);
    write("(");
    write(L::input_size);
    if constexpr (both_sizes) {
      write(", ");
      write(L::output_size);
    }
    if constexpr (requires { requires !L::has_bias; }) {
      write(", bias=False");
    }
    write(")");
  } else {
    write(L::name);
    if constexpr (requires { L::rate; }) {
      write("(");
      write(L::rate);
      write(")");
    }
  }
}

/// The same for a model: "Linear(784, 20), ReLU, Linear(20, 10)". Equal for equal models, and for others only if a
/// layer of one's own hides what it is (see layer.hpp).
template <Model M, typename Write>
void write_model_signature(const Write& write) {
  [&]<Layer... Layers>(std::type_identity<Sequential<Layers...>>) {
    bool first = true;
    const auto append = [&]<typename L>(std::type_identity<L>) {
      if (!first) {
        write(", ");
      }
      first = false;
      write_layer_signature<L>(write);
    };
    (append(std::type_identity<Layers>{}), ...);
  }(std::type_identity<M>{});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

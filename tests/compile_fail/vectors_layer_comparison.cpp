// SPDX-License-Identifier: MIT
// A layer that branches on another comparison than < and says that it takes SIMD vectors.
// expect: retort: a formula with takes_vectors = true is called with SIMD vectors, of which each lane may choose

#include <cstddef>
#include <string_view>

#include "retort/backend/chain.hpp"
#include "retort/core/vector_math.hpp"

struct Leaky {
  static constexpr std::string_view name = "Leaky";
  static constexpr bool takes_vectors = true;

  template <class T>
  static T value(T x) {
    return x >= retort::constant<T>(0) ? x : x * retort::constant<T>(0.25);
  }
  template <class T>
  static T derivative(T, T) {
    return retort::constant<T>(1);
  }
};

static_assert(retort::backend::Chain<Leaky>::only_dropout == false);

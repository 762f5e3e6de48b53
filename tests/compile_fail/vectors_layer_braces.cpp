// SPDX-License-Identifier: MIT
// A layer with a number in braces, of a vector its first lane, that says that it takes SIMD vectors.
// expect: retort: a formula with takes_vectors = true is called with SIMD vectors, of which each lane may choose

#include <cstddef>
#include <string_view>

#include "retort/backend/chain.hpp"
#include "retort/core/vector_math.hpp"

struct Twice {
  static constexpr std::string_view name = "Twice";
  static constexpr bool takes_vectors = true;

  template <class T>
  static T value(T x) {
    return x * T{2};
  }
  template <class T>
  static T derivative(T, T) {
    return retort::constant<T>(2);
  }
};

static_assert(retort::backend::Chain<Twice>::only_dropout == false);

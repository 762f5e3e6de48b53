// SPDX-License-Identifier: MIT
// A layer with a literal, of another type than each model, that says that it takes SIMD vectors.
// expect: retort: a formula with takes_vectors = true is called with SIMD vectors, of which each lane may choose

#include <cstddef>
#include <string_view>

#include "retort/backend/chain.hpp"
#include "retort/core/vector_math.hpp"

struct Quarter {
  static constexpr std::string_view name = "Quarter";
  static constexpr bool takes_vectors = true;

  template <class T>
  static T value(T x) {
    return x * 0.25f;
  }
  template <class T>
  static T derivative(T, T) {
    return retort::constant<T>(0.25);
  }
};

static_assert(retort::backend::Chain<Quarter>::only_dropout == false);

// SPDX-License-Identifier: MIT
// A layer that compares by != and says that it takes SIMD vectors.
// expect: retort: a formula with takes_vectors = true does not compare by !=

#include <cstddef>
#include <string_view>

#include "retort/backend/chain.hpp"
#include "retort/core/vector_math.hpp"

struct NotZero {
  static constexpr std::string_view name = "NotZero";
  static constexpr bool takes_vectors = true;

  template <class T>
  static T value(T x) {
    return retort::select(x != retort::constant<T>(0), x, retort::constant<T>(1));
  }
  template <class T>
  static T derivative(T, T) {
    return retort::constant<T>(1);
  }
};

static_assert(retort::backend::Chain<NotZero>::only_dropout == false);

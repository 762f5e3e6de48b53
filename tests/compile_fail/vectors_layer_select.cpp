// SPDX-License-Identifier: MIT
// A layer, its branches written with select, that takes SIMD vectors: every operator that it may use.
// expect success

#include <cstddef>
#include <string_view>

#include "retort/backend/chain.hpp"
#include "retort/core/vector_math.hpp"

struct Steps {
  static constexpr std::string_view name = "Steps";
  static constexpr bool takes_vectors = true;

  template <class T>
  static T value(T x) {
    const T zero = retort::constant<T>(0);
    T sum = retort::select(x < zero, x, -x) * x / (x + x) - x;
    sum += retort::select(x > zero, x, zero);
    sum -= retort::select(x <= zero, x, zero);
    sum *= retort::select(x >= zero, x, zero);
    sum /= retort::select(x == zero, x, zero);
    return sum;
  }
  template <class T>
  static T derivative(T x, T) {
    return retort::select(x >= retort::constant<T>(0), retort::constant<T>(1), retort::constant<T>(0.25));
  }
};

static_assert(retort::backend::Chain<Steps>::only_dropout == false);

#pragma once
/// @file
/// What becomes of a gradient that a product has in registers: `sink(offset, vector)`, or `sink(offset, vector, count)`
/// for part of a vector.

#include <array>
#include <cstddef>
#include <utility>

#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

namespace retort::backend::panel {

/// It is stored.
template <typename Scalar>
struct StoreGradient {
  Scalar* gradients;

  template <typename V>
  RETORT_INLINE void operator()(std::size_t offset, const V& gradient) const {
    gradient.store_unaligned(gradients + offset);
  }
  template <typename V>
  RETORT_INLINE void operator()(std::size_t offset, const V& gradient, std::size_t count) const {
    simd::store_partial(gradient, gradients + offset, count);
  }
  RETORT_INLINE void prefetch(std::size_t offset) const {
    simd::prefetch<simd::PrefetchFor::writing>(gradients, offset * sizeof(Scalar));
  }
};

/// Or the optimizer's rule is applied at once, while it is in a register: it never reaches the memory.
template <typename Rule, typename Scalar, std::size_t Moments>
struct ApplyRule {
  Rule rule;
  Scalar* parameters;
  std::array<Scalar*, Moments> moments;

  template <typename V>
  RETORT_INLINE void operator()(std::size_t offset, const V& gradient) const {
    apply<V>(
        gradient, [&](Scalar * array) __attribute__((always_inline)) { return simd::load<V>(array + offset); },
        [&](const V& value, Scalar* array) __attribute__((always_inline)) { value.store_unaligned(array + offset); });
  }
  template <typename V>
  void operator()(std::size_t offset, const V& gradient, std::size_t count) const {
    apply<V>(
        gradient, [&](Scalar* array) { return simd::load_partial<V>(array + offset, count); },
        [&](const V& value, Scalar* array) { simd::store_partial(value, array + offset, count); });
  }
  RETORT_INLINE void prefetch(std::size_t offset) const {
    simd::prefetch<simd::PrefetchFor::writing>(parameters, offset * sizeof(Scalar));
    for (Scalar* moment : moments) {
      simd::prefetch<simd::PrefetchFor::writing>(moment, offset * sizeof(Scalar));
    }
  }

 private:
  template <typename V, typename Load, typename Store>
  RETORT_INLINE void apply(const V& gradient, const Load& load, const Store& store) const {
    V parameter = load(parameters);
    std::array<V, Moments> values;
    for (std::size_t i = 0; i < Moments; ++i) {
      values[i] = load(moments[i]);
    }
    [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
      rule(parameter, gradient, values[I]...);
    }
    (std::make_index_sequence<Moments>{});
    for (std::size_t i = 0; i < Moments; ++i) {
      store(values[i], moments[i]);
    }
    store(parameter, parameters);
  }
};

}  // namespace retort::backend::panel

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Takes a gradient that a product has in registers: `sink(offset, vector)`, or `sink(offset, vector, count)` for part
/// of a vector.

#include <array>
#include <cstddef>
#include <utility>

#include "retort/backend/generic/apply_rule.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/optim/optimizer.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// Applies the optimizer's rule at once, while the gradient is in a register, so that it never reaches the memory; or
/// stores the gradient, where `stored` is not null. One type does both, as each would compile every tile anew. A rule
/// that does not take vectors is called for each of their lanes.
template <typename Rule, typename Scalar, std::size_t Moments>
struct ApplyRule {
  static_assert(internal::check_vectors_of_rule<Rule, Moments>());

  Rule rule;
  Scalar* parameters;
  std::array<Scalar*, Moments> moments;
  Scalar* stored = nullptr;

  template <typename V>
  RETORT_INLINE void operator()(std::size_t offset, const V& gradient) const {
    if (stored != nullptr) [[unlikely]] {
      gradient.store_unaligned(stored + offset);
      return;
    }
    if constexpr (takes_vectors<Rule>) {
      apply<V>(
          gradient, [&](Scalar* array) __attribute__((always_inline)) { return simd::load<V>(array + offset); },
          [&](const V& value, Scalar* array) __attribute__((always_inline)) { value.store_unaligned(array + offset); });
    } else {
      apply_to_lanes(offset, gradient, simd::lanes<V>);
    }
  }
  template <typename V>
  void operator()(std::size_t offset, const V& gradient, std::size_t count) const {
    if (stored != nullptr) [[unlikely]] {
      simd::store_partial(gradient, stored + offset, count);
      return;
    }
    if constexpr (takes_vectors<Rule>) {
      apply<V>(
          gradient, [&](Scalar* array) { return simd::load_partial<V>(array + offset, count); },
          [&](const V& value, Scalar* array) { simd::store_partial(value, array + offset, count); });
    } else {
      apply_to_lanes(offset, gradient, count);
    }
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
    }(std::make_index_sequence<Moments>{});
    for (std::size_t i = 0; i < Moments; ++i) {
      store(values[i], moments[i]);
    }
    store(parameter, parameters);
  }

  template <typename V>
  void apply_to_lanes(std::size_t offset, const V& gradient, std::size_t count) const {
    std::array<Scalar, simd::lanes<V>> gradients;
    gradient.store_unaligned(gradients.data());
    for (std::size_t i = 0; i < count; ++i) {
      internal::apply_rule<Moments>(rule, parameters[offset + i], gradients[i],
                                    [&](std::size_t moment) -> Scalar& { return moments[moment][offset + i]; });
    }
  }
};

/// The sink of each layer, by the offset of its parameters. A type that no loss takes part in: passes over sinks are
/// compiled once for all losses.
template <typename Rule, typename Scalar, std::size_t Moments>
struct ApplyRules {
  ApplyRule<Rule, Scalar, Moments> first;

  ApplyRule<Rule, Scalar, Moments> operator()(std::size_t offset) const {
    ApplyRule<Rule, Scalar, Moments> sink = first;
    sink.parameters += offset;
    for (Scalar*& moment : sink.moments) {
      moment += offset;
    }
    if (sink.stored != nullptr) {
      sink.stored += offset;
    }
    return sink;
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel

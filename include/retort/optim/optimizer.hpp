// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What an optimizer is: how one parameter moves, given its gradient and its moments. A backend applies it to the whole
/// parameter arena in one pass, so the formula is written once, for scalars and for SIMD vectors alike.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_archetype.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// An optimizer O has
/// - `O::name`, `O::moment_count` (arenas of state besides the parameters, zero before the first step),
///   `o.learning_rate`,
/// - `O::hyperparameters()`, a table of their names and ranges (core/hyperparameters.hpp), or in place of it
///   `o.validate()` and `o.describe()`; see the concept Configured,
/// - `o.template rule<Scalar>(step, learning_rate)`: the constants of step number `step` (from 1) under a scheduled
///   learning rate, as a function object `rule(parameter, gradient, moment...)` that moves the parameter and its
///   moments in place, callable on host and device. Its arguments are scalars. A rule that also takes SIMD vectors
///   (core/vector_math.hpp) may state `takes_vectors = true`; CPU backends then call it with vectors, a parameter in
///   each lane. If it does not take them, it does not compile.
/// - if one of the moments is an average of the parameters, `O::average_moment`, its index. That moment begins as the
///   model's parameters, and stands in for them where a training evaluates and hands out (WeightAverage).
///
/// A rule may also have a `weight_limit`, by which hidden units are limited after the step (MaxNorm).
template <typename O>
concept Optimizer = std::copyable<O> && Configured<O> && requires(const O& optimizer) {
  { O::name } -> std::convertible_to<std::string_view>;
  { O::moment_count } -> std::convertible_to<std::size_t>;
  { optimizer.learning_rate } -> std::convertible_to<double>;
  optimizer.template rule<float>(std::uint64_t{1}, 0.1);
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Whether a moment of an optimizer is an average of the parameters.
template <typename O>
concept AveragesWeights = requires {
  { O::average_moment } -> std::convertible_to<std::size_t>;
};

/// Whether hidden units are limited after a step by this rule.
template <typename Rule>
concept LimitsWeights = requires(const Rule& rule) { rule.weight_limit; };

template <typename Rule, typename V, typename... Moment>
concept RuleFor = requires(const Rule& rule, V& parameter, const V& gradient, Moment&... moment) {
  rule(parameter, gradient, moment...);
};

/// Whether a rule can be called with vectors, and that call.
template <typename Rule, typename Indices>
struct VectorUpdate;
template <typename Rule, std::size_t... Index>
struct VectorUpdate<Rule, std::index_sequence<Index...>> {
  using V = VectorArchetype<float>;
  template <std::size_t>
  using Moment = V;

  static constexpr bool fits = RuleFor<Rule, V, Moment<Index>...>;
  static void call(const Rule& rule) {
    V parameter;
    const V gradient;
    V moments[sizeof...(Index) + 1];
    rule(parameter, gradient, moments[Index]...);
  }
};

/// True; does not compile for an optimizer's rule that states `takes_vectors` and does not take them.
template <typename Rule, std::size_t Moments>
consteval bool check_vectors_of_rule() {
  if constexpr (takes_vectors<Rule>) {
    using Update = VectorUpdate<Rule, std::make_index_sequence<Moments>>;
    static_assert(Update::fits,
                  "retort: an optimizer's rule with takes_vectors = true needs a call operator that is a template over "
                  "the type of its arguments");
    return compiles_with_vectors<&Update::call>;
  }
  return true;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

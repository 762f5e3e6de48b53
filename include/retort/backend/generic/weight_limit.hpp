// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The bound for the length of units' incoming weights (optim/max_norm.hpp).

#include <cmath>
#include <cstddef>
#include <type_traits>

#include "retort/backend/generic/generic.hpp"
#include "retort/backend/generic/strands.hpp"
#include "retort/backend/plan.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/quantized_linear.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/weight_format.hpp"
#include "retort/optim/max_norm.hpp"
#include "retort/optim/optimizer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

template <std::size_t In, typename Scalar>
struct LimitUnit {
  WeightLimit limit;
  Scalar* weights;  // (out, In)

  RETORT_HOST_DEVICE void operator()(std::size_t unit) const {
    Scalar* incoming = weights + unit * In;
    const double squares = sum_in_strands<double>(In, [&](std::size_t i) {
      const auto weight = static_cast<double>(incoming[i]);
      return weight * weight;
    });
    const double factor = limit.factor(std::sqrt(squares));
    if (factor != 1.0) {
      for (std::size_t i = 0; i < In; ++i) {
        incoming[i] *= static_cast<Scalar>(factor);
      }
    }
  }
};

}  // namespace detail

/// Scales each unit's incoming weights by limit.factor(their length). `parameters`: the layer's.
template <typename B, typename Scalar, std::size_t In, std::size_t Out, Bias bias>
void limit_weights(const Generic<B>& generic, Linear<In, Out, bias>, const WeightLimit& limit, Scalar* parameters) {
  for_each_of<In>(generic.self(), Out, detail::LimitUnit<In, Scalar>{limit, parameters});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

namespace detail {

/// The Linear whose parameters those of an operation are; void for an operation of another kind.
template <typename Operation>
struct LinearOf {
  using type = void;
};
template <std::size_t In, std::size_t Out, Bias bias>
struct LinearOf<Linear<In, Out, bias>> {
  using type = Linear<In, Out, bias>;
};
template <std::size_t In, std::size_t Out, WeightFormat P, QuantizedPlace Place, Bias bias>
struct LinearOf<QuantizedLinear<In, Out, P, Place, bias>> {
  using type = typename QuantizedLinear<In, Out, P, Place, bias>::Float;
};

/// The last operation of a plan that has a Linear's parameters, which gives the outputs; 0 if there is none.
template <typename Plan>
constexpr std::size_t output_operation() {
  std::size_t last = 0;
  for_each_index<Plan::size>([&]<std::size_t Index>() {
    last = std::is_void_v<typename LinearOf<typename Plan::template Operation<Index>>::type> ? last : Index;
  });
  return last;
}

}  // namespace detail

/// After a step by a rule that has a limit: limits the weights of a model's hidden units, and their average if the rule
/// keeps one.
template <Model M, typename Backend, typename Rule, typename Scalar, std::size_t Moments>
void limit_hidden_weights(const Backend& backend, const Rule& rule,
                          const backend::TrainingState<Scalar, Moments>& state) {
  if constexpr (LimitsWeights<Rule>) {
    using Plan = backend::Plan<M>;
    for_each_index<detail::output_operation<Plan>()>([&]<std::size_t Index>() {
      using L = typename detail::LinearOf<typename Plan::template Operation<Index>>::type;
      if constexpr (!std::is_void_v<L>) {
        const auto limit = [&](Scalar* parameters) {
          limit_weights(backend, L{}, rule.weight_limit, parameters + M::parameter_offset(Plan::first_layer[Index]));
        };
        limit(state.parameters);
        if constexpr (AveragesWeights<Rule>) {
          limit(state.moments[Rule::average_moment]);
        }
      }
    });
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

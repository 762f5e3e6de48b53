// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A row of logits split into one class, the label's or the largest, and all others, for losses that treat the two
/// differently.

#include <cstddef>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/log_softmax.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// The logit of the class `chosen`.
template <std::size_t Classes, typename Scalar, typename Label>
RETORT_HOST_DEVICE Scalar logit_of(const Scalar* logits, Label chosen) {
  Scalar logit = logits[0];
  for (std::size_t k = 1; k < Classes; ++k) {
    logit = select(chosen == constant<Label>(k), logits[k], logit);
  }
  return logit;
}

/// A class and its logit.
template <typename Scalar, typename Label>
struct ClassAndLogit {
  Label index;
  Scalar logit;
};

/// The class of the largest logit, the first of equals.
template <std::size_t Classes, typename Label, typename Scalar>
RETORT_HOST_DEVICE ClassAndLogit<Scalar, Label> first_class(const Scalar* logits) {
  ClassAndLogit<Scalar, Label> first{constant<Label>(0), logits[0]};
  for (std::size_t k = 1; k < Classes; ++k) {
    const auto is_larger = logits[k] > first.logit;
    first.logit = select(is_larger, logits[k], first.logit);
    first.index = select(is_larger, constant<Label>(k), first.index);
  }
  return first;
}

/// others[0 ... Classes - 2]: the logits of all classes but `chosen`, in their order.
template <std::size_t Classes, typename Scalar, typename Label>
RETORT_HOST_DEVICE void copy_others(const Scalar* logits, Label chosen, Scalar* others) {
  for (std::size_t k = 0; k + 1 < Classes; ++k) {
    others[k] = select(constant<Label>(k) < chosen, logits[k], logits[k + 1]);
  }
}

/// The value at class k of a row that has `own` at `chosen`, and `others` at all other classes, in their order.
template <std::size_t Classes, typename Scalar, typename Label>
RETORT_HOST_DEVICE Scalar at_class(std::size_t k, Label chosen, Scalar own, const Scalar* others) {
  const Scalar before = others[k + 1 < Classes ? k : k - 1];
  const Scalar after = others[k > 0 ? k - 1 : 0];
  return select(chosen == constant<Label>(k), own, select(constant<Label>(k) < chosen, before, after));
}

/// With p = softmax(logits / T) and c the class `chosen`: softmax(pair) = (p_c, 1 - p_c), in logits, so that neither is
/// too small for a number; shares[k] is exp(others[k] / T) over the sum of these. `others` are copy_others's.
template <std::size_t Classes, typename Scalar, typename Label>
RETORT_HOST_DEVICE void split_off(const Scalar* logits, Label chosen, const Scalar* others, Scalar inverse_temperature,
                                  Scalar* pair, Scalar* shares) {
  const auto normalizer = softmax_exponentials<Classes - 1>(others, inverse_temperature, shares);
  pair[0] = (logit_of<Classes>(logits, chosen) - normalizer.maximum) * inverse_temperature;
  pair[1] = normalizer.log_sum;
  for (std::size_t k = 0; k + 1 < Classes; ++k) {
    shares[k] = quotient(shares[k], normalizer.sum);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

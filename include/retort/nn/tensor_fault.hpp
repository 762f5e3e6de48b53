// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The numbers that no network may hold. nn/tensor_values.hpp says it in words.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// The largest magnitude of a weight, a bias or a running mean: 2^63 in float, 2^511 in double, so that products of two
/// are finite. (No bound for a running variance, which is a square.)
template <typename Scalar>
inline constexpr Scalar largest_tensor_value = sizeof(Scalar) == 4 ? Scalar(0x1p63) : Scalar(0x1p511);

/// The largest count that `Scalar` holds together with all smaller ones: 2^24 in float, 2^53 in double.
template <typename Scalar>
inline constexpr Scalar largest_tensor_count = Scalar(std::uint64_t{1} << std::numeric_limits<Scalar>::digits);

/// What is wrong with an element.
enum class TensorFault {
  none,
  not_finite,
  no_count,  ///< no whole number from 0 to largest_tensor_count, of a tensor of counts
  negative_variance,
  too_large,  ///< in magnitude
};

struct ElementFault {
  TensorFault fault = TensorFault::none;
  std::size_t element = 0;
};

/// The first element that is not finite, exceeds the magnitude `largest`, is a variance below 0, or is no count.
template <typename Scalar>
[[gnu::cold]] ElementFault find_fault(const TensorSpec& spec, std::span<const Scalar> values,
                                      Scalar largest = largest_tensor_value<Scalar>) {
  for (std::size_t element = 0; element < values.size(); ++element) {
    const Scalar value = values[element];
    if (!is_finite(value)) {
      return {TensorFault::not_finite, element};
    }
    if (spec.integral) {
      if (!(value >= Scalar{0} && value <= largest_tensor_count<Scalar> && value == std::floor(value))) {
        return {TensorFault::no_count, element};
      }
    } else if (spec.variance) {
      if (!(value >= Scalar{0})) {
        return {TensorFault::negative_variance, element};
      }
    } else if (!(std::abs(value) <= largest)) {
      return {TensorFault::too_large, element};
    }
  }
  return {};
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The values that a network's tensors may hold. Saving, loading and training ask the same question, so that no
/// training ends with a network that cannot be saved, and no file is written that cannot be loaded.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// The largest magnitude of a weight, a bias or a running mean: 2^63 in float, 2^511 in double, so that products of two
/// are finite. (No bound for a running variance, which is a square.)
template <typename Scalar>
inline constexpr Scalar largest_tensor_value = sizeof(Scalar) == 4 ? Scalar(0x1p63) : Scalar(0x1p511);

/// The largest count that `Scalar` holds together with all smaller ones: 2^24 in float, 2^53 in double.
template <typename Scalar>
inline constexpr Scalar largest_tensor_count = Scalar(std::uint64_t{1} << std::numeric_limits<Scalar>::digits);

/// The first element of a tensor that is not finite, exceeds the magnitude `largest`, is a variance below 0, or is a
/// count that is no whole number in its range: "element 3 is nan, expected a finite number". Empty if there is none.
template <typename Scalar>
[[gnu::cold]] std::string describe_fault(const TensorSpec& spec, std::span<const Scalar> values,
                                         Scalar largest = largest_tensor_value<Scalar>) {
  for (std::size_t element = 0; element < values.size(); ++element) {
    const Scalar value = values[element];
    const auto fault = [&](const TextPart& expected) {
      return concatenate({"element ", element, " is ", value, ", expected ", expected.text()});
    };
    if (!is_finite(value)) {
      return fault("a finite number");
    }
    if (spec.integral) {
      if (!(value >= Scalar{0} && value <= largest_tensor_count<Scalar> && value == std::floor(value))) {
        return fault(
            concatenate({"a whole number from 0 to ", static_cast<unsigned long long>(largest_tensor_count<Scalar>)}));
      }
    } else if (spec.variance) {
      if (!(value >= Scalar{0})) {
        return fault("a number of at least 0");
      }
    } else if (!(std::abs(value) <= largest)) {
      return fault(concatenate({"a magnitude of at most ", largest}));
    }
  }
  return {};
}

/// The same for the first tensor in `arena` with such an element: "1.running_var: element 3 is nan, expected a finite
/// number"; empty if there is none. An optimizer's moments, laid out like the parameters, may have any finite
/// magnitude.
template <typename Scalar>
[[gnu::cold]] std::string describe_fault(std::span<const TensorInfo> tensors, std::span<const Scalar> arena,
                                         Scalar largest = largest_tensor_value<Scalar>) {
  for (const TensorInfo& tensor : tensors) {
    if (const std::string fault = describe_fault(tensor.spec, tensor.in(arena), largest); !fault.empty()) {
      return concatenate({tensor.full_name(), ": ", fault});
    }
  }
  return {};
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

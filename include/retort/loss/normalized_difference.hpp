// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How far two vectors' directions are apart.

#include <cstddef>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// 1 / |values|, (size); 0 where all are 0.
template <typename Scalar>
RETORT_HOST_DEVICE Scalar inverse_length(const Scalar* values, std::size_t size) {
  Scalar squares = 0;
  for (std::size_t j = 0; j < size; ++j) {
    squares += values[j] * values[j];
  }
  return squares == 0 ? Scalar{0} : 1 / square_root(squares);
}

/// Returns sum_j D_j^2 with D = n - b / |b|, n = a / |a|, and writes gradient_scale times its gradient in a,
/// 2 (D - n <D, n>) / |a|, to `gradient`, (size), which may be a or b. A vector of zeros stays 0, and has no gradient.
template <typename Scalar>
RETORT_HOST_DEVICE Scalar normalized_difference(const Scalar* a, const Scalar* b, std::size_t size,
                                                Scalar gradient_scale, Scalar* gradient) {
  const Scalar inverse = inverse_length(a, size);
  const Scalar inverse_of_b = inverse_length(b, size);
  Scalar squares = 0;
  Scalar product = 0;  // <D, n>
  for (std::size_t j = 0; j < size; ++j) {
    const Scalar normalized = a[j] * inverse;
    const Scalar difference = normalized - b[j] * inverse_of_b;
    squares += difference * difference;
    product += difference * normalized;
  }
  const Scalar factor = 2 * gradient_scale * inverse;
  for (std::size_t j = 0; j < size; ++j) {
    const Scalar normalized = a[j] * inverse;
    gradient[j] = factor * (normalized - b[j] * inverse_of_b - normalized * product);
  }
  return squares;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

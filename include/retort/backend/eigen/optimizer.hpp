// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Optimizers and gradient norms on the Eigen backend: one pass over the parameter arena.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "retort/backend/eigen/core.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/panel/apply_optimizer.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/optim/gradient_clipping.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// Applies an optimizer's rule to every parameter. All arenas have `size` elements and do not overlap.
template <typename Rule, typename Scalar, std::size_t Moments>
void update_parameters(const Eigen& backend, const Rule& rule, Scalar* parameters, const Scalar* gradients,
                       const std::array<Scalar*, Moments>& moments, std::size_t size) {
  using V = simd::Vector<Scalar>;
  const panel::ApplyRule<Rule, Scalar, Moments> apply{rule, parameters, moments};
  detail::for_each_flat_piece(backend, size, [&](std::size_t begin, std::size_t piece) {
    simd::for_each_vector<V>(piece, [&](std::size_t at, std::size_t count) {
      if (count == simd::lanes<V>) {
        apply(begin + at, simd::load<V>(gradients + begin + at));
      } else {
        apply(begin + at, simd::load_partial<V>(gradients + begin + at, count), count);
      }
    });
  });
}

namespace detail {

template <typename Scalar>
using Array = ::Eigen::Map<::Eigen::Array<Scalar, ::Eigen::Dynamic, 1>>;
template <typename Scalar>
using ConstArray = ::Eigen::Map<const ::Eigen::Array<Scalar, ::Eigen::Dynamic, 1>>;

/// The sum of squares, in double, in an order that does not depend on the number of threads.
template <typename Scalar>
double squared_norm(const Eigen& backend, const Scalar* values, std::size_t size) {
  std::array<double, 64> sums{};
  const std::size_t part =
      std::max(Eigen::elements_per_call, aligned_count<Scalar>((size + sums.size() - 1) / sums.size()));
  backend.pool().for_each_piece((size + part - 1) / part, [&](std::size_t piece) {
    const auto count = static_cast<::Eigen::Index>(std::min(part, size - piece * part));
    sums[piece] = ConstArray<Scalar>(values + piece * part, count).template cast<double>().square().sum();
  });
  double total = 0.0;
  for (const double sum : sums) {
    total += sum;
  }
  return total;
}

}  // namespace detail

/// Shortens the gradient where its norm is above the clipping's.
template <typename Scalar>
void clip_gradients(const Eigen& backend, const GradientClipping& clipping, Scalar* gradients, std::size_t size) {
  const Scalar* values = gradients;
  const double factor = clipping.clip_factor(std::sqrt(detail::squared_norm(backend, values, size)));
  if (is_finite(factor) && factor == 1.0) {
    return;
  }
  detail::for_each_flat_piece(backend, size, [&](std::size_t begin, std::size_t count) {
    detail::Array<Scalar>(gradients + begin, static_cast<::Eigen::Index>(count)) *= static_cast<Scalar>(factor);
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

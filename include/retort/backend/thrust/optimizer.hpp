// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Optimizers, gradient clipping and the search for what is not finite, on Thrust.

#include <array>
#include <cmath>
#include <cstddef>

#include "retort/backend/apply_rule.hpp"
#include "retort/backend/thrust/elements.hpp"
#include "retort/backend/thrust/reduction.hpp"
#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/optim/gradient_clipping.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

template <typename Rule, typename Scalar, std::size_t Moments>
struct UpdateParameter {
  static_assert(Moments <= 2, "retort: the Thrust backend knows optimizers of up to two moments");

  Rule rule;
  Scalar* parameters;
  const Scalar* gradients;
  Scalar* first;
  Scalar* second;

  RETORT_HOST_DEVICE void operator()(std::size_t element) const {
    apply_rule<Moments>(rule, parameters[element], gradients[element],
                        [&](std::size_t moment) -> Scalar& { return (moment == 0 ? first : second)[element]; });
  }
};

template <typename Scalar>
struct Square {
  const Scalar* values;

  RETORT_HOST_DEVICE double operator()(std::size_t element) const {
    const auto value = static_cast<double>(values[element]);
    return value * value;
  }
};

template <typename Scalar>
struct NotFinite {
  const Scalar* values;

  RETORT_HOST_DEVICE double operator()(std::size_t element) const { return is_finite(values[element]) ? 0.0 : 1.0; }
};

template <typename Scalar>
struct ClipGradient {
  GradientClipping clipping;
  const double* squared_norm;
  Scalar* gradients;

  RETORT_HOST_DEVICE void operator()(std::size_t element) const {
    gradients[element] *= static_cast<Scalar>(clipping.clip_factor(std::sqrt(*squared_norm)));
  }
};

}  // namespace detail

/// Applies an optimizer's rule to every parameter. All arenas have `size` elements and do not overlap.
template <typename System, typename Rule, typename Scalar, std::size_t Moments>
void update_parameters(const Thrust<System>& backend, const Rule& rule, Scalar* parameters, const Scalar* gradients,
                       const std::array<Scalar*, Moments>& moments, std::size_t size) {
  Scalar* first = nullptr;
  Scalar* second = nullptr;
  if constexpr (Moments > 0) {
    first = moments[0];
  }
  if constexpr (Moments > 1) {
    second = moments[1];
  }
  detail::for_each_element(backend, size,
                           detail::UpdateParameter<Rule, Scalar, Moments>{rule, parameters, gradients, first, second});
}

/// Shortens the gradient where its norm is above the clipping's; the norm stays where the gradient is.
template <typename System, typename Scalar>
void clip_gradients(const Thrust<System>& backend, const GradientClipping& clipping, Scalar* gradients,
                    std::size_t size) {
  auto scratch = backend.template scratch<double>(detail::sum_scratch_size(size));
  const double* squared_norm = detail::sum(backend, size, detail::Square<Scalar>{gradients}, scratch.data());
  detail::for_each_element(backend, size, detail::ClipGradient<Scalar>{clipping, squared_norm, gradients});
}

template <typename System, typename Scalar>
bool all_finite(const Thrust<System>& backend, const Scalar* values, std::size_t size) {
  return detail::read_sum(backend, size, detail::NotFinite<Scalar>{values}) == 0.0;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

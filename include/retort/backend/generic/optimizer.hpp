// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Optimizers, gradient clipping and the search for numbers that are not finite.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "retort/backend/generic/apply_rule.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/backend/generic/reduction.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/optim/gradient_clipping.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

template <typename Rule, typename Scalar, std::size_t Moments>
struct UpdateParameter {
  Rule rule;
  Scalar* parameters;
  const Scalar* gradients;
  Scalar* moments[Moments == 0 ? 1 : Moments];  // a plain array, for device compilers

  RETORT_HOST_DEVICE void operator()(std::size_t element) const {
    internal::apply_rule<Moments>(rule, parameters[element], gradients[element],
                                  [&](std::size_t moment) -> Scalar& { return moments[moment][element]; });
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

struct ClipFactor {
  GradientClipping clipping;
  const double* squared_norm;
  double* factor;

  RETORT_HOST_DEVICE void operator()(std::size_t /*index*/) const {
    *factor = clipping.clip_factor(std::sqrt(*squared_norm));
  }
};

template <typename Scalar>
struct ScaleGradient {
  const double* factor;
  Scalar* gradients;

  RETORT_HOST_DEVICE void operator()(std::size_t element) const { gradients[element] *= static_cast<Scalar>(*factor); }
};

}  // namespace detail

/// Applies an optimizer's rule to every parameter. All arenas have `size` elements and do not overlap.
template <typename B, typename Rule, typename Scalar, std::size_t Moments>
void update_parameters(const Generic<B>& generic, const Rule& rule, Scalar* parameters, const Scalar* gradients,
                       const std::array<Scalar*, Moments>& moments, std::size_t size) {
  detail::UpdateParameter<Rule, Scalar, Moments> update{rule, parameters, gradients, {}};
  std::copy(moments.begin(), moments.end(), update.moments);
  for_each_of(generic.self(), size, update);
}

/// Shortens the gradient where its norm exceeds the clipping's; the norm stays in the backend's memory.
template <typename B, typename Scalar>
void clip_gradients(const Generic<B>& generic, const GradientClipping& clipping, Scalar* gradients, std::size_t size) {
  const B& backend = generic.self();
  const std::size_t of_sum = detail::sum_scratch_size<B>(size);
  auto scratch = backend.template scratch<double>(of_sum + 1);
  double* factor = scratch.data() + of_sum;
  const double* squared_norm = detail::sum(backend, size, detail::Square<Scalar>{gradients}, scratch.data());
  for_each_of(backend, 1, detail::ClipFactor{clipping, squared_norm, factor});
  for_each_of(backend, size, detail::ScaleGradient<Scalar>{factor, gradients});
}

template <typename B, typename Scalar>
bool all_finite(const Generic<B>& generic, const Scalar* values, std::size_t size) {
  return detail::read_sum(generic.self(), size, detail::NotFinite<Scalar>{values}) == 0.0;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

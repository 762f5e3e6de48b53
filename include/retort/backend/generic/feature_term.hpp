// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A loss's term on features: a row of the batch a call. Adds its gradient to the layer's.

#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/feature_loss.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

template <FeatureTerm T, std::size_t Features, typename Scalar>
struct TermRow {
  T term;
  TermArguments<Scalar> arguments;

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    const std::size_t teacher_row = arguments.teacher.row_of(row, arguments.samples[row]);
    const Scalar gradient_scale = Scalar{1} / static_cast<Scalar>(arguments.batch);
    arguments.losses[row] +=
        term.template row<Features>(StudentFeatures<Scalar>{arguments.student + row * Features},
                                    TeacherFeatures<Scalar>{arguments.teacher.features + teacher_row * Features},
                                    gradient_scale, arguments.gradient + row * Features);
  }
};

template <typename Scalar>
struct Add {
  const Scalar* addends;
  Scalar* values;

  RETORT_HOST_DEVICE void operator()(std::size_t element) const { values[element] += addends[element]; }
};

}  // namespace detail

/// Adds each sample's term to its loss, and writes its gradient in the regressor's output.
template <typename B, typename Scalar, FeatureTerm T, std::size_t Features>
void evaluate_term(const Generic<B>& generic, const T& term, Width<Features>, const TermArguments<Scalar>& arguments) {
  for_each_of<Features>(generic.self(), arguments.batch, detail::TermRow<T, Features, Scalar>{term, arguments});
}

/// values[i] += addends[i] for i below `count`.
template <typename B, typename Scalar>
void add(const Generic<B>& generic, const Scalar* addends, Scalar* values, std::size_t count) {
  for_each_of(generic.self(), count, detail::Add<Scalar>{addends, values});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

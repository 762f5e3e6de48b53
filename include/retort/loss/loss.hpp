// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a loss is: for one sample, its value and its gradient in the student's logits, in one pass.
///
/// Losses take logits only, never probabilities. The value is a sum over classes; a backend averages over the batch, by
/// giving every row the factor 1 / batch for its gradient. `StudentLogits` and `TeacherLogits` are types of their own,
/// so that the two cannot change places.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// One row of the student's logits, (Classes).
template <typename Scalar>
struct StudentLogits {
  const Scalar* values;
};

/// One row of the teacher's logits, (Classes); null for a loss that has no teacher.
template <typename Scalar>
struct TeacherLogits {
  const Scalar* values;
};

/// A loss L has
/// - `L::name`, `L::needs_teacher` (whether the teacher's logits are read),
/// - `loss.validate()`, which throws OptionError for a hyperparameter outside its range,
/// - `loss.describe()`: its name and hyperparameters, equal for equal settings and only then,
/// - `loss.template row<Classes>(student, teacher, label, gradient_scale, gradient)`, callable on host and device: it
///   returns the sample's loss and writes gradient_scale * d loss / d student logits to gradient[0 ... Classes - 1],
///   which must not overlap the logits. Preconditions: valid hyperparameters, label < Classes. Value and gradient are
///   finite wherever the differences between a row's logits, divided by the temperature, are representable; a NaN among
///   the logits gives NaN. Where it is also a template over the label's type, the CPU backend calls it with SIMD
///   vectors as scalars and labels (`retort::select` instead of branches on them), a row in each lane; else row by row.
template <typename L>
concept Loss = std::copyable<L> && requires(const L& loss, const float* logits, float* gradient) {
  { L::name } -> std::convertible_to<std::string_view>;
  { L::needs_teacher } -> std::convertible_to<bool>;
  loss.validate();
  { loss.describe() } -> std::same_as<std::string>;
  {
    loss.template row<10>(StudentLogits<float>{logits}, TeacherLogits<float>{logits}, std::uint32_t{}, 1.0f, gradient)
  } -> std::same_as<float>;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET

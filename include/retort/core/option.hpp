// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// One sentence for every hyperparameter outside its range.

#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "retort/core/error.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Throws OptionError "OWNER: OPTION is VALUE, expected RANGE" unless `accepted`.
inline void require_option(bool accepted, std::string_view owner, std::string_view option, const TextPart& value,
                           std::string_view range) {
  if (!accepted) {
    throw OptionError(concatenate({owner, ": ", option, " is ", value.text(), ", expected ", range}));
  }
}

/// The same, also where `value` is infinite or not a number, whatever a comparison says of it.
template <std::floating_point Number>
void require_option(bool accepted, std::string_view owner, std::string_view option, const Number& value,
                    std::string_view range) {
  require_option(accepted && is_finite(value), owner, option, TextPart(value), range);
}

/// Throws OptionError unless `value`, which is not below 0, is 0 or a normal number of Scalar, in which it is computed
/// with: rounded it would be another, 0 or infinite.
template <typename Scalar>
void require_scalar(std::string_view owner, std::string_view option, const double& value) {
  using Limits = std::numeric_limits<Scalar>;
  require_option(value == 0.0 || (value >= double{Limits::min()} && value <= double{Limits::max()}), owner, option,
                 value,
                 std::is_same_v<Scalar, float> ? "0 or a number between 1.2e-38 and 3.4e+38, as training is in float"
                                               : "0 or a number of at least 2.3e-308");
}

/// Throws OptionError unless `value`, which is below 1, stays below 1 when it is rounded to Scalar.
template <typename Scalar>
void require_scalar_below_one(std::string_view owner, std::string_view option, const double& value) {
  require_option(static_cast<Scalar>(value) < Scalar{1}, owner, option, value,
                 "a number that is still below 1 when it is rounded to float");
}

/// Checks the options of a loss, an optimizer or the like for a training in Scalar: `options.template
/// validate<Scalar>()` where it has one, else `options.validate()`.
template <typename Scalar, typename Options>
void validate_in(const Options& options) {
  if constexpr (requires { options.template validate<Scalar>(); }) {
    options.template validate<Scalar>();
  } else {
    options.validate();
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET

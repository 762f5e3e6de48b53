// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What an optimizer is: how one parameter moves, given its gradient and its moments. A backend applies it to the whole
/// parameter arena in one pass, so the formula is written once, for scalars and for elementwise arrays alike.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// An optimizer O has
/// - `O::name`, `O::moment_count` (arenas of state beside the parameters, zero before the first step),
///   `o.learning_rate`,
/// - `o.validate()`, which throws OptionError for a hyperparameter outside its range,
/// - `o.describe()`: its name and hyperparameters, equal for equal settings and only then,
/// - `o.template rule<Scalar>(step, learning_rate)`: the constants of step number `step` (from 1) under a scheduled
///   learning rate, as a function object `rule(parameter, gradient, moment...)` that moves the parameter and its
///   moments in place. Its arguments are scalars, or arrays with elementwise arithmetic and an argument-dependent
///   `sqrt`; callable on host and device.
template <typename O>
concept Optimizer = std::copyable<O> && requires(const O& optimizer) {
  { O::name } -> std::convertible_to<std::string_view>;
  { O::moment_count } -> std::convertible_to<std::size_t>;
  { optimizer.learning_rate } -> std::convertible_to<double>;
  optimizer.validate();
  { optimizer.describe() } -> std::same_as<std::string>;
  optimizer.template rule<float>(std::uint64_t{1}, 0.1);
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET

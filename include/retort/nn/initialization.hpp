// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How parameters are filled before training.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/nn/layer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The distribution of weight matrices (out, in). Biases are zero except under `pytorch`.
enum class Initialization {
  pytorch,         ///< torch.nn.Linear's default: weights and biases uniform within 1 / sqrt(in)
  he_uniform,      ///< uniform within sqrt(6 / in); He, Zhang, Ren and Sun, arXiv:1502.01852
  he_normal,       ///< normal with variance 2 / in
  xavier_uniform,  ///< uniform within sqrt(6 / (in + out)); Glorot and Bengio (AISTATS 2010)
  xavier_normal,   ///< normal with variance 2 / (in + out)
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// A standard normal number by Box and Muller, from two words; the logarithm is of a number in (0, 1].
inline double standard_normal(const RandomStream& random, std::uint64_t element) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - random.uniform<double>(2 * element)));
  return radius * std::cos(2.0 * std::numbers::pi * random.uniform<double>(2 * element + 1));
}

inline double initial_weight(Initialization initialization, const TensorSpec& spec, const RandomStream& random,
                             std::uint64_t element) {
  const auto fan_in = static_cast<double>(spec.fan_in);
  const auto fan_out = static_cast<double>(spec.fan_out);
  const auto within = [&](double bound) { return bound * (2.0 * random.uniform<double>(element) - 1.0); };
  switch (initialization) {
    case Initialization::he_uniform:
      return within(std::sqrt(6.0 / fan_in));
    case Initialization::he_normal:
      return std::sqrt(2.0 / fan_in) * standard_normal(random, element);
    case Initialization::xavier_uniform:
      return within(std::sqrt(6.0 / (fan_in + fan_out)));
    case Initialization::xavier_normal:
      return std::sqrt(2.0 / (fan_in + fan_out)) * standard_normal(random, element);
    case Initialization::pytorch:
      break;
  }
  return within(1.0 / std::sqrt(fan_in));
}

/// Fills one tensor. Element e of tensor `index` of the model depends on (seed, index, e) alone.
template <typename Scalar>
void initialize_tensor(Initialization initialization, const TensorSpec& spec, Seed seed, std::uint32_t index,
                       Scalar* values) {
  const RandomStream random(seed, Stream::initialization, 0, index);
  for (std::size_t element = 0; element < spec.count(); ++element) {
    double value = 0.0;
    switch (spec.initial_value) {
      case InitialValue::weight:
        value = initial_weight(initialization, spec, random, element);
        break;
      case InitialValue::bias:
        value = initialization == Initialization::pytorch ? initial_weight(initialization, spec, random, element) : 0.0;
        break;
      case InitialValue::one:
        value = 1.0;
        break;
      case InitialValue::zero:
        break;
    }
    values[element] = static_cast<Scalar>(value);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Elementwise layers as expressions of C.

#include <numbers>
#include <string>

#include "retort/core/instruction_set.hpp"
#include "retort/io/c_code/text.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/gelu_tanh.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/silu.hpp"
#include "retort/nn/tanh.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io {

/// A layer's value(x) in C99, x being a float variable. `needs_math`: whether it calls functions of <math.h>. For a
/// layer of your own specialise it:
///
///     template <>
///     struct retort::io::CExpression<Square> {
///       static constexpr bool needs_math = false;
///       static std::string text() { return "x * x"; }
///     };
template <typename L>
struct CExpression {};

template <>
struct CExpression<ReLU> {
  static constexpr bool needs_math = false;
  static std::string text() { return "x < 0.0f ? 0.0f : x"; }
};

template <double slope>
struct CExpression<LeakyReLU<slope>> {
  static constexpr bool needs_math = false;
  static std::string text() {
    return concatenate({"x > 0.0f ? x : ", detail::c_number(static_cast<float>(slope)), " * x"});
  }
};

template <>
struct CExpression<Sigmoid> {
  static constexpr bool needs_math = true;
  static std::string text() { return "1.0f / (1.0f + expf(-x))"; }
};

template <>
struct CExpression<SiLU> {
  static constexpr bool needs_math = true;
  static std::string text() { return "x / (1.0f + expf(-x))"; }
};

template <>
struct CExpression<Tanh> {
  static constexpr bool needs_math = true;
  static std::string text() { return "tanhf(x)"; }
};

template <>
struct CExpression<GELU> {
  static constexpr bool needs_math = true;
  static std::string text() {
    return concatenate(
        {"x * (1.0f + erff(x * ", detail::c_number(static_cast<float>(1 / std::numbers::sqrt2)), ")) / 2.0f"});
  }
};

template <>
struct CExpression<GELUTanh> {
  static constexpr bool needs_math = true;
  static std::string text() {
    constexpr double twice = -2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;  // -2 sqrt(2 / pi)
    return concatenate({"x / (1.0f + expf(", detail::c_number(static_cast<float>(twice)), " * x * (1.0f + ",
                        detail::c_number(0.044715f), " * x * x)))"});
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io

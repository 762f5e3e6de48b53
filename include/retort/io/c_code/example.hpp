// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The example inputs of a program's $selftest, made by the same rule here and in C, so that they take no room.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/io/c_code/text.hpp"
#include "retort/nn/input_scales.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io::detail {

inline constexpr std::size_t example_count = 4;

/// Inputs of example `example`, as example_code makes them.
[[gnu::cold]] inline std::vector<std::uint8_t> example_bytes(std::uint32_t example, std::size_t inputs) {
  std::vector<std::uint8_t> bytes(inputs);
  std::uint32_t random = example;
  for (std::uint8_t& byte : bytes) {
    random = random * 1664525u + 1013904223u;
    byte = (random >> 8 & 3u) < (example & 3u) ? static_cast<std::uint8_t>(random >> 24) : std::uint8_t{0};
  }
  return bytes;
}

/// The step of real example inputs, (byte - 128) * step: a power of two, so that no product is rounded. They reach as
/// far as those that become `reach`.
[[gnu::cold]] inline float example_step(const internal::InputScales& scales, float reach) {
  float widest = 0.0f;
  for (std::size_t i = 0; i < scales.factors.size(); ++i) {
    widest = std::max(widest, std::abs(scales.centers[i]) + reach / scales.factors[i]);
  }
  return std::exp2(std::ceil(std::log2(widest / 128.0f)));
}

/// The inputs in C.
inline constexpr std::string_view example_code = R"(
/* Example inputs: pseudo-random, most of them dark. */
static inline void $example(int example, $input *inputs) {
  uint32_t random = (uint32_t)example;
  uint16_t i;
  for (i = 0; i < @INPUTS; ++i) {
    random = random * 1664525u + 1013904223u;
    inputs[i] = @EXAMPLE_INPUT(((uint8_t)(random >> 8) & 3u) < ((unsigned)example & 3u) ? random >> 24 : 0u);
  }
}
)";

/// The answers to the examples.
template <typename T>
[[gnu::cold]] std::string answers_data(std::string_view type, std::span<const T> answers) {
  return concatenate({"\nstatic const @MEMORY ", type, " $answers[", answers.size(), "] = ", c_array(answers), ";\n"});
}

/// The function $example. Real inputs are (byte - 128) * step.
[[gnu::cold]] inline std::string example_function(bool bytes, float step) {
  return concatenate(
      {"\n#define @EXAMPLE_INPUT(byte) ",
       bytes ? "((uint8_t)(byte))" : concatenate({"((float)((int)(byte) - 128) * ", c_number(step), ")"}), "\n",
       example_code});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io::detail

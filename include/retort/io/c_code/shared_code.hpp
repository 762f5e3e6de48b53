// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The C that programs in floats and in integers share.

#include <cstddef>
#include <string>
#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/io/c_code/text.hpp"
#include "retort/nn/input_scales.hpp"
#include "retort/quantization/integer_layer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io::detail {

/// The largest logit. TYPE: that of logits.
inline constexpr std::string_view classify_code = R"(
/* The class: the index of the largest logit, among equals the first. */
static inline int $classify(const $input *inputs) {
  TYPE logits[@OUTPUTS];
  int best = 0, i;
  $logits(inputs, logits);
  for (i = 1; i < @OUTPUTS; ++i) {
    best = logits[i] > logits[best] ? i : best;
  }
  return best;
}
)";

/// The sums of `count` squares as a function, from elements of the type `from` to sums of the type `sum`.
[[gnu::cold]] inline std::string pool_function(std::string_view name, std::string_view from, std::string_view sum,
                                               const internal::Squares& squares, std::size_t count) {
  const std::size_t size = squares.square;
  return concatenate({
      "\n/* The sums of each ",
      size,
      " x ",
      size,
      " pixels. */\nstatic inline void $",
      name,
      "(const ",
      from,
      " *pixels, ",
      sum,
      " *sums) {\n  uint16_t i, row, column;\n  for (i = 0; i < ",
      count,
      "; ++i) {\n    const ",
      from,
      " *square = pixels + (uint32_t)(i / ",
      squares.in_a_row(),
      ") * ",
      size * squares.columns,
      " + i % ",
      squares.in_a_row(),
      " * ",
      size,
      ";\n    ",
      sum,
      " sum = 0;\n    for (row = 0; row < ",
      size,
      "; ++row, square += ",
      squares.columns,
      ") {\n      for (column = 0; column < ",
      size,
      "; ++column) {\n        sum = (",
      sum,
      ")(sum + square[column]);\n      }\n    }\n    sums[i] = sum;\n  }\n}\n",
  });
}

/// What an input's element i is computed with: numbers, or elements of the arrays of scales_data.
struct InputTerms {
  [[gnu::cold]] explicit InputTerms(const internal::InputScales& scales) : has_rest(!scales.rests.empty()) {
    if (scales.by_columns()) {
      center = "@READ_FLOAT(&$centers_0[i])";
      rest = "@READ_FLOAT(&$rests_0[i])";
      factor = "@READ_FLOAT(&$factors_0[i])";
    } else {
      center = c_number(scales.centers[0]);
      rest = c_number(scales.rest(0));
      factor = c_number(scales.factors[0]);
    }
  }

  std::string center;
  std::string rest;
  std::string factor;
  bool has_rest;
};

/// The scales of columns as arrays, if there are columns.
[[gnu::cold]] inline std::string scales_data(const internal::InputScales& scales) {
  if (!scales.by_columns()) {
    return {};
  }
  return concatenate({"\n", c_data<float>("float", "centers", 0, scales.centers),
                      scales.rests.empty() ? "" : c_data<float>("float", "rests", 0, scales.rests),
                      c_data<float>("float", "factors", 0, scales.factors)});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io::detail

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How many samples a network in integer arithmetic answers wrong.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/matrix.hpp"
#include "retort/quantization/integer_network.hpp"
#include "retort/train/evaluate.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace internal {

/// How many of the samples with a label have another class's logit as the largest, the first among equals. `logits`:
/// (data.size(), outputs). Throws OptionError, from `owner`, if no sample has a label, ShapeError for a class without a
/// logit.
template <typename T>
std::size_t count_errors(std::span<const T> logits, const data::Dataset& data, const char* owner) {
  data::detail::require_no_targets(data, owner);
  require_labels(data, owner);
  const std::size_t outputs = logits.size() / data.size();
  if (data.classes() > outputs) {
    throw ShapeError(concatenate({owner, ": the dataset has ", data.classes(), " classes, expected at most ", outputs,
                                  ", one for each output"}));
  }
  std::size_t errors = 0;
  for (std::size_t sample = 0; sample < data.size(); ++sample) {
    const auto row = logits.subspan(sample * outputs, outputs);
    const auto answer = static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
    const std::uint32_t label = data.labels()[sample];
    errors += label != data::unlabelled && label != answer ? 1u : 0u;
  }
  return errors;
}

}  // namespace internal

/// How many of the samples with a label predict_integer answers wrong: the largest logit, the first among equals, is
/// another class's. Throws as it does, OptionError if no sample has a label, ShapeError for more classes than outputs.
inline std::size_t count_integer_errors(const IntegerNetwork& network, const data::Dataset& data) {
  const data::Matrix<std::int8_t> logits = predict_integer(network, data);
  return internal::count_errors(logits.values(), data, "count_integer_errors");
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A network's preprocessing as JSON, for the metadata of its file.

#include <cstddef>
#include <string>
#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/core/json.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/preprocessing.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io::detail {

inline constexpr const char* preprocessing_key = "retort.preprocessing";

/// {"raw":"uint8","mean":0.5,"standard_deviation":0.5}, with "column_means", "column_deviations" and "class_names" if
/// there are any.
[[gnu::cold]] inline std::string preprocessing_text(const Preprocessing& preprocessing) {
  std::string text = concatenate({"{\"raw\":\"", preprocessing.bytes ? "uint8" : "real",
                                  "\",\"mean\":", json_number(preprocessing.mean),
                                  ",\"standard_deviation\":", json_number(preprocessing.standard_deviation)});
  const auto append = [&](std::string_view name, const auto& values) {
    if (!values.empty()) {
      text += concatenate({",\"", name, "\":", json_array(values)});
    }
  };
  append("column_means", preprocessing.column_means);
  append("column_deviations", preprocessing.column_deviations);
  append("class_names", preprocessing.class_names);
  return text += '}';
}

/// Throws JsonError for any other text, and OptionError for preprocessing that no network with that many inputs and
/// outputs has. Memory: for as many columns and names as such a network may have.
[[gnu::cold]] inline Preprocessing read_preprocessing(std::string_view text, std::size_t inputs, std::size_t outputs) {
  Preprocessing result;
  internal::JsonReader json(text);
  const auto read_raw = [&] {
    const std::string raw = json.string();
    result.bytes = raw == "uint8";
    if (raw != "uint8" && raw != "real") {
      json.fail("\"uint8\" or \"real\" for raw");
    }
  };
  const std::string_view missing = json.read_object(
      {{"raw", read_raw},
       {"mean", json.into(result.mean)},
       {"standard_deviation", json.into(result.standard_deviation)},
       {"column_means", json.into(result.column_means, inputs), false},
       {"column_deviations", json.into(result.column_deviations, inputs), false},
       {"class_names", json.into(result.class_names, outputs), false}},
      "the keys raw, mean, standard_deviation, column_means, column_deviations and class_names, each once");
  if (!missing.empty()) {
    json.fail("raw, mean and standard_deviation in the object before");
  }
  json.end();
  result.validate(inputs, outputs);
  return result;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io::detail

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a network remembers of its training data as JSON, for the metadata of its file.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/json.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/preprocessing.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io::detail {

inline constexpr const char* preprocessing_key = "retort.preprocessing";

[[gnu::cold]] inline void append_numbers(std::string& text, std::string_view name, const std::vector<double>& values) {
  if (!values.empty()) {
    text += concatenate({",\"", name, "\":["});
    for (const double value : values) {
      text += concatenate({text.back() == '[' ? "" : ",", json_number(value)});
    }
    text += ']';
  }
}

/// {"raw":"uint8","mean":0.5,"standard_deviation":0.5}, and "column_means", "column_deviations" and "class_names" where
/// there are any.
[[gnu::cold]] inline std::string preprocessing_text(const Preprocessing& preprocessing) {
  std::string text = concatenate({"{\"raw\":\"", preprocessing.bytes ? "uint8" : "real",
                                  "\",\"mean\":", json_number(preprocessing.mean),
                                  ",\"standard_deviation\":", json_number(preprocessing.standard_deviation)});
  append_numbers(text, "column_means", preprocessing.column_means);
  append_numbers(text, "column_deviations", preprocessing.column_deviations);
  if (!preprocessing.class_names.empty()) {
    text += ",\"class_names\":[";
    for (const std::string& name : preprocessing.class_names) {
      text += concatenate({text.back() == '[' ? "" : ",", json_string(name)});
    }
    text += ']';
  }
  return text += '}';
}

/// Throws JsonError for what is not such a text of a network with that many inputs and outputs.
[[gnu::cold]] inline Preprocessing read_preprocessing(std::string_view text, std::size_t inputs, std::size_t outputs) {
  constexpr std::array<std::string_view, 6> keys{
      "raw", "mean", "standard_deviation", "column_means", "column_deviations", "class_names"};
  Preprocessing result;
  JsonReader json(text);
  std::array<bool, keys.size()> found{};
  const auto read_numbers = [&](std::vector<double>& values) {
    json.begin_array();
    while (json.next_element()) {
      values.push_back(json.number<double>());
    }
  };
  json.begin_object();
  for (std::string key; json.next_key(key);) {
    std::size_t index = 0;
    while (index < keys.size() && keys[index] != key) {
      ++index;
    }
    if (index == keys.size() || found[index]) {
      json.fail("the keys raw, mean, standard_deviation, column_means, column_deviations and class_names, each once");
    }
    found[index] = true;
    switch (index) {
      case 0: {
        const std::string raw = json.string();
        result.bytes = raw == "uint8";
        if (raw != "uint8" && raw != "real") {
          json.fail("\"uint8\" or \"real\" for raw");
        }
        break;
      }
      case 1:
        result.mean = json.number<double>();
        break;
      case 2:
        result.standard_deviation = json.number<double>();
        break;
      case 3:
        read_numbers(result.column_means);
        break;
      case 4:
        read_numbers(result.column_deviations);
        break;
      default:
        json.begin_array();
        while (json.next_element()) {
          result.class_names.push_back(json.string());
        }
    }
  }
  if (!found[0] || !found[1] || !found[2]) {
    json.fail("raw, mean and standard_deviation in the object before");
  }
  json.end();
  bool right = result.standard_deviation > 0 && result.column_means.size() == result.column_deviations.size() &&
               (result.column_means.empty() || result.column_means.size() == inputs) &&
               (result.class_names.empty() || result.class_names.size() <= outputs);
  for (const double deviation : result.column_deviations) {
    right = right && deviation > 0;
  }
  if (!right) {
    json.fail("deviations above 0, a mean and a deviation for each input and a name for each class");
  }
  return result;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io::detail

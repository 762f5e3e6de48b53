// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Raw features as the inputs that a network was trained on, by what its file says: metadata retort.preprocessing
/// (io/preprocessing_text.hpp), with the arithmetic of data/gather.hpp and data/standardization.hpp.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/predict/json_text.hpp"
#include "retort/predict/message.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// What a sample is before it is normalised: bytes, or real numbers.
template <typename Raw>
concept RawFeature = std::same_as<Raw, std::uint8_t> || std::same_as<Raw, float>;

}  // namespace retort::inline RETORT_INSTRUCTION_SET

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

struct ReadPreprocessing {
  bool bytes = false;
  double mean = 0;
  double standard_deviation = 1;
  std::size_t means = 0;
  std::size_t deviations = 0;
};

/// Reads what a file says of a network with `outputs` classes. Columns go to `column_means` and `column_deviations`,
/// where there is room for them. False, and a sentence, for a text that is none of the library's.
[[gnu::cold, gnu::noinline]] inline bool read_preprocessing(JsonCharacters text, std::size_t outputs,
                                                            std::span<double> column_means,
                                                            std::span<double> column_deviations,
                                                            ReadPreprocessing& result, Message& message) {
  JsonText json(text);
  std::array<bool, 6> has{};
  std::size_t names = 0;
  bool are_positive = true;
  const auto read_columns = [&](std::span<double> columns, std::size_t& count, bool deviations) {
    return json.array([&] {
      double value = 0;
      if (!json.number(value)) {
        return false;
      }
      are_positive = are_positive && (!deviations || value > 0);
      if (count < columns.size()) {
        columns[count] = value;
      }
      ++count;
      return true;
    });
  };
  const auto read_raw = [&] {
    JsonCharacters raw;
    if (!json.string(raw)) {
      return false;
    }
    result.bytes = raw == "uint8";
    return result.bytes || raw == "real";
  };
  const auto read_field = [&](std::size_t field) {
    switch (field) {
      case 0:
        return read_raw();
      case 1:
        return json.number(result.mean);
      case 2:
        return json.number(result.standard_deviation);
      case 3:
        return read_columns(column_means, result.means, false);
      case 4:
        return read_columns(column_deviations, result.deviations, true);
      default:
        return json.array([&] {
          JsonCharacters name;
          return names++ < outputs && json.string(name);
        });
    }
  };
  constexpr std::array<std::string_view, 6> fields{
      "raw", "mean", "standard_deviation", "column_means", "column_deviations", "class_names"};
  const bool is_object = json.object([&](JsonCharacters key) {
    std::size_t field = 0;
    while (field < fields.size() && key != fields[field]) {
      ++field;
    }
    if (field == fields.size() || has[field]) {
      return false;
    }
    has[field] = true;
    return read_field(field);
  });
  are_positive = are_positive && result.standard_deviation > 0;
  if (!is_object || !json.end() || !has[0] || !has[1] || !has[2] || !are_positive ||
      result.means != result.deviations) {
    message.add(
        "metadata retort.preprocessing: expected an object as the library writes it: raw is \"uint8\" or \"real\", "
        "deviations are above 0, and as many as means");
    return false;
  }
  return true;
}

/// A network's inputs (Size) of raw features.
template <RawFeature Raw, std::size_t Size>
class InputsOf {
 public:
  /// False, and a sentence, if the network's inputs are not made of `Raw`.
  [[gnu::cold]] bool read(const std::optional<JsonCharacters>& text, std::size_t outputs, Message& message) {
    constexpr bool bytes = std::same_as<Raw, std::uint8_t>;
    if (!text) {
      if (bytes) {
        message.add(
            "no metadata retort.preprocessing, expected it to say how bytes become inputs; "
            "a Predictor<Model, float> takes the inputs themselves");
      }
      return !bytes;
    }
    ReadPreprocessing found;
    if (!read_preprocessing(*text, outputs, columns_.means, columns_.deviations, found, message)) {
      return false;
    }
    if (bytes && !found.bytes) {
      message.add(
          "the network takes real numbers, expected bytes as a Predictor<Model, std::uint8_t> takes them; a "
          "Predictor<Model, float> takes real numbers");
      return false;
    }
    if (found.means != 0 && found.means != columns_.means.size()) {
      message.add("metadata retort.preprocessing: ")
          .add(found.means)
          .add(" columns, expected ")
          .add(columns_.means.size());
      return false;
    }
    columns_.are_set = found.means != 0;
    scale_ = static_cast<float>(1 / (found.standard_deviation * (bytes ? 255.0 : 1.0)));
    offset_ = static_cast<float>(-found.mean / found.standard_deviation);
    if (!is_finite(scale_) || !is_finite(offset_)) {
      message.add(
          "metadata retort.preprocessing: the standard deviation is too small, expected inputs that a float holds");
      return false;
    }
    return true;
  }

  /// `raw` and `inputs`: (Size).
  void operator()(const Raw* raw, float* inputs) const {
    if constexpr (std::same_as<Raw, float>) {
      if (columns_.are_set) {
        for (std::size_t i = 0; i < Size; ++i) {
          const double column = (static_cast<double>(raw[i]) - columns_.means[i]) / columns_.deviations[i];
          inputs[i] = static_cast<float>(column) * scale_ + offset_;
        }
        return;
      }
    }
    for (std::size_t i = 0; i < Size; ++i) {
      inputs[i] = static_cast<float>(raw[i]) * scale_ + offset_;
    }
  }

 private:
  struct Columns {
    std::array<double, std::same_as<Raw, float> ? Size : 0> means{};
    std::array<double, std::same_as<Raw, float> ? Size : 0> deviations{};
    bool are_set = false;
  };

  float scale_ = 1;
  float offset_ = 0;
  Columns columns_{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

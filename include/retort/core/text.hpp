#pragma once
/// @file
/// Numbers and settings as text that reads back to the same bits: for checkpoints, logs and messages, independent of
/// the locale.

#include <charconv>
#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace retort {

/// The shortest decimal that reads back as exactly `value`: "0.0002", "1e-08", "inf", "nan". Finite values are JSON
/// numbers.
template <std::floating_point Number>
std::string to_text(Number value) {
  char buffer[64];  // The longest double, -2.2250738585072014e-308, has 24 characters; a long double stays below 64.
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general).ptr};
}

inline std::string to_text(std::integral auto value) { return std::to_string(value); }
inline std::string to_text(bool value) { return value ? "true" : "false"; }

/// One named hyperparameter, already written as text.
struct Setting {
  std::string_view name;
  std::string value;
};

/// "Adam(learning_rate=0.0002, beta1=0.5)": how a loss, an optimizer or a schedule describes itself. Two objects of one
/// type have equal settings exactly if their descriptions are equal.
inline std::string describe_settings(std::string_view name, std::initializer_list<Setting> settings) {
  std::string text{name};
  text += '(';
  std::string_view separator;
  for (const Setting& setting : settings) {
    text.append(separator).append(setting.name).append("=").append(setting.value);
    separator = ", ";
  }
  return text += ')';
}

}  // namespace retort

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The command line of a program with few options, for which CLI11 would take longer to compile than the program.

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace examples {

class Arguments {
 public:
  Arguments(int argc, char** argv) : left_(argv + 1, argv + argc) {}

  /// Whether the flag is there; it is taken away.
  bool take(std::string_view flag) {
    const auto place = std::ranges::find(left_, flag);
    if (place == left_.end()) {
      return false;
    }
    left_.erase(place);
    return true;
  }

  /// The value of an option; both are taken away. None where the option is not there or lacks its value.
  std::optional<std::string> take_value(std::string_view option) {
    const auto place = std::ranges::find(left_, option);
    if (place == left_.end() || place + 1 == left_.end()) {
      return std::nullopt;
    }
    const std::string value = place[1];
    left_.erase(place, place + 2);
    return value;
  }

  /// What is left, by place.
  const std::vector<std::string>& left() const { return left_; }
  /// Whether an option is left, which the program does not have.
  bool has_unknown_option() const {
    return std::ranges::any_of(left_, [](const std::string& argument) { return argument.starts_with("-"); });
  }

 private:
  std::vector<std::string> left_;
};

}  // namespace examples

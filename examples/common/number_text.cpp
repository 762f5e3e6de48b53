// SPDX-License-Identifier: MIT
#include "common/number_text.hpp"

#include <array>
#include <charconv>

namespace examples {

std::string with_separators(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t end = digits.size(); end > 3; end -= 3) {
    digits.insert(end - 3, 1, ',');
  }
  return digits;
}

std::string counted(std::size_t number, std::string_view thing) {
  return with_separators(number).append(" ").append(thing).append(number == 1 ? "" : "s");
}

std::string fixed(double value, int digits) {
  std::array<char, 400> text{};  // the largest double has 309 digits before the point
  return {text.data(), std::to_chars(text.begin(), text.end(), value, std::chars_format::fixed, digits).ptr};
}

}  // namespace examples

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The number that is nearest to a decimal, exactly, in a few hundred bytes of code: the C library's strtod takes 26 KB
/// of a microcontroller's, and memory to allocate. For programs that have the room, core/parse_number.hpp is faster.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// A whole number of up to 2,272 bits: 64 bits times 10^340 or 2^1,074, which is as much as nearest_double compares.
class LargeNumber {
 public:
  explicit LargeNumber(std::uint64_t value) {
    words_[0] = static_cast<std::uint32_t>(value);
    words_[1] = static_cast<std::uint32_t>(value >> 32);
    size_ = 2;
  }

  void multiply(std::uint32_t factor) {
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      carry += std::uint64_t{words_[i]} * factor;
      words_[i] = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) {
      words_[size_++] = static_cast<std::uint32_t>(carry);
    }
  }

  void multiply_by_power(std::uint32_t base, int exponent) {
    for (; exponent > 0; --exponent) {
      multiply(base);
    }
  }

  /// Below 0, 0 or above 0, as this number is less than, equal to or greater than the other.
  int compare(const LargeNumber& other) const {
    for (std::size_t i = words_.size(); i-- > 0;) {
      if (words_[i] != other.words_[i]) {
        return words_[i] < other.words_[i] ? -1 : 1;
      }
    }
    return 0;
  }

 private:
  std::array<std::uint32_t, 71> words_{};  // the lowest first
  std::size_t size_ = 0;
};

/// The double that is nearest to digits * 10^exponent, ties to even. False, and `result` as it was, if that is beyond
/// the largest double, or the exponent beyond -340 to 340.
[[gnu::cold, gnu::noinline]] inline bool nearest_double(std::uint64_t digits, int exponent, double& result) {
  constexpr int largest_exponent = 340;
  constexpr std::uint64_t infinity = std::uint64_t{0x7FF} << 52;
  if (digits == 0) {
    result = 0;
    return true;
  }
  if (exponent < -largest_exponent || exponent > largest_exponent) {
    return false;
  }
  const int size = exponent < 0 ? -exponent : exponent;
  if (size <= 22 && digits >> 53 == 0) {  // both are exact, and the result is rounded once (Clinger, 1990)
    double power_of_ten = 1;
    for (int i = 0; i < size; ++i) {
      power_of_ten *= 10;
    }
    result = exponent < 0 ? static_cast<double>(digits) / power_of_ten : static_cast<double>(digits) * power_of_ten;
    return true;
  }
  // Each step is off by half a unit in the last place.
  double estimate = static_cast<double>(digits);
  for (int i = 0; i < size; ++i) {
    estimate = exponent < 0 ? estimate / 10 : estimate * 10;
  }
  std::uint64_t bits = std::bit_cast<std::uint64_t>(estimate);
  const std::uint64_t most_below = static_cast<std::uint64_t>(size) + 2;
  bits = bits < most_below ? 0 : bits - most_below;
  // Upwards, as long as the number is above the middle between this double and the next.
  for (; bits < infinity; ++bits) {
    const bool subnormal = bits >> 52 == 0;
    const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);
    const std::uint64_t mantissa = subnormal ? fraction : fraction | std::uint64_t{1} << 52;
    const int power = (subnormal ? 1 : static_cast<int>(bits >> 52)) - 1075 - 1;  // of the middle's last bit
    LargeNumber number(digits);
    LargeNumber middle(2 * mantissa + 1);
    number.multiply_by_power(10, exponent);
    middle.multiply_by_power(10, -exponent);
    number.multiply_by_power(2, -power);
    middle.multiply_by_power(2, power);
    const int order = number.compare(middle);
    if (order < 0 || (order == 0 && mantissa % 2 == 0)) {
      result = std::bit_cast<double>(bits);
      return true;
    }
  }
  return false;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

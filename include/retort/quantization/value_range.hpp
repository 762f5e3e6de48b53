// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The range of many numbers, all of them or all but a few at each end.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Takes numbers in any order, and keeps the extremes and a histogram: how many there are of each upper half of a
/// float's bits, which is a number's size to 1 part in 128.
class ValueRange {
 public:
  template <typename Scalar>
  void add(std::span<const Scalar> values) {
    for (const Scalar value : values) {
      const auto number = static_cast<float>(value);
      finite_ = finite_ && is_finite(number);
      low_ = number < low_ ? number : low_;
      high_ = number > high_ ? number : high_;
      ++counts_[bin_of(number)];
    }
    total_ += values.size();
  }

  /// {low, high}, with `percentile` percent of the numbers from low on and as many up to high, to 1 part in 128 of
  /// each; the extremes for 100. {-infinity, infinity} if a number is not finite. Precondition: there are numbers.
  std::array<float, 2> within(double percentile) const {
    if (!finite_) {
      return {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};
    }
    const auto beyond = static_cast<std::uint64_t>(std::floor(static_cast<double>(total_) * (1 - percentile / 100)));
    if (beyond == 0) {
      return {low_, high_};
    }
    const auto cut = [&](std::size_t bin, auto next) {
      for (std::uint64_t passed = counts_[bin]; passed <= beyond; passed += counts_[bin]) {
        bin = next(bin);
      }
      return number_of(bin);
    };
    const float low = cut(0, [](std::size_t bin) { return bin + 1; });
    const float high = cut(bins - 1, [](std::size_t bin) { return bin - 1; });
    return {low > low_ ? low : low_, high < high_ ? high : high_};
  }

 private:
  static constexpr std::size_t bins = std::size_t{1} << 16;

  // In the order of the numbers: negative ones from large to small, then the others.
  static std::size_t bin_of(float number) {
    const std::uint32_t upper = bits_of(number) >> 16;
    return (upper & 0x8000u) != 0 ? 0xFFFFu - upper : upper + 0x8000u;
  }
  static float number_of(std::size_t bin) {
    const auto upper = static_cast<std::uint32_t>(bin);
    return float_of((upper < 0x8000u ? 0xFFFFu - upper : upper - 0x8000u) << 16);
  }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(bins);
  std::uint64_t total_ = 0;
  bool finite_ = true;
  float low_ = std::numeric_limits<float>::max();
  float high_ = std::numeric_limits<float>::lowest();
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Repeatable numbers for tests, and comparisons of whole arrays at once.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "retort/core/philox.hpp"

namespace retort::test {

/// `count` numbers in [low, high).
template <typename Scalar>
std::vector<Scalar> random_values(std::size_t count, std::uint64_t seed, double low = -1.0, double high = 1.0) {
  RandomSequence numbers{RandomStream{Seed{seed}, Stream::synthetic, 0}};
  std::vector<Scalar> values(count);
  std::ranges::generate(values, [&] { return static_cast<Scalar>(numbers.uniform(low, high)); });
  return values;
}

/// Whether two arrays hold the same bytes: -0 is not 0, and a NaN equals itself.
template <typename First, typename Second>
bool same_bits(const First& first, const Second& second) {
  const auto a = std::as_bytes(std::span{first});
  const auto b = std::as_bytes(std::span{second});
  return std::ranges::equal(a, b);
}

/// max |first[i] - second[i]|; infinite for different sizes and where a number is not finite.
template <typename First, typename Second>
double largest_difference(const First& first, const Second& second) {
  if (std::size(first) != std::size(second)) {
    return std::numeric_limits<double>::infinity();
  }
  double largest = 0.0;
  for (std::size_t i = 0; i < std::size(first); ++i) {
    const double difference = std::abs(static_cast<double>(first[i]) - static_cast<double>(second[i]));
    if (!(difference <= largest)) {
      largest = std::isfinite(difference) ? difference : std::numeric_limits<double>::infinity();
    }
  }
  return largest;
}

}  // namespace retort::test

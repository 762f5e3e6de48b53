#include "retort/core/permutation.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "catch.hpp"

using retort::random_permutation;
using retort::RandomStream;
using retort::Seed;
using retort::Stream;

namespace {

std::vector<std::uint32_t> permutation(std::size_t size, std::uint64_t seed, std::uint32_t step = 0) {
  std::vector<std::uint32_t> order(size, 12345);
  random_permutation(order, RandomStream{Seed{seed}, Stream::shuffle, step});
  return order;
}

}  // namespace

TEST_CASE("every number appears once, for every size") {
  for (std::size_t size = 0; size < 200; ++size) {
    std::vector<std::uint32_t> order = permutation(size, size);
    std::sort(order.begin(), order.end());
    for (std::size_t index = 0; index < size; ++index) {
      REQUIRE(order[index] == index);
    }
  }
}

TEST_CASE("a permutation is a function of its stream, not of what the span held") {
  REQUIRE(permutation(1000, 1) == permutation(1000, 1));
  REQUIRE(permutation(1000, 1) != permutation(1000, 2));
  REQUIRE(permutation(1000, 1, 0) != permutation(1000, 1, 1));
  std::vector<std::uint32_t> used(1000, 0);
  random_permutation(used, RandomStream{Seed{1}, Stream::shuffle, 0});
  REQUIRE(used == permutation(1000, 1));
}

TEST_CASE("the permutation of a seed stays the same for good") {
  // Computed apart, in Python from the papers' descriptions. Another value means that resumed runs and published splits
  // change.
  REQUIRE(permutation(8, 0) == std::vector<std::uint32_t>{7, 2, 6, 4, 3, 5, 0, 1});
}

TEST_CASE("all orders are equally likely") {
  std::map<std::vector<std::uint32_t>, double> counts;
  constexpr std::uint32_t draws = 24000;
  for (std::uint32_t step = 0; step < draws; ++step) {
    counts[permutation(4, 5, step)] += 1.0;
  }
  REQUIRE(counts.size() == 24);
  // Chi-squared with 23 degrees of freedom: 99.9 % of fair draws stay under 49.73.
  double chi_squared = 0.0;
  for (const auto& [order, count] : counts) {
    chi_squared += (count - draws / 24.0) * (count - draws / 24.0) / (draws / 24.0);
  }
  CHECK(chi_squared < 49.73);
}

TEST_CASE("every element reaches every place equally often") {
  constexpr std::size_t size = 16;
  constexpr std::uint32_t draws = 16000;
  std::array<std::array<double, size>, size> counts{};
  for (std::uint32_t step = 0; step < draws; ++step) {
    const std::vector<std::uint32_t> order = permutation(size, 6, step);
    for (std::size_t place = 0; place < size; ++place) {
      counts[place][order[place]] += 1.0;
    }
  }
  for (const auto& row : counts) {
    for (const double count : row) {
      // 1000 expected, standard deviation 30.6; five of them for 256 cells.
      CHECK_THAT(count, WithinAbs(1000.0, 5 * 30.6));
    }
  }
}

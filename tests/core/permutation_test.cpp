// SPDX-License-Identifier: MIT
#include "retort/core/permutation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "catch.hpp"
#include "retort/core/size.hpp"

using retort::random_permutation;
using retort::RandomPermutation;
using retort::RandomStream;
using retort::Seed;
using retort::Stream;

namespace {

RandomPermutation permutation_of(std::uint32_t size, std::uint64_t seed, std::uint32_t step = 0) {
  return {size, RandomStream{Seed{seed}, Stream::shuffle, step}};
}

std::vector<std::uint32_t> permutation(std::size_t size, std::uint64_t seed, std::uint32_t step = 0) {
  std::vector<std::uint32_t> order(size, 12345);
  random_permutation(order, RandomStream{Seed{seed}, Stream::shuffle, step});
  return order;
}

void require_permutation(std::vector<std::uint32_t> order) {
  std::ranges::sort(order);
  for (std::size_t index = 0; index < order.size(); ++index) {
    REQUIRE(order[index] == index);
  }
}

/// How far counts are from all being `expected`.
template <typename Counts>
double chi_squared(const Counts& counts, double expected) {
  double sum = 0.0;
  for (const double count : counts) {
    sum += (count - expected) * (count - expected) / expected;
  }
  return sum;
}

/// Of all orders of `size` numbers, over the steps of one seed.
double chi_squared_of_orders(std::size_t size, std::size_t orders, std::uint64_t seed) {
  std::map<std::vector<std::uint32_t>, double> counts;
  const auto draws = static_cast<std::uint32_t>(1000 * orders);
  for (std::uint32_t step = 0; step < draws; ++step) {
    counts[permutation(size, seed, step)] += 1.0;
  }
  REQUIRE(counts.size() == orders);
  std::vector<double> values;
  for (const auto& [order, count] : counts) {
    values.push_back(count);
  }
  return chi_squared(values, 1000.0);
}

double correlation(std::span<const std::uint32_t> first, std::span<const std::uint32_t> second) {
  const auto count = static_cast<double>(first.size());
  double mean_x = 0.0;
  double mean_y = 0.0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    mean_x += first[i] / count;
    mean_y += second[i] / count;
  }
  double xy = 0.0;
  double xx = 0.0;
  double yy = 0.0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const double x = first[i] - mean_x;
    const double y = second[i] - mean_y;
    xy += x * y;
    xx += x * x;
    yy += y * y;
  }
  return xy / std::sqrt(xx * yy);
}

}  // namespace

TEST_CASE("every number appears once, for every size") {
  for (std::size_t size = 0; size < 200; ++size) {
    require_permutation(permutation(size, size));
  }
  // Powers of two, where every number of their bits is wanted, and one more and less, where almost half are not.
  for (std::size_t power = 256; power <= 65536; power *= 2) {
    require_permutation(permutation(power - 1, 1));
    require_permutation(permutation(power, 1));
    require_permutation(permutation(power + 1, 1));
  }
  require_permutation(permutation(60000, 1));
}

TEST_CASE("the shortest ranges") {
  CHECK(permutation(0, 1).empty());
  CHECK(permutation(1, 1) == std::vector<std::uint32_t>{0});
  std::array<double, 2> first{};
  for (std::uint32_t step = 0; step < 10000; ++step) {
    first[permutation(2, 1, step)[0]] += 1.0;
  }
  // Five standard deviations of 50.
  CHECK_THAT(first[0], WithinAbs(5000.0, 250.0));
}

TEST_CASE("a permutation is a function of its stream, not of what the span held") {
  REQUIRE(permutation(1000, 1) == permutation(1000, 1));
  REQUIRE(permutation(1000, 1) != permutation(1000, 2));
  REQUIRE(permutation(1000, 1, 0) != permutation(1000, 1, 1));
  std::vector<std::uint32_t> used(1000, 0);
  random_permutation(used, RandomStream{Seed{1}, Stream::shuffle, 0});
  REQUIRE(used == permutation(1000, 1));
  random_permutation(used, RandomStream{Seed{1}, Stream::split, 0});
  REQUIRE(used != permutation(1000, 1));
}

TEST_CASE("the permutation of a seed stays the same for good") {
  // Computed apart, in Python from the papers' descriptions. Another value means that resumed runs and published splits
  // change.
  REQUIRE(permutation(8, 0) == std::vector<std::uint32_t>{1, 6, 5, 4, 2, 7, 3, 0});
  const RandomPermutation thousand = permutation_of(1000, 3, 2);
  REQUIRE(thousand(0) == 155);
  REQUIRE(thousand(1) == 298);
  REQUIRE(thousand(2) == 910);
  REQUIRE(thousand(3) == 715);
}

TEST_CASE("fill gives what the positions give one by one, from any position and to any end of a block") {
  for (const std::uint32_t size : {1u, 2u, 63u, 64u, 65u, 1000u}) {
    CAPTURE(size);
    const RandomPermutation order = permutation_of(size, 4);
    CHECK(order.size() == size);
    std::vector<std::uint32_t> expected;
    for (std::uint32_t position = 0; position < size; ++position) {
      expected.push_back(order(position));
    }
    for (const std::uint32_t first : {0u, 1u, 31u, 32u, 77u}) {
      for (std::uint32_t count = 0; first + count <= std::min(size, first + 100); ++count) {
        std::vector<std::uint32_t> values(count + 1, 12345);
        order.fill(first, std::span(values).first(count));
        REQUIRE(std::equal(values.begin(), values.end() - 1, expected.begin() + first));
        REQUIRE(values.back() == 12345);
      }
    }
  }
}

TEST_CASE("ranges beyond 31 bits") {
  constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
  for (const std::uint32_t size : {(1u << 31) - 1, 1u << 31, (1u << 31) + 7, most}) {
    CAPTURE(size);
    const RandomPermutation order = permutation_of(size, 5);
    std::set<std::uint32_t> seen;
    std::size_t asked = 0;
    // Neighbours at both ends, and positions all over.
    for (std::uint32_t i = 0; i < 2000; ++i) {
      for (const std::uint32_t position : {i, size - 1 - i, 2000 + i * (size / 2003)}) {
        const std::uint32_t value = order(position);
        REQUIRE(value < size);
        seen.insert(value);
        ++asked;
      }
    }
    CHECK(seen.size() == asked);
    std::array<std::uint32_t, 50> last{};
    order.fill(size - 50, last);
    for (std::uint32_t i = 0; i < 50; ++i) {
      CHECK(last[i] == order(size - 50 + i));
    }
  }
}

TEST_CASE("all orders are equally likely") {
  // 99.9 % of fair draws stay under 49.73 with 23 degrees of freedom, and under 172.4 with 119.
  CHECK(chi_squared_of_orders(4, 24, 5) < 49.73);
  CHECK(chi_squared_of_orders(5, 120, 5) < 172.4);
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

TEST_CASE("neither position nor neighbour nor another epoch foretells what stands at a position") {
  // Not a power of two, and one.
  for (const std::uint32_t size : {60000u, 65536u}) {
    CAPTURE(size);
    std::vector<std::uint32_t> positions(size);
    for (std::uint32_t i = 0; i < size; ++i) {
      positions[i] = i;
    }
    // Correlations of independent numbers have the standard deviation 1 / sqrt(size).
    const double bound = 4.5 / std::sqrt(static_cast<double>(size));
    for (std::uint32_t step = 0; step < 5; ++step) {
      CAPTURE(step);
      const std::vector<std::uint32_t> order = permutation(size, 7, step);
      const std::span<const std::uint32_t> all(order);
      CHECK_THAT(correlation(all, positions), WithinAbs(0.0, bound));
      CHECK_THAT(correlation(all, permutation(size, 7, step + 1)), WithinAbs(0.0, bound));
      for (const std::size_t distance : {1u, 2u, 16u, 256u}) {
        CAPTURE(distance);
        CHECK_THAT(correlation(all.first(size - distance), all.subspan(distance)), WithinAbs(0.0, bound));
        // What a correlation does not see: the way from one to the next, around the circle, is of any length.
        std::array<double, 64> ways{};
        for (std::size_t i = 0; i < size; ++i) {
          const std::uint64_t way = (std::uint64_t{order[(i + distance) % size]} + size - order[i]) % size;
          ways[retort::to_size(way * ways.size() / size)] += 1.0;
        }
        // Chi-squared with 63 degrees of freedom: 99.999 % of fair draws stay under 124.
        CHECK(chi_squared(ways, size / 64.0) < 124.0);
      }
    }
  }
}

TEST_CASE("a permutation can be had at compile time") {
  constexpr RandomPermutation order(8, RandomStream{Seed{0}, Stream::shuffle, 0});
  STATIC_REQUIRE(order(0) == 1);
  STATIC_REQUIRE(order(7) == 0);
}

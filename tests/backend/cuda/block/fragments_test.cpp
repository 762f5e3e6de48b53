// SPDX-License-Identifier: MIT
// A tensor core's instruction on the host, against a plain product of matrices.

#include "retort/backend/cuda/block/fragments.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/block/team.hpp"

namespace {

using namespace retort;
using namespace retort::backend::block;

float rounded(float value) { return backend::block::detail::leading_bf16(value); }

// Where the PTX ISA says that elements are, written as it is there: "Matrix Fragments for mma.m16n8k16".
std::size_t row_of_a(std::uint32_t lane, std::size_t i) { return lane / 4 + (i < 2 || (4 <= i && i < 6) ? 0 : 8); }
std::size_t column_of_a(std::uint32_t lane, std::size_t i) { return lane % 4 * 2 + (i & 1) + (i < 4 ? 0 : 8); }
std::size_t row_of_b(std::uint32_t lane, std::size_t i) { return lane % 4 * 2 + (i & 1) + (i < 2 ? 0 : 8); }
std::size_t column_of_b(std::uint32_t lane) { return lane / 4; }
std::size_t row_of_c(std::uint32_t lane, std::size_t i) { return lane / 4 + (i < 2 ? 0 : 8); }
std::size_t column_of_c(std::uint32_t lane, std::size_t i) { return lane % 4 * 2 + (i & 1); }

TEST_CASE("Fragments multiplied are matrices multiplied", "[block]") {
  const auto a = test::random_values<float>(16 * 16, 1);
  const auto b = test::random_values<float>(16 * 8, 2);
  const auto c = test::random_values<float>(16 * 8, 3);
  HostWarp::PerLane<FragmentA> lanes_a;
  HostWarp::PerLane<FragmentB> lanes_b;
  HostWarp::PerLane<FragmentC> lanes_c;
  const HostWarp warp(0, 5);
  warp.for_each_lane([&](std::uint32_t lane) {
    const auto element_a = [&](std::size_t i) { return a[row_of_a(lane, i) * 16 + column_of_a(lane, i)]; };
    const auto element_b = [&](std::size_t i) { return b[row_of_b(lane, i) * 8 + column_of_b(lane)]; };
    for (std::size_t i = 0; i < 4; ++i) {
      lanes_a[lane].pairs[i] = bf16_pair(element_a(2 * i), element_a(2 * i + 1));
      lanes_c[lane].values[i] = c[row_of_c(lane, i) * 8 + column_of_c(lane, i)];
    }
    for (std::size_t i = 0; i < 2; ++i) {
      lanes_b[lane].pairs[i] = bf16_pair(element_b(2 * i), element_b(2 * i + 1));
    }
  });
  warp.multiply_add(lanes_c, lanes_a, lanes_b);
  warp.for_each_lane([&](std::uint32_t lane) {
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t row = row_of_c(lane, i);
      const std::size_t column = column_of_c(lane, i);
      double expected = double{c[row * 8 + column]};
      for (std::size_t k = 0; k < 16; ++k) {
        expected += double{rounded(a[row * 16 + k])} * double{rounded(b[k * 8 + column])};
      }
      const double found = double{lanes_c[lane].values[i]};
      // One rounding, towards zero.
      CHECK(std::abs(found) <= std::abs(expected));
      CHECK(std::abs(found - expected) < 0x1p-23 * std::abs(expected));
    }
  });
}

TEST_CASE("Tensor cores round towards zero", "[block]") {
  CHECK(backend::block::detail::round_towards_zero(1.0 + 0x1.8p-23) == 1.0f + 0x1p-23f);
  CHECK(backend::block::detail::round_towards_zero(-1.0 - 0x1.8p-23) == -1.0f - 0x1p-23f);
  CHECK(backend::block::detail::round_towards_zero(0.0) == 0.0f);
  CHECK(std::isnan(backend::block::detail::round_towards_zero(std::nan(""))));
}

TEST_CASE("Warps take turns in an order of their own", "[block]") {
  HostTeam<128> team(ThreadOrder::shuffled, Seed{3});
  std::vector<std::uint32_t> order;
  std::vector<int> turns(128);
  for (int phase = 0; phase < 10; ++phase) {
    team.warps([&](const auto& warp) {
      order.push_back(warp.index());
      warp.for_each_lane([&](std::uint32_t lane) { ++turns[warp.index() * team_lanes + lane]; });
    });
  }
  CHECK(turns == std::vector<int>(128, 10));
  bool ascending = true;
  for (std::size_t i = 0; i < order.size(); ++i) {
    ascending = ascending && order[i] == i % 4;
  }
  CHECK_FALSE(ascending);
}

}  // namespace

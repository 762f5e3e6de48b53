// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/block/train_blocks.hpp"

#include <array>
#include <cstddef>
#include <new>

#include "catch.hpp"

namespace {

using namespace retort;
using namespace retort::backend::block;

struct Layout {
  static constexpr std::size_t blocks = 4;
  static constexpr std::size_t threads = 32;
  static constexpr std::size_t size = 16;
};

TEST_CASE("what a block throws comes to the caller, and the others do not wait for it", "[backend]") {
  for (std::size_t failing = 0; failing < Layout::blocks; ++failing) {
    CAPTURE(failing);
    std::array<int, Layout::blocks> phases{};
    CHECK_THROWS_AS((run_host_cluster<Layout, float>(ThreadOrder::ascending, Seed{},
                                                     [&](auto& team, float* /*memory*/) {
                                                       for (int phase = 0; phase < 5; ++phase) {
                                                         if (team.block() == failing && phase == 2) {
                                                           throw std::bad_alloc();
                                                         }
                                                         ++phases[team.block()];
                                                         team.cluster([](std::size_t) {});
                                                       }
                                                     })),
                    std::bad_alloc);
    for (std::size_t block = 0; block < Layout::blocks; ++block) {
      CHECK(phases[block] == (block == failing ? 2 : 5));
    }
  }
  std::array<int, Layout::blocks> phases{};
  run_host_cluster<Layout, float>(ThreadOrder::ascending, Seed{}, [&](auto& team, float*) { ++phases[team.block()]; });
  CHECK(phases == std::array<int, Layout::blocks>{1, 1, 1, 1});
}

}  // namespace

// SPDX-License-Identifier: MIT
#include "retort/backend/generic/scratch.hpp"

#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "backend/generic/serial_system.hpp"
#include "catch.hpp"

namespace {

using Backend = retort::backend::Thrust<retort::system::Serial>;

}  // namespace

TEST_CASE("memory is allocated once and lent again", "[backend]") {
  const Backend backend;
  for (int round = 0; round < 5; ++round) {
    auto small = backend.scratch<float>(100);
    auto large = backend.scratch<double>(1000);
    CHECK(static_cast<void*>(small.data()) != static_cast<void*>(large.data()));
    auto third = backend.scratch<std::uint8_t>(10);
    third.data()[9] = 1;
    large.data()[999] = 1.0;
    small.data()[99] = 1.0f;
  }
  CHECK(backend.system().allocations == 3);
}

TEST_CASE("a larger request replaces what is too small", "[backend]") {
  const Backend backend;
  for (std::size_t size = 1; size < 100; size += 7) {
    auto memory = backend.scratch<float>(size);
    memory.data()[size - 1] = 1.0f;
  }
  const std::size_t allocations = backend.system().allocations;
  for (std::size_t size = 1; size < 95; size += 7) {
    auto memory = backend.scratch<float>(size);
    memory.data()[size - 1] = 1.0f;
  }
  CHECK(backend.system().allocations == allocations);
}

TEST_CASE("threads lease memory of their own", "[backend]") {
  const Backend backend;
  std::vector<std::thread> threads;
  std::vector<int> faults(4);
  for (std::size_t t = 0; t < faults.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 200; ++round) {
        auto memory = backend.scratch<std::size_t>(64);
        for (std::size_t i = 0; i < 64; ++i) {
          memory.data()[i] = t;
        }
        for (std::size_t i = 0; i < 64; ++i) {
          faults[t] += memory.data()[i] == t ? 0 : 1;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(faults == std::vector<int>(4));
}

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a launch is made of while it runs (machine.cpp).

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "ptx/costs.hpp"
#include "ptx/machine.hpp"
#include "ptx/memory.hpp"
#include "ptx/program.hpp"

namespace retort::test::ptx {

/// Lanes of a warp at one instruction.
struct Lanes {
  std::uint32_t pc = 0;
  std::uint32_t mask = 0;
  bool waits = false;  // for the others, at an instruction of all lanes
};

struct Copy {
  std::uint32_t lane;
  std::size_t to;  // in the block's shared memory
  const std::byte* from;
  std::size_t bytes;
};

enum class State { runs, at_barrier, at_cluster_barrier, done };

struct Block;

struct Warp {
  Block* block = nullptr;
  Actor actor{};              // its first thread
  std::uint32_t all = 0;      // of its lanes
  std::uint32_t arrived = 0;  // at the cluster's barrier
  State state = State::runs;
  std::vector<Lanes> groups{};
  std::vector<std::byte> registers{};
  std::vector<std::byte> local{};  // of all lanes
  std::vector<Copy> copies{};
  std::uint64_t instructions = 0;  // since the last barrier
};

struct Block {
  std::uint32_t index = 0;
  std::uint32_t rank = 0;
  Region shared;
  std::vector<std::byte> memory;
  std::vector<Warp> warps{};
  std::uint32_t last_remote_access = 0;
  Interval costs{};  // since the last barrier
  bool has_begun = false;

  bool is(State state) const {
    return std::ranges::all_of(warps, [&](const Warp& warp) { return warp.state == state; });
  }
  bool has(State state) const {
    return std::ranges::any_of(warps, [&](const Warp& warp) { return warp.state == state; });
  }
};

template <typename Function>
void for_each_lane(std::uint32_t lanes, const Function& function) {
  for (; lanes != 0; lanes &= lanes - 1) {
    function(static_cast<std::uint32_t>(std::countr_zero(lanes)));
  }
}

template <typename T>
T* values_at(Warp& warp, std::uint32_t place) {
  return reinterpret_cast<T*>(warp.registers.data() + place);
}

/// Ends a launch whose finding is already written down.
struct Stop {};

struct LaunchState {
  const Program& program;
  const LaunchShape& shape;
  GlobalMemory& memory;
  const Schedule& schedule;
  std::minstd_rand random;
  std::vector<std::byte> parameters;  // the kernel's
  std::vector<Block> blocks{};        // of the cluster that runs
  std::uint32_t launched;
  Outcome outcome{};

  LaunchState(const Program& program, const LaunchShape& shape, const void* parameters, GlobalMemory& memory,
              const Schedule& schedule);

  /// Writes down what was found, and throws Stop.
  [[noreturn]] void stop(Fault fault, const std::string& what);
  [[noreturn]] void stop(Fault fault, const Warp& warp, std::uint32_t lane, std::uint32_t pc, const std::string& what);
};

}  // namespace retort::test::ptx

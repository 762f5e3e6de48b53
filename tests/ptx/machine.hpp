// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Runs a kernel on the host, a warp's instruction at a time, and checks what it does to memory (memory.hpp).

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ptx/costs.hpp"
#include "ptx/memory.hpp"
#include "ptx/program.hpp"

namespace retort::test::ptx {

struct LaunchShape {
  unsigned blocks = 1;
  unsigned cluster = 1;  // blocks of each cluster
  unsigned threads = 32;
  std::size_t dynamic_shared = 0;
};

struct Schedule {
  /// Lanes of a warp run together as far as they can, and warps in order. Else warps and blocks come in random order,
  /// the lanes of each warp in two random halves, one after the other, and some copies are there at once.
  bool is_shuffled = false;
  std::uint32_t seed = 1;
  /// Of all warps; more are a deadlock.
  std::uint64_t most_instructions = 4'000'000'000;
  SumRounding rounding = SumRounding::once;  // of mma
  bool counts_costs = false;
  /// Bytes of a block's shared memory from which on what is written before its first barrier counts as not written: who
  /// reads the zeros that a kernel begins with?
  std::size_t forgets_from = ~std::size_t{0};
};

struct Outcome {
  Findings findings;
  std::uint64_t instructions = 0;  // of warps
  std::uint64_t products = 0;      // mma
  std::uint64_t copies = 0;        // cp.async, of threads
  std::uint64_t barriers = 0;      // of blocks
  std::uint64_t cluster_barriers = 0;
  std::vector<Interval> intervals{};  // of the first block, where costs are counted
};

/// `parameters`: the kernel's, each at its place. Nothing runs on behind an access outside of memory, a divergence or a
/// deadlock; races and reads of what nobody wrote are counted.
Outcome launch(const Program& program, const LaunchShape& shape, const void* parameters, GlobalMemory& memory,
               const Schedule& schedule = {});

}  // namespace retort::test::ptx

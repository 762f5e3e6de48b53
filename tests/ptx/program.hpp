// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A kernel ready to run: instructions with what they do and where their operands are.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ptx/module.hpp"
#include "ptx/operations.hpp"

namespace retort::test::ptx {

enum class Kind : std::uint8_t {
  compute,
  load,
  store,
  copy_async,
  await_copies,
  block_address,  // mapa
  branch,
  exit,
  trap,
  // From here on all lanes of a warp have to be at the same instruction.
  shuffle,
  multiply_add,
  warp_barrier,
  block_barrier,
  cluster_arrive,
  cluster_wait,
};

constexpr bool is_collective(Kind kind) { return kind >= Kind::shuffle; }

enum class Space : std::uint8_t { generic, shared, global, local, parameter };

/// A generic address says in its highest bits where it points: to the host's memory, or with a tag to one of the
/// others, to shared memory with the block's rank in its cluster.
inline constexpr unsigned tag_shift = 60;
inline constexpr std::uint64_t shared_tag = 1;
inline constexpr std::uint64_t local_tag = 2;
inline constexpr std::uint64_t parameter_tag = 3;
inline constexpr unsigned rank_shift = 32;

enum class Shuffle : std::uint8_t { up, down, butterfly, index };

struct Instruction {
  Kind kind = Kind::compute;
  bool guarded = false;
  bool guard_negated = false;
  bool is_counted = true;  // false: part of the one before
  std::uint32_t guard = 0;
  std::uint32_t target = 0;     // of a branch
  std::uint32_t statement = 0;  // in the kernel's
  Operation::Compute compute = nullptr;
  std::array<std::uint32_t, 14> operands{};  // where each is in a warp's registers

  // Of shuffles and of a warp's barriers operands[0] are the lanes that take part.
  // Of loads, stores and copies operands[0] is the address, the elements' registers follow; of a copy, the source's.
  Space space = Space::generic;
  Shuffle shuffle = Shuffle::index;
  bool is_signed = false;
  bool is_wide = true;      // whether the address has 64 bits
  bool is_relaxed = false;  // of a cluster's barrier
  std::uint8_t bytes = 0;   // of an element, or of a copy
  std::uint8_t elements = 1;
  std::uint8_t register_size = 0;  // bytes of an element's register
  std::int64_t offset = 0;
  std::int64_t source_offset = 0;
};

/// What a thread may ask about itself. Each is a register.
struct SpecialRegisters {
  std::uint32_t thread, threads, block, blocks, lane, rank, shared_window;
};

struct Program {
  Kernel kernel;
  std::vector<Instruction> instructions;
  std::vector<std::byte> registers;  // of a warp to start with: immediate operands are registers too
  SpecialRegisters special{};
};

/// Throws PtxError where an instruction, or a form of it, is not known; it names it. The module's constants have to
/// stay where they are.
Program make_program(const Kernel& kernel, Module& module);

}  // namespace retort::test::ptx

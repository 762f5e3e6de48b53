// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a launch does to memory.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ptx/launch_state.hpp"
#include "ptx/memory.hpp"
#include "ptx/program.hpp"

namespace retort::test::ptx {

class Accesses {
 public:
  explicit Accesses(LaunchState& state) : state_(state) {}

  /// `active`: the lanes that take part.
  void load_or_store(Warp& warp, const Instruction& instruction, std::uint32_t pc, std::uint32_t active);
  /// Of cp.async.
  void begin_copies(Warp& warp, const Instruction& instruction, std::uint32_t pc, std::uint32_t active);
  void end_copies(Warp& warp, std::uint32_t pc, std::uint32_t active);
  /// mapa.
  void find_block(Warp& warp, const Instruction& instruction, std::uint32_t pc, std::uint32_t active);

 private:
  enum class Use { read, write };

  static std::uint64_t address_of(Warp& warp, std::uint32_t place, bool is_wide, std::int64_t offset,
                                  std::uint32_t lane);
  Actor actor_of(const Warp& warp, std::uint32_t lane, std::uint32_t pc) const;
  /// Where the bytes are, which are recorded as used.
  std::byte* use(Warp& warp, std::uint32_t lane, std::uint32_t pc, Space space, std::uint64_t address,
                 std::size_t bytes, Use what);
  std::byte* within(std::byte* data, std::size_t size, const Warp& warp, std::uint32_t lane, std::uint32_t pc,
                    std::uint64_t offset, std::size_t bytes, const char* name);
  void note_remote_access(const Warp& warp, std::uint32_t lane, std::uint32_t pc, Block& other);
  /// Counts what use() was called for since the last call.
  void count_wavefronts(Block& block, std::size_t bytes);

  LaunchState& state_;
  std::vector<std::uint32_t> used_offsets_{};  // of the block's shared memory, by one instruction
  std::vector<std::uint32_t> used_lanes_{};
};

}  // namespace retort::test::ptx

// SPDX-License-Identifier: MIT
#include "ptx/accesses.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "ptx/costs.hpp"

namespace retort::test::ptx {

std::uint64_t Accesses::address_of(Warp& warp, std::uint32_t place, bool is_wide, std::int64_t offset,
                                   std::uint32_t lane) {
  if (is_wide) {
    return values_at<std::uint64_t>(warp, place)[lane] + static_cast<std::uint64_t>(offset);
  }
  return values_at<std::uint32_t>(warp, place)[lane] + static_cast<std::uint32_t>(offset);
}

Actor Accesses::actor_of(const Warp& warp, std::uint32_t lane, std::uint32_t pc) const {
  Actor actor = warp.actor;
  actor.thread += lane;
  actor.place = pc;
  actor.now = state_.memory.time;
  return actor;
}

std::byte* Accesses::use(Warp& warp, std::uint32_t lane, std::uint32_t pc, Space space, std::uint64_t address,
                         std::size_t bytes, Use what) {
  if ((address & (bytes - 1)) != 0) {
    state_.stop(Fault::misaligned, warp, lane, pc, "misaligned address " + std::to_string(address));
  }
  const auto tag = space == Space::generic ? address >> tag_shift : 0;
  if (space == Space::generic) {
    address &= (std::uint64_t{1} << tag_shift) - 1;
  }
  if (space == Space::local || tag == local_tag) {
    return within(warp.local.data() + lane * state_.program.kernel.local.bytes, state_.program.kernel.local.bytes, warp,
                  lane, pc, address, bytes, "local memory");
  }
  if (space == Space::parameter || tag == parameter_tag) {
    if (what == Use::write) {
      state_.stop(Fault::bounds, warp, lane, pc, "a write to a kernel's parameters");
    }
    return within(state_.parameters.data(), state_.parameters.size(), warp, lane, pc, address, bytes, "parameters");
  }
  Region* region = nullptr;
  std::size_t offset = address;
  if (space == Space::shared || tag == shared_tag) {
    if (tag == shared_tag && address >> rank_shift >= state_.blocks.size()) {
      state_.stop(Fault::cluster, warp, lane, pc, "the cluster has no block " + std::to_string(address >> rank_shift));
    }
    Block& block = tag == shared_tag ? state_.blocks[address >> rank_shift] : *warp.block;
    offset = tag == shared_tag ? static_cast<std::uint32_t>(address) : address;
    region = &block.shared;
    if (offset > region->size || bytes > region->size - offset) {
      state_.stop(Fault::bounds, warp, lane, pc, region->name + " + " + std::to_string(offset) + " is outside of it");
    }
    if (&block != warp.block) {
      note_remote_access(warp, lane, pc, block);
      warp.block->costs.bytes_sent += what == Use::write ? bytes : 0;
    } else if (state_.schedule.counts_costs) {
      used_offsets_.push_back(static_cast<std::uint32_t>(offset));
      used_lanes_.push_back(lane);
    }
  } else {
    region = state_.memory.find(address, bytes);
    if (region == nullptr) {
      state_.stop(Fault::bounds, warp, lane, pc, "an access outside of all arrays");
    }
    offset = address - reinterpret_cast<std::uintptr_t>(region->data);
    if (what == Use::write && !region->writable) {
      state_.stop(Fault::bounds, warp, lane, pc, "a write to " + region->name);
    }
  }
  if (what == Use::read) {
    region->read(offset, bytes, actor_of(warp, lane, pc), state_.outcome.findings);
  } else {
    region->write(offset, bytes, actor_of(warp, lane, pc), state_.outcome.findings);
  }
  return region->data + offset;
}

std::byte* Accesses::within(std::byte* data, std::size_t size, const Warp& warp, std::uint32_t lane, std::uint32_t pc,
                            std::uint64_t offset, std::size_t bytes, const char* name) {
  if (offset > size || bytes > size - offset) {
    state_.stop(Fault::bounds, warp, lane, pc,
                std::string(name) + " + " + std::to_string(offset) + " is outside of it");
  }
  return data + offset;
}

void Accesses::note_remote_access(const Warp& warp, std::uint32_t lane, std::uint32_t pc, Block& other) {
  if (warp.actor.cluster_synced == state_.launched) {
    state_.stop(Fault::cluster, warp, lane, pc, "another block may not have begun");
  }
  other.last_remote_access = state_.memory.time;
}

void Accesses::count_wavefronts(Block& block, std::size_t bytes) {
  if (!used_lanes_.empty()) {
    const Wavefronts count = wavefronts(used_offsets_, used_lanes_, bytes);
    block.costs.wavefronts += count.taken;
    block.costs.fewest += count.fewest;
    used_offsets_.clear();
    used_lanes_.clear();
  }
}

void Accesses::load_or_store(Warp& warp, const Instruction& instruction, std::uint32_t pc, std::uint32_t active) {
  const bool loads = instruction.kind == Kind::load;
  const std::size_t element = instruction.bytes;
  const std::size_t held = instruction.register_size;
  for_each_lane(active, [&](std::uint32_t lane) {
    std::byte* data = use(warp, lane, pc, instruction.space,
                          address_of(warp, instruction.operands[0], instruction.is_wide, instruction.offset, lane),
                          element * instruction.elements, loads ? Use::read : Use::write);
    for (std::size_t i = 0; i < instruction.elements; ++i, data += element) {
      std::byte* value = warp.registers.data() + instruction.operands[1 + i] + lane * held;
      if (!loads) {
        std::memcpy(data, value, element);
      } else if (held == element) {
        std::memcpy(value, data, element);
      } else {
        std::uint64_t bits = 0;
        std::memcpy(&bits, data, element);
        if (instruction.is_signed && (bits >> (8 * element - 1) & 1) != 0) {
          bits |= ~std::uint64_t{0} << (8 * element);
        }
        std::memcpy(value, &bits, held);
      }
    }
  });
  count_wavefronts(*warp.block, element * instruction.elements);
}

void Accesses::begin_copies(Warp& warp, const Instruction& instruction, std::uint32_t pc, std::uint32_t active) {
  for_each_lane(active, [&](std::uint32_t lane) {
    const std::byte* from = use(warp, lane, pc, Space::global,
                                address_of(warp, instruction.operands[1], true, instruction.source_offset, lane),
                                instruction.bytes, Use::read);
    std::byte* to = use(warp, lane, pc, Space::shared,
                        address_of(warp, instruction.operands[0], instruction.is_wide, instruction.offset, lane),
                        instruction.bytes, Use::write);
    Region& shared = warp.block->shared;
    const auto offset = static_cast<std::size_t>(to - shared.data);
    shared.set_pending(offset, instruction.bytes, true);
    if (state_.schedule.is_shuffled && state_.random() % 2 == 0) {
      std::memcpy(to, from, instruction.bytes);
    }
    warp.copies.push_back({lane, offset, from, instruction.bytes});
    ++state_.outcome.copies;
  });
  count_wavefronts(*warp.block, instruction.bytes);
}

void Accesses::end_copies(Warp& warp, std::uint32_t pc, std::uint32_t active) {
  Region& shared = warp.block->shared;
  std::erase_if(warp.copies, [&](const Copy& copy) {
    if ((active >> copy.lane & 1) == 0) {
      return false;
    }
    shared.set_pending(copy.to, copy.bytes, false);
    use(warp, copy.lane, pc, Space::global, reinterpret_cast<std::uintptr_t>(copy.from), copy.bytes, Use::read);
    shared.write(copy.to, copy.bytes, actor_of(warp, copy.lane, pc), state_.outcome.findings);
    std::memcpy(shared.data + copy.to, copy.from, copy.bytes);
    return true;
  });
}

void Accesses::find_block(Warp& warp, const Instruction& instruction, std::uint32_t pc, std::uint32_t active) {
  for_each_lane(active, [&](std::uint32_t lane) {
    const std::uint64_t address = values_at<std::uint64_t>(warp, instruction.operands[1])[lane];
    const std::uint64_t rank = values_at<std::uint32_t>(warp, instruction.operands[2])[lane];
    if (address >> tag_shift != shared_tag) {
      state_.stop(Fault::cluster, warp, lane, pc, "mapa of what is not in shared memory");
    }
    if (rank >= state_.blocks.size()) {
      state_.stop(Fault::cluster, warp, lane, pc, "the cluster has no block " + std::to_string(rank));
    }
    values_at<std::uint64_t>(warp, instruction.operands[0])[lane] =
        shared_tag << tag_shift | rank << rank_shift | static_cast<std::uint32_t>(address);
  });
}

}  // namespace retort::test::ptx

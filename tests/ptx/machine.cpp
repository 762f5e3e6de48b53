// SPDX-License-Identifier: MIT
#include "ptx/machine.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "ptx/accesses.hpp"
#include "ptx/launch_state.hpp"

namespace retort::test::ptx {

namespace {

class Machine {
 public:
  Machine(const Program& program, const LaunchShape& shape, const void* parameters, GlobalMemory& memory,
          const Schedule& schedule)
      : state_(program, shape, parameters, memory, schedule) {}

  Outcome run() {
    try {
      for (std::uint32_t first = 0; first < state_.shape.blocks; first += state_.shape.cluster) {
        run_cluster(first);
      }
    } catch (const Stop&) {
    }
    return std::move(state_.outcome);
  }

 private:
  // --- Blocks ---

  Block make_block(std::uint32_t index) {
    const std::size_t size = state_.program.kernel.shared.bytes + state_.shape.dynamic_shared;
    std::vector<std::byte> bytes(size, std::byte{0xFF});  // NaN
    Block block{.index = index,
                .rank = index % state_.shape.cluster,
                .shared = Region("shared memory of block " + std::to_string(index), bytes.data(), size, 4, true, false),
                .memory = std::move(bytes)};
    const SpecialRegisters& special = state_.program.special;
    for (std::uint32_t first = 0; first < state_.shape.threads; first += 32) {
      Warp& warp = block.warps.emplace_back();
      const std::uint32_t count = std::min(32u, state_.shape.threads - first);
      warp.all = all_lanes >> (32 - count);
      warp.actor = {.thread = index * thread_stride + first,
                    .cluster_blocks = state_.shape.cluster,
                    .launched = state_.launched,
                    .warp_synced = state_.launched,
                    .block_synced = state_.launched,
                    .cluster_synced = state_.launched};
      warp.registers = state_.program.registers;
      warp.local.resize(32 * state_.program.kernel.local.bytes);
      for (std::uint32_t lane = 0; lane < 32; ++lane) {
        values_at<std::uint32_t>(warp, special.thread)[lane] = first + lane;
        values_at<std::uint32_t>(warp, special.threads)[lane] = state_.shape.threads;
        values_at<std::uint32_t>(warp, special.block)[lane] = index;
        values_at<std::uint32_t>(warp, special.blocks)[lane] = state_.shape.blocks;
        values_at<std::uint32_t>(warp, special.lane)[lane] = lane;
        values_at<std::uint32_t>(warp, special.rank)[lane] = block.rank;
        values_at<std::uint64_t>(warp, special.shared_window)[lane] =
            shared_tag << tag_shift | std::uint64_t{block.rank} << rank_shift;
      }
      continue_at(warp, 0);
    }
    return block;
  }

  std::vector<std::size_t> order_of(std::size_t count) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (state_.schedule.is_shuffled) {
      std::shuffle(order.begin(), order.end(), state_.random);
    }
    return order;
  }

  void run_cluster(std::uint32_t first) {
    state_.blocks.clear();
    state_.blocks.reserve(state_.shape.cluster);
    for (std::uint32_t rank = 0; rank < state_.shape.cluster; ++rank) {
      Block& block = state_.blocks.emplace_back(make_block(first + rank));
      for (Warp& warp : block.warps) {
        warp.block = &block;
      }
    }
    for (;;) {
      for (const std::size_t i : order_of(state_.blocks.size())) {
        run_block(state_.blocks[i]);
      }
      const auto all = [&](State state) {
        return std::ranges::all_of(state_.blocks, [&](const Block& block) { return block.is(state); });
      };
      if (all(State::done)) {
        break;
      }
      if (!all(State::at_cluster_barrier)) {
        state_.stop(Fault::deadlock, "some threads of a cluster wait at its barrier, and others have ended");
      }
      release_cluster();
    }
    for (const Block& block : state_.blocks) {
      if (block.last_remote_access >= block.warps[0].actor.cluster_synced) {
        state_.outcome.findings.add(Fault::cluster, state_.program.kernel.name + ": block " +
                                                        std::to_string(block.index) +
                                                        " may have ended when another one accesses its memory");
      }
    }
  }

  void release_cluster() {
    ++state_.outcome.cluster_barriers;
    ++state_.memory.time;
    for (Block& block : state_.blocks) {
      end_interval(block, true);
      for (Warp& warp : block.warps) {
        if (!is_relaxed_) {
          warp.actor.cluster_synced = warp.actor.block_synced = warp.actor.warp_synced = state_.memory.time;
        }
        warp.arrived = 0;
        release(warp);
      }
    }
    is_relaxed_ = false;
  }

  /// Until all warps wait for the cluster or have ended.
  void run_block(Block& block) {
    for (;;) {
      for (const std::size_t i : order_of(block.warps.size())) {
        run_warp(block.warps[i]);
      }
      if (!block.has(State::at_barrier)) {
        return;
      }
      if (!block.is(State::at_barrier)) {
        state_.stop(Fault::deadlock, "some warps of block " + std::to_string(block.index) +
                                         " wait at its barrier, and others have ended or wait for the cluster");
      }
      ++state_.outcome.barriers;
      ++state_.memory.time;
      end_interval(block, false);
      for (Warp& warp : block.warps) {
        warp.actor.block_synced = warp.actor.warp_synced = state_.memory.time;
        release(warp);
      }
    }
  }

  // --- Warps ---

  void continue_at(Warp& warp, std::uint32_t pc) {
    const std::uint32_t half = state_.schedule.is_shuffled ? static_cast<std::uint32_t>(state_.random()) : all_lanes;
    for (const std::uint32_t mask : {warp.all & half, warp.all & ~half}) {
      if (mask != 0) {
        warp.groups.push_back({pc, mask});
      }
    }
  }

  void end_interval(Block& block, bool ends_for_cluster) {
    if (!std::exchange(block.has_begun, true)) {
      for (std::size_t i = state_.schedule.forgets_from / 4; i < block.shared.cells.size(); ++i) {
        block.shared.cells[i].written = false;
      }
    }
    if (state_.schedule.counts_costs && block.index == 0) {
      for (const Warp& warp : block.warps) {
        block.costs.busiest = std::max(block.costs.busiest, warp.instructions);
        block.costs.instructions += warp.instructions;
      }
      block.costs.ends_for_cluster = ends_for_cluster;
      state_.outcome.intervals.push_back(std::exchange(block.costs, {}));
    }
  }

  void release(Warp& warp) {
    warp.instructions = 0;
    warp.state = State::runs;
    const std::uint32_t pc = warp.groups.at(0).pc;
    warp.groups.clear();
    continue_at(warp, pc);
  }

  /// Until it has to wait for other warps or has ended.
  void run_warp(Warp& warp) {
    while (warp.state == State::runs) {
      const auto chosen = choose(warp);
      Lanes lanes = *chosen;
      warp.groups.erase(chosen);
      std::uint32_t end = ~0u;  // where others are that may go on with these
      for (const Lanes& other : warp.groups) {
        if (!other.waits && !state_.schedule.is_shuffled) {
          end = std::min(end, other.pc);
        }
      }
      while (lanes.pc < end && step(warp, lanes)) {
      }
      if (lanes.mask != 0) {
        add(warp, lanes);
      }
      if (warp.groups.empty() && warp.state == State::runs) {
        warp.state = State::done;
      }
    }
  }

  std::vector<Lanes>::iterator choose(Warp& warp) {
    const auto waiting =
        std::partition(warp.groups.begin(), warp.groups.end(), [](const Lanes& l) { return !l.waits; });
    if (waiting == warp.groups.begin()) {
      const Lanes& lanes = warp.groups.front();
      state_.stop(Fault::divergence, warp, static_cast<std::uint32_t>(std::countr_zero(lanes.mask)), lanes.pc,
                  "an instruction of all lanes, and only some of them are there");
    }
    if (state_.schedule.is_shuffled) {
      return warp.groups.begin() +
             static_cast<std::ptrdiff_t>(state_.random() % static_cast<std::size_t>(waiting - warp.groups.begin()));
    }
    return std::min_element(warp.groups.begin(), waiting, [](const Lanes& a, const Lanes& b) { return a.pc < b.pc; });
  }

  void add(Warp& warp, const Lanes& lanes) {
    for (Lanes& other : warp.groups) {
      if (other.pc == lanes.pc && other.waits == lanes.waits && (lanes.waits || !state_.schedule.is_shuffled)) {
        other.mask |= lanes.mask;
        other.waits = other.waits && other.mask != warp.all;
        return;
      }
    }
    warp.groups.push_back(lanes);
  }

  /// One instruction. Returns whether the same lanes go on; those that do not are in warp.groups, or have ended.
  bool step(Warp& warp, Lanes& lanes) {
    const Instruction& instruction = state_.program.instructions[lanes.pc];
    const std::uint64_t counted = instruction.is_counted ? 1 : 0;
    state_.outcome.instructions += counted;
    warp.instructions += counted;
    if (state_.outcome.instructions > state_.schedule.most_instructions) {
      state_.stop(Fault::deadlock, warp, 0, lanes.pc, "more instructions than a launch may take");
    }
    std::uint32_t active = lanes.mask;
    if (instruction.guarded) {
      const std::uint32_t guard = *values_at<std::uint32_t>(warp, instruction.guard);
      active &= instruction.guard_negated ? ~guard : guard;
    }
    if (instruction.kind == Kind::compute) {
      if (active != 0) {
        instruction.compute(warp.registers.data(), instruction.operands.data(), active);
      }
      ++lanes.pc;
      return true;
    }
    if (active == 0) {
      ++lanes.pc;
      return true;
    }
    if (instruction.kind == Kind::branch) {
      if (active != lanes.mask) {
        add(warp, {lanes.pc + 1, lanes.mask & ~active});
        add(warp, {instruction.target, active});
        lanes.mask = 0;
        return false;
      }
      lanes.pc = instruction.target;
      return true;
    }
    if (instruction.kind == Kind::exit) {
      for (const Copy& copy : warp.copies) {
        if ((active >> copy.lane & 1) != 0) {
          state_.stop(Fault::early_touch, warp, copy.lane, lanes.pc, "ends before cp.async has delivered");
        }
      }
      lanes.mask &= ~active;
      ++lanes.pc;
      return lanes.mask != 0;
    }
    if (is_collective(instruction.kind)) {
      if (active != lanes.mask) {
        add(warp, {lanes.pc + 1, lanes.mask & ~active});
        lanes.mask = active;
      }
      if (active != warp.all) {
        lanes.waits = true;
        return false;
      }
      lanes.waits = false;
      return together(warp, instruction, lanes);
    }
    switch (instruction.kind) {
      case Kind::load:
      case Kind::store:
        accesses_.load_or_store(warp, instruction, lanes.pc, active);
        break;
      case Kind::copy_async:
        accesses_.begin_copies(warp, instruction, lanes.pc, active);
        break;
      case Kind::await_copies:
        accesses_.end_copies(warp, lanes.pc, active);
        break;
      case Kind::block_address:
        accesses_.find_block(warp, instruction, lanes.pc, active);
        break;
      default:
        state_.stop(Fault::trap, warp, static_cast<std::uint32_t>(std::countr_zero(active)), lanes.pc, "trap");
    }
    ++lanes.pc;
    return true;
  }

  /// An instruction of all lanes, which are there.
  bool together(Warp& warp, const Instruction& instruction, Lanes& lanes) {
    const std::uint32_t pc = lanes.pc++;
    switch (instruction.kind) {
      case Kind::shuffle:
        expect_all(warp, instruction, pc);
        shuffle(warp, instruction);
        return true;
      case Kind::multiply_add:
        ++state_.outcome.products;
        ++warp.block->costs.products;
        multiply_add_matrices(warp.registers.data(), instruction.operands.data(), state_.schedule.rounding);
        return true;
      case Kind::warp_barrier:
        expect_all(warp, instruction, pc);
        warp.actor.warp_synced = ++state_.memory.time;
        if (!state_.schedule.is_shuffled) {
          return true;
        }
        continue_at(warp, lanes.pc);
        lanes.mask = 0;
        return false;
      case Kind::block_barrier:
        warp.state = State::at_barrier;
        return false;
      case Kind::cluster_arrive:
        is_relaxed_ = is_relaxed_ || instruction.is_relaxed;
        warp.arrived = lanes.mask;
        return true;
      default:
        if (warp.arrived != warp.all) {
          state_.stop(Fault::deadlock, warp, 0, pc, "waits at the cluster's barrier without having arrived");
        }
        warp.state = State::at_cluster_barrier;
        return false;
    }
  }

  void expect_all(Warp& warp, const Instruction& instruction, std::uint32_t pc) {
    for_each_lane(warp.all, [&](std::uint32_t lane) {
      if (values_at<std::uint32_t>(warp, instruction.operands[0])[lane] != warp.all) {
        state_.stop(Fault::divergence, warp, lane, pc, "names other lanes than all, which is not known");
      }
    });
  }

  static void shuffle(Warp& warp, const Instruction& instruction) {
    const auto& operands = instruction.operands;
    std::uint32_t before[32];
    std::copy_n(values_at<std::uint32_t>(warp, operands[3]), 32, before);
    std::uint32_t results[32];
    std::uint32_t valid = 0;
    for (std::uint32_t lane = 0; lane < 32; ++lane) {
      const std::uint32_t b = values_at<std::uint32_t>(warp, operands[4])[lane] & 31;
      const std::uint32_t c = values_at<std::uint32_t>(warp, operands[5])[lane];
      const std::uint32_t segment = c >> 8 & 31;
      const std::uint32_t first = lane & segment;
      const std::uint32_t last = first | (c & 31 & ~segment);
      std::uint32_t from = lane ^ b;
      bool is_valid = from <= last;
      if (instruction.shuffle == Shuffle::up) {
        from = lane - b;
        is_valid = static_cast<std::int32_t>(from) >= static_cast<std::int32_t>(last);
      } else if (instruction.shuffle == Shuffle::down) {
        from = lane + b;
        is_valid = from <= last;
      } else if (instruction.shuffle == Shuffle::index) {
        from = first | (b & ~segment);
        is_valid = from <= last;
      }
      results[lane] = before[is_valid ? from : lane];
      valid |= std::uint32_t{is_valid} << lane;
    }
    std::copy_n(results, 32, values_at<std::uint32_t>(warp, operands[1]));
    *values_at<std::uint32_t>(warp, operands[2]) = valid;
  }

  LaunchState state_;
  Accesses accesses_{state_};
  bool is_relaxed_ = false;  // the barrier at which a cluster's blocks arrive
};

}  // namespace

Outcome launch(const Program& program, const LaunchShape& shape, const void* parameters, GlobalMemory& memory,
               const Schedule& schedule) {
  return Machine(program, shape, parameters, memory, schedule).run();
}

}  // namespace retort::test::ptx

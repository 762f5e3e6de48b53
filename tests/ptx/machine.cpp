// SPDX-License-Identifier: MIT
#include "ptx/machine.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace retort::test::ptx {

namespace {

/// Ends a launch whose finding is already written down.
struct Stop {};

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

class Machine {
 public:
  Machine(const Program& program, const LaunchShape& shape, const void* parameters, GlobalMemory& memory,
          const Schedule& schedule)
      : program_(program),
        shape_(shape),
        memory_(memory),
        schedule_(schedule),
        random_(schedule.seed),
        parameters_(program.kernel.parameters.bytes) {
    std::memcpy(parameters_.data(), parameters, parameters_.size());
    launched_ = ++memory_.time;
  }

  Outcome run() {
    try {
      for (std::uint32_t first = 0; first < shape_.blocks; first += shape_.cluster) {
        run_cluster(first);
      }
    } catch (const Stop&) {
    }
    return std::move(outcome_);
  }

 private:
  // --- Findings ---

  std::string text_at(std::uint32_t pc) const {
    const std::vector<Statement>& statements = program_.kernel.statements;
    const std::uint32_t statement = program_.instructions[pc].statement;
    return "instruction " + std::to_string(pc) + " (" +
           (statement < statements.size()
                ? "line " + std::to_string(statements[statement].line) + ", " + statements[statement].text()
                : "the end") +
           ")";
  }

  [[noreturn]] void stop(Fault fault, const std::string& what) {
    outcome_.findings.add(fault, program_.kernel.name + ": " + what);
    throw Stop{};
  }
  [[noreturn]] void stop(Fault fault, const Warp& warp, std::uint32_t lane, std::uint32_t pc, const std::string& what) {
    stop(fault, what + ": thread " + std::to_string(warp.actor.thread % thread_stride + lane) + " of block " +
                    std::to_string(warp.block->index) + " at " + text_at(pc));
  }

  // --- Blocks ---

  Block make_block(std::uint32_t index) {
    const std::size_t size = program_.kernel.shared.bytes + shape_.dynamic_shared;
    std::vector<std::byte> bytes(size, std::byte{0xFF});  // NaN
    Block block{.index = index,
                .rank = index % shape_.cluster,
                .shared = Region("shared memory of block " + std::to_string(index), bytes.data(), size, 4, true, false),
                .memory = std::move(bytes)};
    const SpecialRegisters& special = program_.special;
    for (std::uint32_t first = 0; first < shape_.threads; first += 32) {
      Warp& warp = block.warps.emplace_back();
      const std::uint32_t count = std::min(32u, shape_.threads - first);
      warp.all = all_lanes >> (32 - count);
      warp.actor = {.thread = index * thread_stride + first,
                    .cluster_blocks = shape_.cluster,
                    .launched = launched_,
                    .warp_synced = launched_,
                    .block_synced = launched_,
                    .cluster_synced = launched_};
      warp.registers = program_.registers;
      warp.local.resize(32 * program_.kernel.local.bytes);
      for (std::uint32_t lane = 0; lane < 32; ++lane) {
        values_at<std::uint32_t>(warp, special.thread)[lane] = first + lane;
        values_at<std::uint32_t>(warp, special.threads)[lane] = shape_.threads;
        values_at<std::uint32_t>(warp, special.block)[lane] = index;
        values_at<std::uint32_t>(warp, special.blocks)[lane] = shape_.blocks;
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
    if (schedule_.is_shuffled) {
      std::shuffle(order.begin(), order.end(), random_);
    }
    return order;
  }

  void run_cluster(std::uint32_t first) {
    blocks_.clear();
    blocks_.reserve(shape_.cluster);
    for (std::uint32_t rank = 0; rank < shape_.cluster; ++rank) {
      Block& block = blocks_.emplace_back(make_block(first + rank));
      for (Warp& warp : block.warps) {
        warp.block = &block;
      }
    }
    for (;;) {
      for (const std::size_t i : order_of(blocks_.size())) {
        run_block(blocks_[i]);
      }
      const auto all = [&](State state) {
        return std::ranges::all_of(blocks_, [&](const Block& block) { return block.is(state); });
      };
      if (all(State::done)) {
        break;
      }
      if (!all(State::at_cluster_barrier)) {
        stop(Fault::deadlock, "some threads of a cluster wait at its barrier, and others have ended");
      }
      release_cluster();
    }
    for (const Block& block : blocks_) {
      if (block.last_remote_access >= block.warps[0].actor.cluster_synced) {
        outcome_.findings.add(Fault::cluster, program_.kernel.name + ": block " + std::to_string(block.index) +
                                                  " may have ended when another one accesses its memory");
      }
    }
  }

  void release_cluster() {
    ++outcome_.cluster_barriers;
    ++memory_.time;
    for (Block& block : blocks_) {
      end_interval(block, true);
      for (Warp& warp : block.warps) {
        if (!is_relaxed_) {
          warp.actor.cluster_synced = warp.actor.block_synced = warp.actor.warp_synced = memory_.time;
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
        stop(Fault::deadlock, "some warps of block " + std::to_string(block.index) +
                                  " wait at its barrier, and others have ended or wait for the cluster");
      }
      ++outcome_.barriers;
      ++memory_.time;
      end_interval(block, false);
      for (Warp& warp : block.warps) {
        warp.actor.block_synced = warp.actor.warp_synced = memory_.time;
        release(warp);
      }
    }
  }

  // --- Warps ---

  void continue_at(Warp& warp, std::uint32_t pc) {
    const std::uint32_t half = schedule_.is_shuffled ? static_cast<std::uint32_t>(random_()) : all_lanes;
    for (const std::uint32_t mask : {warp.all & half, warp.all & ~half}) {
      if (mask != 0) {
        warp.groups.push_back({pc, mask});
      }
    }
  }

  void end_interval(Block& block, bool ends_for_cluster) {
    if (!std::exchange(block.has_begun, true)) {
      for (std::size_t i = schedule_.forgets_from / 4; i < block.shared.cells.size(); ++i) {
        block.shared.cells[i].written = false;
      }
    }
    if (schedule_.counts_costs && block.index == 0) {
      for (const Warp& warp : block.warps) {
        block.costs.busiest = std::max(block.costs.busiest, warp.instructions);
        block.costs.instructions += warp.instructions;
      }
      block.costs.ends_for_cluster = ends_for_cluster;
      outcome_.intervals.push_back(std::exchange(block.costs, {}));
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
        if (!other.waits && !schedule_.is_shuffled) {
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
      stop(Fault::divergence, warp, static_cast<std::uint32_t>(std::countr_zero(lanes.mask)), lanes.pc,
           "an instruction of all lanes, and only some of them are there");
    }
    if (schedule_.is_shuffled) {
      return warp.groups.begin() +
             static_cast<std::ptrdiff_t>(random_() % static_cast<std::size_t>(waiting - warp.groups.begin()));
    }
    return std::min_element(warp.groups.begin(), waiting, [](const Lanes& a, const Lanes& b) { return a.pc < b.pc; });
  }

  void add(Warp& warp, const Lanes& lanes) {
    for (Lanes& other : warp.groups) {
      if (other.pc == lanes.pc && other.waits == lanes.waits && (lanes.waits || !schedule_.is_shuffled)) {
        other.mask |= lanes.mask;
        other.waits = other.waits && other.mask != warp.all;
        return;
      }
    }
    warp.groups.push_back(lanes);
  }

  /// One instruction. Returns whether the same lanes go on; those that do not are in warp.groups, or have ended.
  bool step(Warp& warp, Lanes& lanes) {
    const Instruction& instruction = program_.instructions[lanes.pc];
    const std::uint64_t counted = instruction.is_counted ? 1 : 0;
    outcome_.instructions += counted;
    warp.instructions += counted;
    if (outcome_.instructions > schedule_.most_instructions) {
      stop(Fault::deadlock, warp, 0, lanes.pc, "more instructions than a launch may take");
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
          stop(Fault::early_touch, warp, copy.lane, lanes.pc, "ends before cp.async has delivered");
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
        access(warp, instruction, lanes.pc, active);
        break;
      case Kind::copy_async:
        begin_copies(warp, instruction, lanes.pc, active);
        break;
      case Kind::await_copies:
        end_copies(warp, lanes.pc, active);
        break;
      case Kind::block_address:
        find_block(warp, instruction, lanes.pc, active);
        break;
      default:
        stop(Fault::trap, warp, static_cast<std::uint32_t>(std::countr_zero(active)), lanes.pc, "trap");
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
        ++outcome_.products;
        ++warp.block->costs.products;
        multiply_add_matrices(warp.registers.data(), instruction.operands.data());
        return true;
      case Kind::warp_barrier:
        expect_all(warp, instruction, pc);
        warp.actor.warp_synced = ++memory_.time;
        if (!schedule_.is_shuffled) {
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
          stop(Fault::deadlock, warp, 0, pc, "waits at the cluster's barrier without having arrived");
        }
        warp.state = State::at_cluster_barrier;
        return false;
    }
  }

  void expect_all(Warp& warp, const Instruction& instruction, std::uint32_t pc) {
    for_each_lane(warp.all, [&](std::uint32_t lane) {
      if (values_at<std::uint32_t>(warp, instruction.operands[0])[lane] != warp.all) {
        stop(Fault::divergence, warp, lane, pc, "names other lanes than all, which is not known");
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

  // --- Memory ---

  static std::uint64_t address_of(Warp& warp, std::uint32_t place, bool is_wide, std::int64_t offset,
                                  std::uint32_t lane) {
    if (is_wide) {
      return values_at<std::uint64_t>(warp, place)[lane] + static_cast<std::uint64_t>(offset);
    }
    return values_at<std::uint32_t>(warp, place)[lane] + static_cast<std::uint32_t>(offset);
  }

  Actor actor_of(const Warp& warp, std::uint32_t lane, std::uint32_t pc) const {
    Actor actor = warp.actor;
    actor.thread += lane;
    actor.place = pc;
    actor.now = memory_.time;
    return actor;
  }

  enum class Use { read, write };

  /// Where the bytes are, which are recorded as used.
  std::byte* use(Warp& warp, std::uint32_t lane, std::uint32_t pc, Space space, std::uint64_t address,
                 std::size_t bytes, Use what) {
    if ((address & (bytes - 1)) != 0) {
      stop(Fault::misaligned, warp, lane, pc, "misaligned address " + std::to_string(address));
    }
    const auto tag = space == Space::generic ? address >> tag_shift : 0;
    if (space == Space::generic) {
      address &= (std::uint64_t{1} << tag_shift) - 1;
    }
    if (space == Space::local || tag == local_tag) {
      return within(warp.local.data() + lane * program_.kernel.local.bytes, program_.kernel.local.bytes, warp, lane, pc,
                    address, bytes, "local memory");
    }
    if (space == Space::parameter || tag == parameter_tag) {
      if (what == Use::write) {
        stop(Fault::bounds, warp, lane, pc, "a write to a kernel's parameters");
      }
      return within(parameters_.data(), parameters_.size(), warp, lane, pc, address, bytes, "parameters");
    }
    Region* region = nullptr;
    std::size_t offset = address;
    if (space == Space::shared || tag == shared_tag) {
      if (tag == shared_tag && address >> rank_shift >= blocks_.size()) {
        stop(Fault::cluster, warp, lane, pc, "the cluster has no block " + std::to_string(address >> rank_shift));
      }
      Block& block = tag == shared_tag ? blocks_[address >> rank_shift] : *warp.block;
      offset = tag == shared_tag ? static_cast<std::uint32_t>(address) : address;
      region = &block.shared;
      if (offset > region->size || bytes > region->size - offset) {
        stop(Fault::bounds, warp, lane, pc, region->name + " + " + std::to_string(offset) + " is outside of it");
      }
      if (&block != warp.block) {
        note_remote_access(warp, lane, pc, block);
        warp.block->costs.bytes_sent += what == Use::write ? bytes : 0;
      } else if (schedule_.counts_costs) {
        used_offsets_.push_back(static_cast<std::uint32_t>(offset));
        used_lanes_.push_back(lane);
      }
    } else {
      region = memory_.find(address, bytes);
      if (region == nullptr) {
        stop(Fault::bounds, warp, lane, pc, "an access outside of all arrays");
      }
      offset = address - reinterpret_cast<std::uintptr_t>(region->data);
      if (what == Use::write && !region->writable) {
        stop(Fault::bounds, warp, lane, pc, "a write to " + region->name);
      }
    }
    if (what == Use::read) {
      region->read(offset, bytes, actor_of(warp, lane, pc), outcome_.findings);
    } else {
      region->write(offset, bytes, actor_of(warp, lane, pc), outcome_.findings);
    }
    return region->data + offset;
  }

  std::byte* within(std::byte* data, std::size_t size, const Warp& warp, std::uint32_t lane, std::uint32_t pc,
                    std::uint64_t offset, std::size_t bytes, const char* name) {
    if (offset > size || bytes > size - offset) {
      stop(Fault::bounds, warp, lane, pc, std::string(name) + " + " + std::to_string(offset) + " is outside of it");
    }
    return data + offset;
  }

  void note_remote_access(const Warp& warp, std::uint32_t lane, std::uint32_t pc, Block& other) {
    if (warp.actor.cluster_synced == launched_) {
      stop(Fault::cluster, warp, lane, pc, "another block may not have begun");
    }
    other.last_remote_access = memory_.time;
  }

  /// Counts what use() was called for since the last call.
  void count_wavefronts(Block& block, std::size_t bytes) {
    if (!used_lanes_.empty()) {
      const Wavefronts count = wavefronts(used_offsets_, used_lanes_, bytes);
      block.costs.wavefronts += count.taken;
      block.costs.fewest += count.fewest;
      used_offsets_.clear();
      used_lanes_.clear();
    }
  }

  void access(Warp& warp, const Instruction& instruction, std::uint32_t pc, std::uint32_t active) {
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

  void begin_copies(Warp& warp, const Instruction& instruction, std::uint32_t pc, std::uint32_t active) {
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
      if (schedule_.is_shuffled && random_() % 2 == 0) {
        std::memcpy(to, from, instruction.bytes);
      }
      warp.copies.push_back({lane, offset, from, instruction.bytes});
      ++outcome_.copies;
    });
    count_wavefronts(*warp.block, instruction.bytes);
  }

  void end_copies(Warp& warp, std::uint32_t pc, std::uint32_t active) {
    Region& shared = warp.block->shared;
    std::erase_if(warp.copies, [&](const Copy& copy) {
      if ((active >> copy.lane & 1) == 0) {
        return false;
      }
      shared.set_pending(copy.to, copy.bytes, false);
      use(warp, copy.lane, pc, Space::global, reinterpret_cast<std::uintptr_t>(copy.from), copy.bytes, Use::read);
      shared.write(copy.to, copy.bytes, actor_of(warp, copy.lane, pc), outcome_.findings);
      std::memcpy(shared.data + copy.to, copy.from, copy.bytes);
      return true;
    });
  }

  void find_block(Warp& warp, const Instruction& instruction, std::uint32_t pc, std::uint32_t active) {
    for_each_lane(active, [&](std::uint32_t lane) {
      const std::uint64_t address = values_at<std::uint64_t>(warp, instruction.operands[1])[lane];
      const std::uint64_t rank = values_at<std::uint32_t>(warp, instruction.operands[2])[lane];
      if (address >> tag_shift != shared_tag) {
        stop(Fault::cluster, warp, lane, pc, "mapa of what is not in shared memory");
      }
      if (rank >= blocks_.size()) {
        stop(Fault::cluster, warp, lane, pc, "the cluster has no block " + std::to_string(rank));
      }
      values_at<std::uint64_t>(warp, instruction.operands[0])[lane] =
          shared_tag << tag_shift | rank << rank_shift | static_cast<std::uint32_t>(address);
    });
  }

  const Program& program_;
  const LaunchShape& shape_;
  GlobalMemory& memory_;
  const Schedule& schedule_;
  std::minstd_rand random_;
  std::vector<std::byte> parameters_;
  std::vector<Block> blocks_;  // of the cluster that runs
  std::uint32_t launched_ = 0;
  std::vector<std::uint32_t> used_offsets_;  // of the block's shared memory, by one instruction
  std::vector<std::uint32_t> used_lanes_;
  bool is_relaxed_ = false;  // the barrier at which a cluster's blocks arrive
  Outcome outcome_;
};

}  // namespace

Outcome launch(const Program& program, const LaunchShape& shape, const void* parameters, GlobalMemory& memory,
               const Schedule& schedule) {
  return Machine(program, shape, parameters, memory, schedule).run();
}

}  // namespace retort::test::ptx

// SPDX-License-Identifier: MIT
#include "ptx/memory.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace retort::test::ptx {

namespace {

constexpr std::size_t told_findings = 20;

std::string name_of(std::uint32_t thread) {
  return "thread " + std::to_string(thread % thread_stride) + " of block " + std::to_string(thread / thread_stride);
}

Group common_group(std::uint32_t a, std::uint32_t b, std::uint32_t cluster_blocks) {
  if (a == b) {
    return Group::thread;
  }
  if (a / 32 == b / 32) {
    return Group::warp;
  }
  const std::uint32_t block = a / thread_stride;
  const std::uint32_t other = b / thread_stride;
  return block == other                                     ? Group::block
         : block / cluster_blocks == other / cluster_blocks ? Group::cluster
                                                            : Group::grid;
}

/// Whether what a group with `actor` in it did at `time` is behind a barrier of it.
bool is_ordered(Group group, std::uint32_t time, const Actor& actor) {
  if (time < actor.launched) {
    return true;
  }
  switch (group) {
    case Group::none:
    case Group::thread:
      return true;
    case Group::warp:
      return time < actor.warp_synced;
    case Group::block:
      return time < actor.block_synced;
    case Group::cluster:
      return time < actor.cluster_synced;
    case Group::grid:
      break;
  }
  return false;
}

}  // namespace

void Findings::add(Fault fault, const std::string& text) {
  if (!is_full()) {
    text_ += text + "\n";
  }
  ++counts_[fault];
}

void Findings::add(const Findings& others) {
  if (!is_full()) {
    text_ += others.text_;
  }
  for (const auto& [fault, count] : others.counts_) {
    counts_[fault] += count;
  }
}

bool Findings::is_full() const { return count() >= told_findings; }

std::size_t Findings::count() const {
  std::size_t sum = 0;
  for (const auto& [fault, count] : counts_) {
    sum += count;
  }
  return sum;
}

Region::Region(std::string its_name, std::byte* its_data, std::size_t its_size, std::size_t its_cell_size,
               bool is_writable, bool written)
    : name(std::move(its_name)),
      data(its_data),
      size(its_size),
      cell_size(its_cell_size),
      writable(is_writable),
      cells((its_size + its_cell_size - 1) / its_cell_size, Cell{.written = written}) {}

void Region::report(Fault fault, const char* what, std::size_t cell, const Actor& actor, std::uint32_t thread,
                    std::uint32_t place, Findings& findings) const {
  if (findings.is_full()) {
    findings.add(fault, {});
    return;
  }
  std::string text = std::string(what) + ": " + name + " + " + std::to_string(cell * cell_size) + ", " +
                     name_of(actor.thread) + " at instruction " + std::to_string(actor.place);
  if (fault != Fault::uninitialized) {
    text += "; before: " + name_of(thread) + " at instruction " + std::to_string(place);
  }
  findings.add(fault, text);
}

void Region::read(std::size_t offset, std::size_t bytes, const Actor& actor, Findings& findings) {
  for (std::size_t i = offset / cell_size; i <= (offset + bytes - 1) / cell_size; ++i) {
    Cell& cell = cells[i];
    if (cell.pending) {
      report(Fault::early_touch, "read before cp.async has delivered", i, actor, cell.writer, cell.write_place,
             findings);
      continue;
    }
    if (!cell.written) {
      report(Fault::uninitialized, "read of what nobody wrote", i, actor, 0, 0, findings);
    }
    if (!is_ordered(common_group(cell.writer, actor.thread, actor.cluster_blocks), cell.write_time, actor)) {
      report(Fault::race, "read after write", i, actor, cell.writer, cell.write_place, findings);
    }
    const Group group = std::max(cell.readers, common_group(cell.reader, actor.thread, actor.cluster_blocks));
    cell.readers = cell.readers == Group::none || is_ordered(group, cell.read_time, actor) ? Group::thread : group;
    cell.reader = actor.thread;
    cell.read_time = actor.now;
    cell.read_place = actor.place;
  }
}

void Region::write(std::size_t offset, std::size_t bytes, const Actor& actor, Findings& findings) {
  for (std::size_t i = offset / cell_size; i <= (offset + bytes - 1) / cell_size; ++i) {
    Cell& cell = cells[i];
    if (cell.pending) {
      report(Fault::early_touch, "write before cp.async has delivered", i, actor, cell.writer, cell.write_place,
             findings);
      continue;
    }
    if (!is_ordered(common_group(cell.writer, actor.thread, actor.cluster_blocks), cell.write_time, actor)) {
      report(Fault::race, "write after write", i, actor, cell.writer, cell.write_place, findings);
    }
    if (cell.readers != Group::none &&
        !is_ordered(std::max(cell.readers, common_group(cell.reader, actor.thread, actor.cluster_blocks)),
                    cell.read_time, actor)) {
      report(Fault::race, "write after read", i, actor, cell.reader, cell.read_place, findings);
    }
    cell.writer = actor.thread;
    cell.write_time = actor.now;
    cell.write_place = actor.place;
    cell.readers = Group::none;
    cell.written = true;
  }
}

void Region::set_pending(std::size_t offset, std::size_t bytes, bool pending) {
  for (std::size_t i = offset / cell_size; i <= (offset + bytes - 1) / cell_size; ++i) {
    cells[i].pending = pending;
  }
}

std::size_t Region::unwritten() const {
  return static_cast<std::size_t>(std::ranges::count(cells, false, &Cell::written)) * cell_size;
}

void GlobalMemory::add(std::string name, std::byte* data, std::size_t size, std::size_t cell_size, Contents contents) {
  if (size == 0) {
    return;
  }
  last_ = nullptr;
  const auto end = reinterpret_cast<std::uintptr_t>(data) + size;
  regions_.insert_or_assign(end, Region(std::move(name), data, size, cell_size, contents != Contents::constant,
                                        contents != Contents::uninitialized));
}

void GlobalMemory::remove(const std::byte* data, std::size_t size) {
  if (size > 0) {
    last_ = nullptr;
    regions_.erase(reinterpret_cast<std::uintptr_t>(data) + size);
  }
}

void GlobalMemory::mark_written(const std::byte* data, std::size_t size) {
  Region* region = find(reinterpret_cast<std::uintptr_t>(data), size);
  if (region != nullptr) {
    const auto first = static_cast<std::size_t>(data - region->data) / region->cell_size;
    const std::size_t count = (size + region->cell_size - 1) / region->cell_size;
    std::fill_n(region->cells.begin() + static_cast<std::ptrdiff_t>(first), count, Cell{.written = true});
  }
}

Region* GlobalMemory::find(std::uint64_t address, std::size_t bytes) {
  const auto has = [&](const Region& region) {
    const auto first = reinterpret_cast<std::uintptr_t>(region.data);
    return address >= first && address - first + bytes <= region.size;
  };
  if (last_ == nullptr || !has(*last_)) {
    const auto found = regions_.upper_bound(address);
    if (found == regions_.end() || !has(found->second)) {
      return nullptr;
    }
    last_ = &found->second;
  }
  return last_;
}

const Region& GlobalMemory::at(const std::string& name) const {
  for (const auto& [end, region] : regions_) {
    if (region.name == name) {
      return region;
    }
  }
  throw std::out_of_range("no array is called " + name);
}

}  // namespace retort::test::ptx

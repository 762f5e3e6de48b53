// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Memory that knows who touched each of its words, and when: it finds races, reads of what nobody wrote, and accesses
/// that are misaligned or outside of every array.
///
/// Time counts barriers. An access happens before another one if the same thread made both or if a barrier of both
/// threads stands between: of their warp, their block or their cluster. Of reads by several threads the last time and
/// the narrowest group that has them all are kept; a reader behind all others takes their place.

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace retort::test::ptx {

enum class Fault {
  race,
  uninitialized,  ///< a read of what nobody wrote
  early_touch,    ///< of what cp.async has not delivered
  bounds,
  misaligned,
  divergence,  ///< lanes of a warp at different places, where all have to be at one
  deadlock,
  cluster,  ///< a block that there is not yet, no more, or not at all
  trap,
};

/// What was found, the first of it in words.
class Findings {
 public:
  void add(Fault fault, const std::string& text);
  void add(const Findings& others);
  /// Whether words of what comes are dropped.
  bool is_full() const;

  std::size_t count(Fault fault) const { return counts_.contains(fault) ? counts_.at(fault) : 0; }
  std::size_t count() const;
  /// A line each.
  const std::string& text() const { return text_; }

 private:
  std::map<Fault, std::size_t> counts_;
  std::string text_;
};

/// Threads of a launch are numbered so that a block's begin at a multiple of this, and a warp's at one of 32.
inline constexpr std::uint32_t thread_stride = 1024;

/// Who accesses, and behind which barriers of its groups.
struct Actor {
  std::uint32_t thread = 0;
  std::uint32_t place = 0;  // of the instruction
  std::uint32_t cluster_blocks = 1;
  std::uint32_t now = 0;
  std::uint32_t launched = 0;
  std::uint32_t warp_synced = 0;
  std::uint32_t block_synced = 0;
  std::uint32_t cluster_synced = 0;
};

/// The narrowest group that has two threads.
enum class Group : std::uint8_t { none, thread, warp, block, cluster, grid };

/// Bytes that are recorded together.
struct Cell {
  std::uint32_t writer = 0;
  std::uint32_t write_time = 0;
  std::uint32_t write_place = 0;
  std::uint32_t reader = 0;
  std::uint32_t read_time = 0;
  std::uint32_t read_place = 0;
  Group readers = Group::none;
  bool written = false;
  bool pending = false;  // a target of cp.async
};

struct Region {
  std::string name;
  std::byte* data = nullptr;
  std::size_t size = 0;
  std::size_t cell_size = 4;
  bool writable = true;
  std::vector<Cell> cells{};

  Region(std::string name, std::byte* data, std::size_t size, std::size_t cell_size, bool writable, bool written);

  void read(std::size_t offset, std::size_t bytes, const Actor& actor, Findings& findings);
  void write(std::size_t offset, std::size_t bytes, const Actor& actor, Findings& findings);
  /// Of cp.async: from a write() on nobody may touch them, until they are there.
  void set_pending(std::size_t offset, std::size_t bytes, bool pending);
  /// Bytes that nobody wrote.
  std::size_t unwritten() const;

 private:
  void report(Fault fault, const char* what, std::size_t cell, const Actor& actor, std::uint32_t thread,
              std::uint32_t place, Findings& findings) const;
};

/// A device's own memory: arrays of the host, each with its name.
class GlobalMemory {
 public:
  enum class Contents {
    constant,       ///< a kernel may not write it
    given,          ///< is there before a launch
    uninitialized,  ///< to be written before it is read
  };

  template <typename T>
  void add(std::string name, std::span<T> values, Contents contents) {
    add(std::move(name), const_cast<std::byte*>(reinterpret_cast<const std::byte*>(values.data())), values.size_bytes(),
        sizeof(T) < 4 ? sizeof(T) : 4, contents);
  }
  void add(std::string name, std::byte* data, std::size_t size, std::size_t cell_size, Contents contents);

  void remove(const std::byte* data, std::size_t size);
  /// As if it was before any launch.
  void mark_written(const std::byte* data, std::size_t size);

  /// The array that has the bytes, null where none has.
  Region* find(std::uint64_t address, std::size_t bytes);
  const Region& at(const std::string& name) const;

  /// Barriers so far, of all launches.
  std::uint32_t time = 0;

 private:
  std::map<std::uint64_t, Region> regions_;  // by their end
  Region* last_ = nullptr;
};

}  // namespace retort::test::ptx

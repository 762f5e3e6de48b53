// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The threads of a CPU backend. Work is cut into pieces whose number depends on shapes alone, never on the number of
/// threads, and each piece writes its own part of the result: so results have the same bits for every number of
/// threads.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "retort/core/available_threads.hpp"
#include "retort/core/error.hpp"
#include "retort/core/flush_subnormals.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// `threads - 1` workers and the caller. Safe to call from several threads and from within a piece: while one caller
/// has the workers, others run alone.
class ThreadPool {
 public:
  /// Throws OptionError when `threads` is 0 or more than the system can start.
  explicit ThreadPool(unsigned threads) {
    if (threads == 0) {
      throw OptionError("threads: 0, expected at least 1");
    }
    start(threads);
    if (const unsigned started = thread_count(); started < threads) {
      stop();
      throw OptionError(
          concatenate({"threads: ", threads, ", expected at most the ", started, " that the system can start"}));
    }
  }

  /// Since no number was asked for, the pool does without threads that the system does not start.
  explicit ThreadPool(AvailableThreads threads) { start(std::min(threads.most, available_threads())); }

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  ~ThreadPool() { stop(); }

  unsigned thread_count() const { return static_cast<unsigned>(workers_.size()) + 1; }

  /// Calls `function(piece)` for every piece in [0, pieces), in any order, on any of the threads, without subnormal
  /// numbers (FlushSubnormals); returns when all are done. Precondition: no piece writes what another reads or writes.
  /// Allocates nothing. When a piece throws, no other begins; it waits for those under way, and rethrows the exception,
  /// the first of several. The pool can be used again.
  template <typename Function>
  void for_each_piece(std::size_t pieces, const Function& function) {
    run(
        pieces, [](const void* context, std::size_t piece) { (*static_cast<const Function*>(context))(piece); },
        &function);
  }

 private:
  // A training step opens a parallel region every few hundred microseconds: workers spin that long before they sleep.
  static constexpr std::size_t spins_before_sleep = 1u << 14;
  static constexpr std::size_t spins_before_yield = 1u << 10;

  static void pause(std::size_t spin) {
    if (spin >= spins_before_yield) {
      std::this_thread::yield();
      return;
    }
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  }

  using Call = void (*)(const void* context, std::size_t piece);

  /// Compiled once for all functions.
  [[gnu::noinline]] void run(std::size_t pieces, Call call, const void* context) {
    const FlushSubnormals flush;
    // Not a mutex: a thread may not try a mutex that it holds, as a call from within a piece would.
    if (pieces < 2 || workers_.empty() || taken_.exchange(true, std::memory_order_acquire)) {
      for (std::size_t piece = 0; piece < pieces; ++piece) {
        call(context, piece);
      }
      return;
    }
    call_ = call;
    context_ = context;
    pieces_ = pieces;
    next_piece_.store(0, std::memory_order_relaxed);
    gate_.fetch_or(gate_open, std::memory_order_release);
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
    take_pieces();
    // Waits only for workers that came in time: one that the system did not run meanwhile costs nothing, which matters
    // where other programs want the processors too.
    gate_.fetch_and(~gate_open, std::memory_order_relaxed);
    std::size_t spin = 0;
    for (std::uint32_t inside = 0; (inside = gate_.load(std::memory_order_acquire)) != 0; ++spin) {
      if (spin < spins_before_sleep) {
        pause(spin);
      } else {
        gate_.wait(inside, std::memory_order_acquire);
      }
    }
    const std::exception_ptr error = std::exchange(error_, nullptr);
    failed_.store(false, std::memory_order_relaxed);
    taken_.store(false, std::memory_order_release);
    if (error) {
      std::rethrow_exception(error);
    }
  }

  /// Starts up to `threads`, the caller included: as many as the system allows.
  void start(unsigned threads) {
    // A list that grows as threads start: an absurd number fails at the first thread that cannot start, not in the
    // list.
    try {
      for (unsigned worker = 1; worker < threads; ++worker) {
        workers_.emplace_back([this] { work(); });
      }
    } catch (const std::bad_alloc&) {
      stop();
      throw;
    } catch (const std::exception&) {
      // thread_count() tells how many started.
    }
  }

  void stop() {
    stopping_.store(true, std::memory_order_relaxed);
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
    for (std::thread& worker : workers_) {
      worker.join();
    }
  }

  void take_pieces() noexcept {
    try {
      for (;;) {
        const std::size_t piece = next_piece_.fetch_add(1, std::memory_order_relaxed);
        if (piece >= pieces_) {
          return;
        }
        call_(context_, piece);
      }
    } catch (...) {
      next_piece_.store(pieces_, std::memory_order_relaxed);
      if (!failed_.exchange(true, std::memory_order_relaxed)) {
        error_ = std::current_exception();  // read once all have left
      }
    }
  }

  void work() {
    const FlushSubnormals flush;
    std::uint32_t seen = 0;
    for (;;) {
      std::uint32_t current = generation_.load(std::memory_order_acquire);
      for (std::size_t spin = 0; current == seen && spin < spins_before_sleep; ++spin) {
        pause(spin);
        current = generation_.load(std::memory_order_acquire);
      }
      if (current == seen) {
        generation_.wait(seen, std::memory_order_acquire);
        continue;
      }
      if (stopping_.load(std::memory_order_relaxed)) {
        return;
      }
      seen = current;
      // Only a worker that enters while the gate is open may read the job's fields; the caller waits for it.
      if ((gate_.fetch_add(1, std::memory_order_acquire) & gate_open) != 0) {
        take_pieces();
      }
      if (gate_.fetch_sub(1, std::memory_order_release) == 1) {
        gate_.notify_all();  // the last one out wakes the caller
      }
    }
  }

  static constexpr std::uint32_t gate_open = 1u << 31;

  std::vector<std::thread> workers_;
  Call call_ = nullptr;
  const void* context_ = nullptr;
  std::size_t pieces_ = 0;
  std::exception_ptr error_{};  // of the piece that failed first
  std::atomic<bool> failed_{false};
  std::atomic<bool> taken_{false};
  std::atomic<bool> stopping_{false};
  // Every thread writes the first, the caller waits for the second, idle workers watch the third: a cache line each.
  alignas(64) std::atomic<std::size_t> next_piece_{0};
  alignas(64) std::atomic<std::uint32_t> gate_{0};  // gate_open, and the number of workers inside
  // 32 bits, which the system can wait on directly. It may wrap: a worker that slept through 2^32 jobs misses one.
  alignas(64) std::atomic<std::uint32_t> generation_{0};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

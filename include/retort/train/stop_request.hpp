// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Asks a training to end early.

#include <atomic>

#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A request that trainings check after each step: `FitOptions::stop` and `SweepOptions::stop` point to one. It may be
/// made from another thread, or from a signal handler.
class StopRequest {
 public:
  void make() noexcept { made_.store(true, std::memory_order_relaxed); }
  void withdraw() noexcept { made_.store(false, std::memory_order_relaxed); }
  bool is_made() const noexcept { return made_.load(std::memory_order_relaxed); }

 private:
  static_assert(std::atomic<bool>::is_always_lock_free, "retort::StopRequest: a signal handler may not wait");
  std::atomic<bool> made_{false};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A system without Thrust, for tests of what is written once for all systems.

#include <atomic>
#include <cstddef>
#include <string>

#include "retort/backend/thrust/host_system.hpp"
#include "retort/backend/thrust/thrust.hpp"

namespace retort::system {

/// Calls from the last index to the first, so that whatever depends on an order shows.
struct Serial : HostSystem {
  static constexpr const char* name = "serial";

  struct Options {};

  explicit Serial(const Options& /*options*/) {}

  std::string describe() const { return "serial"; }

  /// Counts what a device would have to allocate.
  template <typename T>
  Buffer<T> allocate(std::size_t count) const {
    ++allocations;
    return HostSystem::allocate<T>(count);
  }

  template <typename Function>
  void for_each(std::size_t count, const Function& function) const {
    for (std::size_t index = count; index-- > 0;) {
      function(index);
    }
  }

  mutable std::atomic<std::size_t> allocations = 0;
};

}  // namespace retort::system

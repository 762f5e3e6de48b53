// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A backend as somebody outside of the library begins one: memory, and a way to call a function for many indices. All
/// operations are the library's. docs/write_your_own_backend.md walks through it.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "retort/backend/backend.hpp"
#include "retort/backend/generic/backend.hpp"

namespace plain {

struct Threads : retort::backend::HostMemory, retort::backend::Generic<Threads> {
  static constexpr const char* name = "threads";
  unsigned threads = 2;

  std::string describe() const { return std::to_string(threads) + " threads"; }

  template <typename Function>
  void for_each(std::size_t count, const Function& function) const {
    std::atomic<std::size_t> next = 0;
    std::atomic_flag failed;
    std::exception_ptr failure;
    const auto work = [&] {
      try {
        for (std::size_t index = next++; index < count; index = next++) {
          function(index);
        }
      } catch (...) {
        next = count;  // no other begins
        if (!failed.test_and_set()) {
          failure = std::current_exception();
        }
      }
    };
    std::vector<std::jthread> team;
    while (team.size() + 1 < std::min<std::size_t>(threads, count)) {
      team.emplace_back(work);
    }
    work();
    team.clear();  // waits for all
    if (failure) {
      std::rethrow_exception(failure);
    }
  }
};

static_assert(retort::backend::Backend<Threads, float> && retort::backend::Backend<Threads, double>);

}  // namespace plain

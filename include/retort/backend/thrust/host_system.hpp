// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What Thrust's systems on the host share: their memory, and how many threads they ask a library for.

#include "retort/backend/generic/host_memory.hpp"
#include "retort/core/available_threads.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_pool.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::system {

struct HostSystem : backend::HostMemory {
  bool shares_memory_with(const HostSystem&) const { return true; }
};

namespace detail {

/// `wanted` threads; for 0 as many as the process may use and the system starts, at most `library_default`. Starts them
/// once to see, since OpenMP and oneTBB end the program over a thread that they do not get. Throws OptionError for more
/// wanted than the system can start.
inline unsigned team_size(unsigned wanted, unsigned library_default) {
  return wanted > 0 ? internal::ThreadPool(wanted).thread_count()
                    : internal::ThreadPool(AvailableThreads{.most = library_default}).thread_count();
}

}  // namespace detail

}  // namespace retort::inline RETORT_INSTRUCTION_SET::system

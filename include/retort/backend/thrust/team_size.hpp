// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How many threads a library of threads is asked for.

#include "retort/core/available_threads.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_pool.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::system::detail {

/// `wanted` threads, or where that is 0 as many as the process may use, at most `library_default`, and as the system
/// starts. They are started once, to see: OpenMP and oneTBB end the program over a thread that they do not get. Throws
/// OptionError for more wanted than the system can start.
inline unsigned team_size(unsigned wanted, unsigned library_default) {
  return wanted > 0 ? ThreadPool(wanted).thread_count()
                    : ThreadPool(AvailableThreads{.most = library_default}).thread_count();
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::system::detail

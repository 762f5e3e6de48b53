// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// `retort::backend::Thrust<retort::system::Tbb>`: Thrust on the threads of oneTBB. Link with it (-ltbb).

#include "retort/backend/thrust/prelude.hpp"
//
#include <tbb/task_arena.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system/tbb/execution_policy.h>

#include <cstddef>
#include <string>

#include "retort/backend/thrust/backend.hpp"
#include "retort/backend/thrust/host_system.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::system {

class Tbb : public HostSystem {
 public:
  static constexpr const char* name = "thrust-tbb";

  struct Options {
    unsigned threads = 0;  ///< 0: as many as the process may use (available_threads)
  };

  explicit Tbb(const Options& options) : arena_(concurrency(options)) {}

  std::string describe() const {
    const int threads = arena_.max_concurrency();
    return "Thrust " + backend::detail::thrust_version() + " on oneTBB, " + std::to_string(threads) +
           (threads == 1 ? " thread" : " threads");
  }

  template <typename Function>
  void for_each(std::size_t count, const Function& function) const {
    arena_.execute([&] {
      ::thrust::for_each_n(::thrust::tbb::par, ::thrust::counting_iterator<std::size_t>(0), count, function);
    });
  }

 private:
  static int concurrency(const Options& options) {
    constexpr unsigned most = 4096;
    require_option(options.threads <= most, name, "threads", options.threads, "at most 4096");
    return static_cast<int>(
        detail::team_size(options.threads, static_cast<unsigned>(::tbb::this_task_arena::max_concurrency())));
  }

  mutable ::tbb::task_arena arena_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::system

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

static_assert(Backend<Thrust<system::Tbb>, float> && Backend<Thrust<system::Tbb>, double>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

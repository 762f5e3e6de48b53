// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// `retort::backend::Thrust<retort::system::Omp>`: Thrust on the threads of OpenMP. Needs a compiler with OpenMP turned
/// on (-fopenmp).

#include "retort/backend/thrust/prelude.hpp"
//
#include <omp.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system/omp/execution_policy.h>

#include <cstddef>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>

#include "retort/backend/thrust/backend.hpp"
#include "retort/backend/thrust/host_system.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"

#ifndef _OPENMP
#error "retort: backend::Thrust<system::Omp> needs OpenMP: compile with -fopenmp"
#endif

namespace retort::inline RETORT_INSTRUCTION_SET::system {

class Omp : public HostSystem {
 public:
  static constexpr const char* name = "thrust-omp";

  struct Options {
    unsigned threads = 0;  ///< 0: OMP_NUM_THREADS, else as many as the process may use (available_threads)
  };

  explicit Omp(const Options& options) : threads_(omp_get_max_threads()) {
    require_option(options.threads <= most, name, "threads", options.threads, "at most 4096");
    if (options.threads > 0 || std::getenv("OMP_NUM_THREADS") == nullptr) {
      threads_ = static_cast<int>(detail::team_size(options.threads, static_cast<unsigned>(threads_)));
    }
  }

  std::string describe() const {
    return "Thrust " + backend::detail::thrust_version() + " on OpenMP, " + std::to_string(threads_) +
           (threads_ == 1 ? " thread" : " threads");
  }

  template <typename Function>
  void for_each(std::size_t count, const Function& function) const {
    const TeamSize team(count == 1 ? 1 : threads_);
    // An exception that left a parallel region would end the program: the first is kept and thrown here.
    std::exception_ptr error;
    std::once_flag is_first;
    const auto guarded = [&](std::size_t index) {
      try {
        function(index);
      } catch (...) {
        std::call_once(is_first, [&] { error = std::current_exception(); });
      }
    };
    ::thrust::for_each_n(::thrust::omp::par, ::thrust::counting_iterator<std::size_t>(0), count, guarded);
    if (error) {
      std::rethrow_exception(error);
    }
  }

 private:
  static constexpr unsigned most = 4096;

  /// Sets how many threads the calling thread's next parallel region gets, and restores the number afterwards.
  class TeamSize {
   public:
    explicit TeamSize(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
    TeamSize(const TeamSize&) = delete;
    TeamSize& operator=(const TeamSize&) = delete;
    ~TeamSize() { omp_set_num_threads(before_); }

   private:
    int before_;
  };

  int threads_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::system

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

static_assert(Backend<Thrust<system::Omp>, float> && Backend<Thrust<system::Omp>, double>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

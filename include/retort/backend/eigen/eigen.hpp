#pragma once
/// @file
/// The CPU backend on Eigen: `retort::backend::Eigen`. It is a handle on a pool of threads; copies share the pool.
///
/// Its operations are free functions, one header for each family: linear.hpp, elementwise.hpp, dropout.hpp,
/// normalization.hpp, loss.hpp, optimizer.hpp, gather.hpp. Results are the same bits for every number of threads.

#include <Eigen/Core>
#include <memory>
#include <string>

#include "retort/core/thread_pool.hpp"

namespace retort::backend {

class Eigen {
 public:
  static constexpr const char* name = "eigen";

  /// Throws OptionError when `threads` is 0.
  explicit Eigen(unsigned threads = 1) : pool_(std::make_shared<ThreadPool>(threads)) {}

  unsigned threads() const { return pool_->thread_count(); }
  ThreadPool& pool() const { return *pool_; }

  /// One line: the backend, its SIMD instruction sets as compiled, its threads.
  std::string describe() const {
    return std::string("Eigen ") + std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) +
           "." + std::to_string(EIGEN_MINOR_VERSION) + " on the CPU, SIMD " + ::Eigen::SimdInstructionSetsInUse() +
           ", " + std::to_string(threads()) + (threads() == 1 ? " thread" : " threads");
  }

 private:
  std::shared_ptr<ThreadPool> pool_;
};

}  // namespace retort::backend

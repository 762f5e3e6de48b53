// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The CPU backend on Eigen: `retort::backend::Eigen`. It is a handle to a pool of threads; copies share the pool.
///
/// Its operations are those of backend/generic, except for products (linear.hpp), optimizers (optimizer.hpp) and
/// inference (inference.hpp); chains run on SIMD vectors (simd_chain.hpp). Results have the same bits for every number
/// of threads.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "retort/backend/eigen/core.hpp"
#include "retort/backend/eigen/product_library.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/backend/generic/host_memory.hpp"
#include "retort/core/available_threads.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/shared_handle.hpp"
#include "retort/core/text.hpp"
#include "retort/core/thread_pool.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {
struct SimdChain;  // simd_chain.hpp
}

/// Models of Linear, pointwise and normalization layers are computed as a whole, on panels of samples (panel/); other
/// models operation by operation. Single operations take matrix products from Eigen, or from a library that the backend
/// is given; panels need none.
class Eigen : public HostMemory, public Generic<Eigen> {
 public:
  static constexpr const char* name = "eigen";
  /// A multiple of every SIMD width, large enough to be worth a second thread.
  static constexpr std::size_t elements_per_call = 16384;
  static constexpr bool flushes_subnormals = true;  // as internal::ThreadPool does
  using ChainKernel = detail::SimdChain;
  /// Enough to reuse each weight from a register tile, few enough for the cache.
  static constexpr std::size_t inference_batch = 128;

  /// Throws OptionError when `threads` is 0 or more than the system can start.
  explicit Eigen(unsigned threads = 1, ProductLibrary products = {})
      : pool_(std::make_shared<internal::ThreadPool>(threads)), products_(std::move(products)) {}

  /// Takes as many threads as the process may use: `Eigen cpu{AvailableThreads{}}`.
  explicit Eigen(AvailableThreads threads, ProductLibrary products = {})
      : pool_(std::make_shared<internal::ThreadPool>(threads)), products_(std::move(products)) {}

  unsigned threads() const { return pool_->thread_count(); }
  internal::ThreadPool& pool() const { return *pool_; }
  const ProductLibrary& products() const { return products_; }

  /// Calls function(index) for every index below `count`, on any of the threads.
  template <typename Function>
  void for_each(std::size_t count, const Function& function) const {
    pool_->for_each_piece(count, function);
  }

  /// One line: the backend, its SIMD instruction sets as compiled (Eigen's and those of the kernels for whole models),
  /// its threads, and the library of its products where they are not Eigen's.
  std::string describe() const {
    return std::string("Eigen ") + std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) +
           "." + std::to_string(EIGEN_MINOR_VERSION) + " on the CPU, SIMD " + ::Eigen::SimdInstructionSetsInUse() +
           ", kernels in " + simd::describe_build() + ", " + std::to_string(threads()) +
           (threads() == 1 ? " thread" : " threads") +
           (products_.name.empty() ? "" : ", layer by layer with the products of " + products_.name);
  }

  /// What decides the bits of a result besides the program's sources: the instruction set and, where single operations
  /// compute a model, the library of the products. Eigen's own cuts its sums by the caches that it finds.
  [[gnu::cold]] std::string processor(bool by_operations) const {
    if (!by_operations) {
      return std::string(instruction_set);
    }
    if (!products_.name.empty()) {
      return concatenate({instruction_set, ", products of ", products_.name});
    }
    return concatenate({instruction_set, ", caches of ", ::Eigen::l1CacheSize(), ", ", ::Eigen::l2CacheSize(), " and ",
                        ::Eigen::l3CacheSize(), " bytes"});
  }

 private:
  internal::SharedHandle<internal::ThreadPool> pool_;
  ProductLibrary products_;
};

/// Calls work(index, alone) for every index in [0, count), several at once. Each call runs on one of the backend's
/// threads and gets a backend of one thread with the same products; a thread that is done takes the next index. When a
/// call throws, no other begins, and the caller gets the exception once those under way have ended. Not for types
/// derived from Eigen: they would get a backend of another type.
template <std::same_as<Eigen> Backend, typename Work>
void for_each_on_one_thread(const Backend& backend, std::size_t count, const Work& work) {
  const Eigen alone(1, backend.products());
  backend.pool().for_each_piece(count, [&](std::size_t index) { work(index, alone); });
}

namespace detail {

/// Calls function(begin, count) for the pieces of [0, extent), `size` long, on any of the backend's threads.
template <typename Function>
void for_each_piece(const Eigen& backend, std::size_t extent, std::size_t size, const Function& function) {
  backend.for_each((extent + size - 1) / size, [&](std::size_t index) {
    const std::size_t begin = index * size;
    function(begin, std::min(size, extent - begin));
  });
}

}  // namespace detail

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

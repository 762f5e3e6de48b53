// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The CPU backend on Eigen: `retort::backend::Eigen`. It is a handle on a pool of threads; copies share the pool.
///
/// Its operations are free functions, one header for each family: linear.hpp, chain.hpp, normalization.hpp, loss.hpp,
/// optimizer.hpp, gather.hpp, inference.hpp. Results are the same bits for every number of threads.

#include <Eigen/Core>
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "retort/backend/eigen/product_library.hpp"
#include "retort/backend/host_memory.hpp"
#include "retort/core/processor_name.hpp"
#include "retort/core/text.hpp"
#include "retort/core/thread_pool.hpp"
#include "retort/simd/vector.hpp"

namespace retort::backend {

/// Models of Linear and pointwise layers are computed as a whole, on panels of samples (panel/); other models operation
/// by operation, each in a header of its family. Their matrix products are Eigen's, or those of a library that the
/// backend is given; panels have none.
class Eigen : public HostMemory {
 public:
  static constexpr const char* name = "eigen";

  /// Throws OptionError when `threads` is 0.
  explicit Eigen(unsigned threads = 1, ProductLibrary products = {})
      : pool_(std::make_shared<ThreadPool>(threads)), products_(std::move(products)) {}

  unsigned threads() const { return pool_->thread_count(); }
  ThreadPool& pool() const { return *pool_; }
  const ProductLibrary& products() const { return products_; }

  /// One line: the backend, its SIMD instruction sets as compiled (Eigen's and those of the kernels for whole models),
  /// its threads, and the library of its products where they are not Eigen's.
  std::string describe() const {
    return std::string("Eigen ") + std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) +
           "." + std::to_string(EIGEN_MINOR_VERSION) + " on the CPU, SIMD " + ::Eigen::SimdInstructionSetsInUse() +
           ", kernels in " + simd::describe_build() + ", " + std::to_string(threads()) +
           (threads() == 1 ? " thread" : " threads") +
           (products_.name.empty() ? "" : ", layer by layer with the products of " + products_.name);
  }

  /// What decides the bits of a result besides the program's sources: the instruction set and, where a model is computed
  /// operation by operation, the library of the products. Eigen's own cuts its sums by the caches that it finds.
  [[gnu::cold]] std::string processor(bool by_operations) const {
    if (!by_operations) {
      return std::string(processor_name);
    }
    if (!products_.name.empty()) {
      return concatenate({processor_name, ", products of ", products_.name});
    }
    return concatenate({processor_name, ", caches of ", ::Eigen::l1CacheSize(), ", ", ::Eigen::l2CacheSize(), " and ",
                        ::Eigen::l3CacheSize(), " bytes"});
  }

 private:
  std::shared_ptr<ThreadPool> pool_;
  ProductLibrary products_;
};

/// Calls work(index, alone) for every index in [0, count), several at once: each on one of the backend's threads, with
/// a backend of one thread, with the same products. Who is done takes the next index. A `work` that throws ends the
/// program. Not for types derived from Eigen, which would get another backend than their own.
template <std::same_as<Eigen> Backend, typename Work>
void for_each_on_one_thread(const Backend& backend, std::size_t count, const Work& work) {
  const Eigen alone(1, backend.products());
  backend.pool().for_each_chunk(count, [&](std::size_t index) { work(index, alone); });
}

namespace detail {

template <typename Scalar>
using Array = ::Eigen::Map<::Eigen::Array<Scalar, ::Eigen::Dynamic, 1>>;
template <typename Scalar>
using ConstArray = ::Eigen::Map<const ::Eigen::Array<Scalar, ::Eigen::Dynamic, 1>>;

/// Elements of one piece of work on flat memory: a multiple of every SIMD width, large enough to be worth a second
/// thread.
inline constexpr std::size_t flat_chunk = 16384;

/// Calls function(begin, count) over [0, size) in pieces that do not depend on the number of threads.
template <typename Function>
void for_each_flat_chunk(const Eigen& backend, std::size_t size, const Function& function) {
  backend.pool().for_each_chunk((size + flat_chunk - 1) / flat_chunk, [&](std::size_t chunk) {
    const std::size_t begin = chunk * flat_chunk;
    function(begin, std::min(flat_chunk, size - begin));
  });
}

}  // namespace detail

}  // namespace retort::backend

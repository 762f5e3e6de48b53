// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Temporary memory of operations, kept from one to the next, so that a training step allocates nothing once warmed up.

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail {

/// Buffers that are not in use. Several threads may lease at once; each gets memory of its own.
template <typename System>
class ScratchPool {
 public:
  using Bytes = typename System::template Buffer<std::byte>;

  /// A buffer while this lives. Contents are undefined. If the system works through a stream in order, the next lease
  /// may begin before the work on this one is done: its work comes after it.
  template <typename T>
  class Lease {
   public:
    Lease(ScratchPool& pool, Bytes memory) : pool_(pool), memory_(std::move(memory)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.give_back(std::move(memory_)); }

    T* data() { return reinterpret_cast<T*>(memory_.data()); }

   private:
    ScratchPool& pool_;
    Bytes memory_;
  };

  /// Room for `count` elements.
  template <typename T>
  Lease<T> lease(const System& system, std::size_t count) {
    return {*this, take(system, count * sizeof(T))};
  }

 private:
  Bytes take(const System& system, std::size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      std::size_t best = free_.size();  // the smallest that is large enough
      for (std::size_t i = 0; i < free_.size(); ++i) {
        if (free_[i].size() >= bytes && (best == free_.size() || free_[i].size() < free_[best].size())) {
          best = i;
        }
      }
      if (best < free_.size()) {
        std::swap(free_[best], free_.back());
        Bytes memory = std::move(free_.back());
        free_.pop_back();
        return memory;
      }
      if (!free_.empty()) {
        free_.pop_back();  // too small: the new one takes its place
      }
      free_.reserve(++leased_most_);
    }
    return system.template allocate<std::byte>(bytes);
  }

  void give_back(Bytes memory) noexcept {
    const std::lock_guard lock(mutex_);
    if (free_.size() < free_.capacity()) {
      free_.push_back(std::move(memory));
    }
  }

  std::mutex mutex_;
  std::vector<Bytes> free_;
  std::size_t leased_most_ = 0;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail

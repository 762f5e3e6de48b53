// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The state that copies of a handle share.

#include <memory>
#include <utility>

#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// A std::shared_ptr that is never null: a move copies it, so that a handle which was moved from still works.
template <typename T>
class SharedHandle {
 public:
  /// Precondition: `shared` is not null.
  SharedHandle(std::shared_ptr<T> shared) : shared_(std::move(shared)) {}
  SharedHandle(const SharedHandle&) = default;
  SharedHandle& operator=(const SharedHandle&) = default;
  ~SharedHandle() = default;

  T& operator*() const { return *shared_; }
  T* operator->() const { return shared_.get(); }

 private:
  std::shared_ptr<T> shared_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

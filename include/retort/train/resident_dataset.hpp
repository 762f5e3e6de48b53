// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A dataset in memory that a backend can read.

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/dataset_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Borrows the dataset, which must outlive it, if the backend computes in the host's memory; else holds a copy in the
/// backend's memory. Bytes stay bytes.
template <typename Backend>
class ResidentDataset {
 public:
  ResidentDataset() = default;
  ResidentDataset(const Backend& backend, const data::Dataset& data) : view_(data.view()) {
    if constexpr (!Backend::host_memory) {
      const std::size_t count = view_.size * view_.features;
      if (view_.bytes != nullptr) {
        view_.bytes = upload(backend, view_.bytes, count, bytes_);
      } else {
        view_.reals = upload(backend, view_.reals, count, reals_);
      }
      view_.labels = upload(backend, view_.labels, view_.size, labels_);
      if (view_.targets != nullptr) {
        view_.targets = upload(backend, view_.targets, view_.size * view_.target_count, targets_);
      }
    }
  }

  /// The same memory, which this object still owns; it must outlive the other.
  ResidentDataset borrow() const {
    ResidentDataset other;
    other.view_ = view_;
    return other;
  }

  /// Its pointers are into the backend's memory.
  const data::DatasetView& view() const { return view_; }

 private:
  template <typename T>
  using Buffer = typename Backend::template Buffer<T>;

  template <typename T>
  static const T* upload(const Backend& backend, const T* values, std::size_t count, Buffer<T>& buffer) {
    buffer = backend.template allocate<T>(count);
    copy_from_host(backend, std::span<const T>(values, count), buffer.data());
    return buffer.data();
  }

  data::DatasetView view_{};
  Buffer<std::uint8_t> bytes_{};
  Buffer<float> reals_{};
  Buffer<std::uint32_t> labels_{};
  Buffer<float> targets_{};
};

/// order[i] = i for all i < count, in the backend's memory: a dataset's samples as they lie.
template <typename Backend>
void number_samples(const Backend& backend, std::size_t count, std::uint32_t* order) {
  std::vector<std::uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0u);
  copy_from_host(backend, std::span<const std::uint32_t>(numbers), order);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

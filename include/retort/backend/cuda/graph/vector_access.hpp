// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Four neighbouring elements of a matrix, which one call of a kernel takes: as few and as wide accesses to memory as
/// there can be.

#include <cstddef>

#include "retort/backend/chain.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

namespace detail {

template <typename T>
struct alignas(chain_group * sizeof(T)) GroupOf {
  T values[chain_group];
};

}  // namespace detail

/// Calls that cover `elements`.
constexpr std::size_t group_count(std::size_t elements) { return (elements + chain_group - 1) / chain_group; }

/// Elements of group `group` of `size` elements.
RETORT_HOST_DEVICE constexpr std::size_t group_extent(std::size_t group, std::size_t size) {
  const std::size_t left = size - group * chain_group;
  return left < chain_group ? left : chain_group;
}

/// values[i] = from[i] for i < count, and 0 behind. Precondition: `from` is aligned to a whole group.
template <typename T, typename Scalar>
RETORT_HOST_DEVICE void load_group(const T* from, std::size_t count, Scalar* values) {
#ifdef __CUDA_ARCH__
  if (count == chain_group) {
    const auto group = *reinterpret_cast<const detail::GroupOf<T>*>(from);
    for (std::size_t i = 0; i < chain_group; ++i) {
      values[i] = static_cast<Scalar>(group.values[i]);
    }
    return;
  }
#endif
  for (std::size_t i = 0; i < chain_group; ++i) {
    values[i] = i < count ? static_cast<Scalar>(from[i]) : Scalar{0};
  }
}

/// to[i] = values[i], rounded to T, for i < count. Precondition: `to` is aligned to a whole group.
template <typename Scalar, typename T>
RETORT_HOST_DEVICE void store_group(const Scalar* values, std::size_t count, T* to) {
#ifdef __CUDA_ARCH__
  if (count == chain_group) {
    detail::GroupOf<T> group;
    for (std::size_t i = 0; i < chain_group; ++i) {
      group.values[i] = static_cast<T>(values[i]);
    }
    *reinterpret_cast<detail::GroupOf<T>*>(to) = group;
    return;
  }
#endif
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = static_cast<T>(values[i]);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph

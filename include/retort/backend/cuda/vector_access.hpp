// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Loads and stores neighbouring elements in one access to memory: four, which is what a kernel's call takes, or two.

#include <cstddef>
#include <cstring>

#include "retort/backend/chain.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// How many neighbours are taken together: those of a Chain, and the bytes of a word.
inline constexpr std::size_t quad = internal::chain_group;

namespace detail {

template <typename T, std::size_t Count>
struct alignas(Count * sizeof(T)) Neighbours {
  T values[Count];
};

template <typename Values, typename T>
RETORT_HOST_DEVICE Values load_neighbours(const T* from) {
#ifdef __CUDA_ARCH__
  return *reinterpret_cast<const Values*>(from);
#else
  Values result;
  std::memcpy(static_cast<void*>(&result), from, sizeof(result));
  return result;
#endif
}
template <typename Values, typename T>
RETORT_HOST_DEVICE void store_neighbours(const Values& values, T* to) {
#ifdef __CUDA_ARCH__
  *reinterpret_cast<Values*>(to) = values;
#else
  std::memcpy(static_cast<void*>(to), &values, sizeof(values));
#endif
}

}  // namespace detail

/// Four neighbours, and two, loaded or stored at once.
template <typename T>
using Quad = detail::Neighbours<T, quad>;
template <typename T>
using Pair = detail::Neighbours<T, 2>;

/// Precondition of these functions: the pointer is aligned to four elements, for pairs to two.
template <typename T>
RETORT_HOST_DEVICE Quad<T> load_quad(const T* from) {
  return detail::load_neighbours<Quad<T>>(from);
}
template <typename T>
RETORT_HOST_DEVICE void store_quad(const Quad<T>& values, T* to) {
  detail::store_neighbours(values, to);
}
template <typename T>
RETORT_HOST_DEVICE Pair<T> load_pair(const T* from) {
  return detail::load_neighbours<Pair<T>>(from);
}
template <typename T>
RETORT_HOST_DEVICE void store_pair(const Pair<T>& values, T* to) {
  detail::store_neighbours(values, to);
}

/// Groups of four that cover `elements`.
RETORT_HOST_DEVICE constexpr std::size_t group_count(std::size_t elements) { return (elements + quad - 1) / quad; }

/// Elements of group `group` of `size` elements.
RETORT_HOST_DEVICE constexpr std::size_t group_extent(std::size_t group, std::size_t size) {
  const std::size_t left = size - group * quad;
  return left < quad ? left : quad;
}

/// values[i] = from[i] for i < count, then 0. Precondition: that of load_quad.
template <typename T, typename Scalar>
RETORT_HOST_DEVICE void load_group(const T* from, std::size_t count, Scalar* values) {
  if (count == quad) {
    const Quad<T> whole = load_quad(from);
    for (std::size_t i = 0; i < quad; ++i) {
      values[i] = static_cast<Scalar>(whole.values[i]);
    }
    return;
  }
  for (std::size_t i = 0; i < quad; ++i) {
    values[i] = i < count ? static_cast<Scalar>(from[i]) : Scalar{0};
  }
}

/// to[i] = values[i], rounded to T, for i < count. Precondition: that of store_quad.
template <typename Scalar, typename T>
RETORT_HOST_DEVICE void store_group(const Scalar* values, std::size_t count, T* to) {
  if (count == quad) {
    Quad<T> whole;
    for (std::size_t i = 0; i < quad; ++i) {
      whole.values[i] = static_cast<T>(values[i]);
    }
    store_quad(whole, to);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = static_cast<T>(values[i]);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Lanes that compute one row of a loss together: each has an equal part of the classes, side by side. What all of them
/// need to know of the whole row goes through these functions, and is then the same in all (of NaN see largest()).

#include <cstddef>
#include <cstdint>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A lane that has the row alone.
struct WholeRow {
  static constexpr std::size_t count = 1;

  constexpr WholeRow() = default;
  RETORT_HOST_DEVICE constexpr explicit WholeRow(std::uint32_t /*index*/) {}

  RETORT_HOST_DEVICE static constexpr std::uint32_t index() { return 0; }
  template <typename T>
  RETORT_HOST_DEVICE constexpr T sum(const T& own) const {
    return own;
  }
  template <typename T>
  RETORT_HOST_DEVICE constexpr T largest(const T& own) const {
    return own;
  }
  template <typename T, typename Other>
  RETORT_HOST_DEVICE constexpr void take_largest(T& /*own*/, Other& /*beside*/) const {}
};

/// One of two lanes. Exchange{}(value) is the other's value; both call it together.
template <typename Exchange>
class HalfRow {
 public:
  static constexpr std::size_t count = 2;

  /// `index`: 0 for the lane with the first classes, or 1.
  RETORT_HOST_DEVICE explicit HalfRow(std::uint32_t index, const Exchange& exchange = {})
      : index_(index), exchange_(exchange) {}

  RETORT_HOST_DEVICE std::uint32_t index() const { return index_; }
  template <typename T>
  RETORT_HOST_DEVICE T sum(T own) const {
    return own + exchange_(own);
  }
  /// Of numbers the same in both lanes; where one is NaN each keeps its own, which spares instructions.
  template <typename T>
  RETORT_HOST_DEVICE T largest(T own) const {
    const T other = exchange_(own);
    return other > own ? other : own;
  }
  /// The largest of the lanes' numbers, and what stands beside it; among equals the first lane's.
  template <typename T, typename Other>
  RETORT_HOST_DEVICE void take_largest(T& own, Other& beside) const {
    const T other = exchange_(own);
    const Other beside_other = exchange_(beside);
    const bool takes = index_ == 0 ? other > own : !(own > other);
    own = takes ? other : own;
    beside = takes ? beside_other : beside;
  }

 private:
  std::uint32_t index_;
  Exchange exchange_;
};

/// Whether a loss states `shares_rows`; see the concept Loss.
template <typename L>
inline constexpr bool shares_rows = [] {
  if constexpr (requires { L::shares_rows; }) {
    return bool{L::shares_rows};
  } else {
    return false;
  }
}();

}  // namespace retort::inline RETORT_INSTRUCTION_SET

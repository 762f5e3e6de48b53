// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The matrices of a tensor core's instruction, C += A B with A (16, 16), B (16, 8) and C (16, 8), as the 32 lanes of a
/// warp hold them. See the PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type".
///
/// A lane is number `member` of its `group`: lane = 4 group + member.

#include <cmath>
#include <cstdint>

#include "retort/backend/cuda/block/bf16_pieces.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

inline constexpr std::uint32_t fragment_rows = 16;    // of A and C
inline constexpr std::uint32_t fragment_depth = 16;   // columns of A, rows of B
inline constexpr std::uint32_t fragment_columns = 8;  // of B and C
inline constexpr std::uint32_t fragment_members = 4;  // of a group

RETORT_HOST_DEVICE inline std::uint32_t lane_group(std::uint32_t lane) { return lane / fragment_members; }
RETORT_HOST_DEVICE inline std::uint32_t lane_member(std::uint32_t lane) { return lane % fragment_members; }

/// pairs[i]: of row group + 8 (i % 2), columns 2 member + 8 (i / 2) and the next. bfloat16 numbers.
struct FragmentA {
  std::uint32_t pairs[4];
};

/// pairs[i]: of column group, rows 2 member + 8 i and the next. bfloat16 numbers.
struct FragmentB {
  std::uint32_t pairs[2];
};

/// values[i]: row group + 8 (i / 2), column 2 member + i % 2.
struct FragmentC {
  float values[4];
};

namespace detail {

/// The float towards zero from a sum.
inline float round_towards_zero(double sum) {
  const auto nearest = static_cast<float>(sum);
  return std::abs(static_cast<double>(nearest)) > std::abs(sum) ? std::nextafter(nearest, 0.0f) : nearest;
}

}  // namespace detail

/// The instruction on the host; the arrays hold the lanes' fragments. Products are exact, and each sum of C and 16
/// products is rounded once, towards zero, as tensor cores round: Fasi et al., "Numerical behavior of NVIDIA tensor
/// cores", PeerJ Computer Science 7:e330 (2021). A GPU may also cut each summand at some 25 bits below the largest; the
/// PTX ISA promises no order, and at least single precision.
template <typename LanesC, typename LanesA, typename LanesB>
void multiply_add_fragments(LanesC& c, const LanesA& a, const LanesB& b) {
  constexpr std::uint32_t lanes = 32;
  const auto number = [](std::uint32_t pair, std::uint32_t half) {
    return static_cast<double>(internal::float_of(half == 0 ? pair << 16 : pair & 0xFFFF0000u));
  };
  double rows[fragment_rows][fragment_depth];
  double columns[fragment_depth][fragment_columns];
  for (std::uint32_t lane = 0; lane < lanes; ++lane) {
    const std::uint32_t group = lane_group(lane);
    const std::uint32_t depth = 2 * lane_member(lane);
    for (std::uint32_t half = 0; half < 2; ++half) {
      for (std::uint32_t i = 0; i < 4; ++i) {
        rows[group + 8 * (i % 2)][depth + 8 * (i / 2) + half] = number(a[lane].pairs[i], half);
      }
      for (std::uint32_t i = 0; i < 2; ++i) {
        columns[depth + 8 * i + half][group] = number(b[lane].pairs[i], half);
      }
    }
  }
  double sums[fragment_rows][fragment_columns] = {};
  for (std::uint32_t row = 0; row < fragment_rows; ++row) {
    for (std::uint32_t k = 0; k < fragment_depth; ++k) {
      for (std::uint32_t column = 0; column < fragment_columns; ++column) {
        sums[row][column] += rows[row][k] * columns[k][column];
      }
    }
  }
  for (std::uint32_t lane = 0; lane < lanes; ++lane) {
    for (std::uint32_t i = 0; i < 4; ++i) {
      float& value = c[lane].values[i];
      value = detail::round_towards_zero(static_cast<double>(value) +
                                         sums[lane_group(lane) + 8 * (i / 2)][2 * lane_member(lane) + i % 2]);
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block

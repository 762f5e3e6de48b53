// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The squares of AvgPool2d, and their means.

#include <cstddef>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail {

/// The squares of a batch's images, row after row; a call takes a run of `Run` neighbours.
template <typename L, std::size_t Run>
struct SquareRuns {
  static constexpr std::size_t run = Run;
  static constexpr std::size_t side = L::square;
  static constexpr std::size_t area = side * side;
  static constexpr std::size_t squares_in_a_row = L::columns / side;

  /// The first element of the run that begins with `square`. An image is whole rows of squares, so the next one goes on
  /// where it ends.
  RETORT_HOST_DEVICE static constexpr std::size_t first_element(std::size_t square) {
    return square / squares_in_a_row * side * L::columns + square % squares_in_a_row * side;
  }

  /// Calls function(element) for the elements of a run's square `index`, row after row, counted from the run's first.
  template <typename Function>
  RETORT_HOST_DEVICE static void for_each_element(std::size_t index, const Function& function) {
    for (std::size_t row = 0; row < side; ++row) {
      for (std::size_t column = 0; column < side; ++column) {
        function(row * L::columns + index * side + column);
      }
    }
  }
};

template <typename Squares, typename Scalar>
struct SquareMeans {
  const Scalar* input;
  Scalar* output;

  RETORT_HOST_DEVICE void operator()(std::size_t index) const {
    const std::size_t first = index * Squares::run;
    const Scalar* x = input + Squares::first_element(first);
    for (std::size_t i = 0; i < Squares::run; ++i) {
      Scalar sum = 0;
      Squares::for_each_element(i, [&](std::size_t element) { sum += x[element]; });
      output[first + i] = sum / static_cast<Scalar>(Squares::area);
    }
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Work on flat memory: a function object for elements, called with as many at a time as suit the system.

#include <cstddef>
#include <source_location>

#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail {

/// Calls function(element) for the elements of one piece.
template <typename Function, std::size_t PieceSize>
struct ForPiece {
  Function function;
  std::size_t size;

  RETORT_HOST_DEVICE void operator()(std::size_t piece) const {
    const std::size_t begin = piece * PieceSize;
    const std::size_t end = begin + PieceSize < size ? begin + PieceSize : size;
    for (std::size_t element = begin; element < end; ++element) {
      function(element);
    }
  }
};

/// Calls function(element) for each element below `size`. `where`: as Thrust::for_each.
template <typename System, typename Function>
void for_each_element(const Thrust<System>& backend, std::size_t size, const Function& function,
                      const std::source_location& where = std::source_location::current()) {
  constexpr std::size_t piece = System::elements_per_call;
  backend.for_each((size + piece - 1) / piece, ForPiece<Function, piece>{function, size}, where);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail

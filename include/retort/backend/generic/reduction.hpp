// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Sums in an order that depends on their length alone: pieces are summed separately, then the pieces' sums, until one
/// is left.

#include <cstddef>
#include <source_location>
#include <span>

#include "retort/backend/generic/generic.hpp"
#include "retort/backend/generic/strands.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail {

/// Whether a call adds up elements that lie apart. On a device they do, so that neighbouring calls read neighbouring
/// elements; on a host a call's elements are neighbours.
template <typename Backend>
inline constexpr bool sums_lie_apart = Backend::elements_per_call == 1;

/// The most elements that a call adds up: enough for a host's thread, few enough for a device to have many calls.
template <typename Backend>
inline constexpr std::size_t sum_piece = sums_lie_apart<Backend> ? 64 : 256;

/// partial[piece] = sum of summand(element) over one piece.
template <typename Summand, std::size_t PieceSize, bool lie_apart>
struct SumPiece {
  Summand summand;
  std::size_t size;
  double* partial;

  RETORT_HOST_DEVICE void operator()(std::size_t piece) const {
    if constexpr (lie_apart) {
      const std::size_t pieces = (size + PieceSize - 1) / PieceSize;
      partial[piece] = sum_in_strands<double>((size - piece + pieces - 1) / pieces,
                                              [&](std::size_t i) { return summand(piece + i * pieces); });
    } else {
      const std::size_t begin = piece * PieceSize;
      const std::size_t end = begin + PieceSize < size ? begin + PieceSize : size;
      partial[piece] = sum_in_strands<double>(end - begin, [&](std::size_t i) { return summand(begin + i); });
    }
  }
};

/// One of many numbers, as a double.
template <typename T>
struct ValueOf {
  const T* values;

  RETORT_HOST_DEVICE double operator()(std::size_t element) const { return static_cast<double>(values[element]); }
};

/// Elements of scratch that `sum` needs.
template <typename Backend>
constexpr std::size_t sum_scratch_size(std::size_t size) {
  std::size_t total = 1;
  while (size > 1) {
    size = (size + sum_piece<Backend> - 1) / sum_piece<Backend>;
    total += size;
  }
  return total;
}

/// Computes the sum of summand(element) over all elements below `size`, and returns where in `scratch` it stands.
/// `scratch`, in the backend's memory, holds sum_scratch_size<Backend>(size) elements. Precondition: size > 0. `where`:
/// see for_each.
template <typename Backend, typename Summand>
const double* sum(const Backend& backend, std::size_t size, const Summand& summand, double* scratch,
                  const std::source_location& where = std::source_location::current()) {
  constexpr std::size_t piece = sum_piece<Backend>;
  constexpr bool lie_apart = sums_lie_apart<Backend>;
  std::size_t pieces = (size + piece - 1) / piece;
  double* partial = scratch;
  for_each_of<piece>(backend, pieces, SumPiece<Summand, piece, lie_apart>{summand, size, partial}, where);
  while (pieces > 1) {
    const std::size_t next = (pieces + piece - 1) / piece;
    for_each_of<piece>(backend, next, SumPiece<ValueOf<double>, piece, lie_apart>{{partial}, pieces, partial + pieces},
                       where);
    partial += pieces;
    pieces = next;
  }
  return partial;
}

/// The sum of summand(element) over all elements below `size`, read back.
template <typename Backend, typename Summand>
double read_sum(const Backend& backend, std::size_t size, const Summand& summand,
                const std::source_location& where = std::source_location::current()) {
  if (size == 0) {
    return 0.0;
  }
  auto scratch = backend.template scratch<double>(sum_scratch_size<Backend>(size));
  double result = 0.0;
  copy_to_host(backend, sum(backend, size, summand, scratch.data(), where), std::span(&result, 1));
  return result;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail

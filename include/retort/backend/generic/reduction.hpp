// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Sums in an order that depends on their length alone: pieces are summed apart, then the pieces' sums, until one is
/// left.

#include <cstddef>
#include <source_location>
#include <span>

#include "retort/backend/generic/generic.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail {

/// partial[piece] = sum of term(element) over one piece.
template <typename Term, std::size_t PieceSize>
struct SumPiece {
  Term term;
  std::size_t size;
  double* partial;

  RETORT_HOST_DEVICE void operator()(std::size_t piece) const {
    const std::size_t begin = piece * PieceSize;
    const std::size_t end = begin + PieceSize < size ? begin + PieceSize : size;
    partial[piece] = sum_in_strands<double>(end - begin, [&](std::size_t i) { return term(begin + i); });
  }
};

struct Element {
  const double* values;

  RETORT_HOST_DEVICE double operator()(std::size_t element) const { return values[element]; }
};

inline constexpr std::size_t sum_piece = 256;

/// Elements of scratch that `sum` needs.
constexpr std::size_t sum_scratch_size(std::size_t size) {
  std::size_t total = 1;
  while (size > 1) {
    size = (size + sum_piece - 1) / sum_piece;
    total += size;
  }
  return total;
}

/// Where in `scratch`, in the backend's memory, the sum of term(element) over all elements below `size` will stand.
/// `scratch` holds sum_scratch_size(size) elements. Precondition: size > 0. `where`: as for_each.
template <typename Backend, typename Term>
const double* sum(const Backend& backend, std::size_t size, const Term& term, double* scratch,
                  const std::source_location& where = std::source_location::current()) {
  std::size_t pieces = (size + sum_piece - 1) / sum_piece;
  double* partial = scratch;
  for_each_of<sum_piece>(backend, pieces, SumPiece<Term, sum_piece>{term, size, partial}, where);
  while (pieces > 1) {
    const std::size_t next = (pieces + sum_piece - 1) / sum_piece;
    for_each_of<sum_piece>(backend, next, SumPiece<Element, sum_piece>{{partial}, pieces, partial + pieces}, where);
    partial += pieces;
    pieces = next;
  }
  return partial;
}

/// The sum of term(element) over all elements below `size`, read back.
template <typename Backend, typename Term>
double read_sum(const Backend& backend, std::size_t size, const Term& term,
                const std::source_location& where = std::source_location::current()) {
  if (size == 0) {
    return 0.0;
  }
  auto scratch = backend.template scratch<double>(sum_scratch_size(size));
  double result = 0.0;
  copy_to_host(backend, sum(backend, size, term, scratch.data(), where), std::span(&result, 1));
  return result;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail

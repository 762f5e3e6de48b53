// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Sums over a batch of what stands in rows of panels: one for each feature.

#include <array>
#include <cstddef>

#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// For each of `Rows` rows from `row` on, the sum over the batch of term(r, place), a vector of samples that lies at
/// `place` in a matrix (features, batch). Lanes after the last sample do not count, whatever is in them. It adds up
/// several rows at once, as each sum waits for its last addition.
template <std::size_t Rows, typename V, typename Term>
std::array<simd::ScalarOf<V>, Rows> sum_row_tile(std::size_t features, std::size_t batch, std::size_t row,
                                                 const Term& term) {
  using Scalar = simd::ScalarOf<V>;
  std::array<V, Rows> sums;
  sums.fill(V(Scalar{0}));
  for_each_panel<Scalar>(batch, {row, row + Rows}, [&](const PanelRows<Scalar>& panel) {
    const std::size_t place = panel.place(features) + row * width<Scalar>;
    simd::for_each_vector<V>(panel.samples, [&](std::size_t at, std::size_t count) {
      for (std::size_t r = 0; r < Rows; ++r) {
        const V value = term(r, place + r * width<Scalar> + at);
        sums[r] += count == simd::lanes<V> ? value : simd::first_elements(value, count);
      }
    });
  });
  std::array<Scalar, Rows> result;
  for (std::size_t r = 0; r < Rows; ++r) {
    result[r] = simd::sum_lanes(sums[r]);
  }
  return result;
}

/// Hands rows of sums (features), the gradients of one parameter of each feature, to `sink(offset, vector[, count])`.
/// The parameters begin at `offset`.
template <typename V, typename Sink>
void sink_sums(const simd::ScalarOf<V>* sums, RowRange rows, std::size_t offset, const Sink& sink) {
  simd::for_each_vector<V>(rows.count(), [&](std::size_t at, std::size_t count) {
    const simd::ScalarOf<V>* values = sums + rows.begin + at;
    if (count == simd::lanes<V>) {
      sink(offset + rows.begin + at, simd::load<V>(values));
    } else {
      sink(offset + rows.begin + at, simd::load_partial<V>(values, count), count);
    }
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel

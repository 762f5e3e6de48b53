// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Batches out of a dataset on the Eigen backend: shuffle, shift and normalise in one pass over the samples asked for.

#include <cstddef>
#include <cstdint>
#include <span>

#include "retort/backend/eigen/eigen.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/permutation.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// order[i] = permutation(i), for all of them.
inline void shuffle_samples(const Eigen& backend, const RandomPermutation& permutation, std::uint32_t* order) {
  detail::for_each_flat_chunk(backend, permutation.size(), [&](std::size_t begin, std::size_t count) {
    permutation.fill(static_cast<std::uint32_t>(begin), std::span(order + begin, count));
  });
}

/// inputs (count, features): the samples named, normalised, each moved by its shift of this epoch.
template <typename Scalar>
void gather_batch(const Eigen&, const data::DatasetView& data, const std::uint32_t* samples, std::size_t count,
                  data::RandomShift shift, Seed seed, std::uint32_t epoch, Scalar* inputs) {
  const data::GatherConstants<Scalar> constants(data);
  for (const std::uint32_t sample : std::span(samples, count)) {
    data::gather_row(data, constants, sample, data::shift_offset(shift, seed, epoch, sample), inputs);
    inputs += data.features;
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

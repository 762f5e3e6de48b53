#pragma once
/// @file
/// Batches out of a dataset on the Eigen backend: shuffle, shift and normalise in one pass over the samples asked for.

#include <cstddef>
#include <cstdint>
#include <span>

#include "retort/backend/eigen/eigen.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"

namespace retort::backend {

/// inputs (indices.size(), features): the samples named, normalised, each moved by its shift of this epoch.
template <typename Scalar>
void gather_batch(const Eigen&, const data::DatasetView& data, std::span<const std::uint32_t> indices,
                  data::RandomShift shift, Seed seed, std::uint32_t epoch, Scalar* inputs) {
  const data::GatherConstants<Scalar> constants(data);
  for (const std::uint32_t index : indices) {
    if (shift.pixels == 0) {
      data::gather_row(data, constants, index, inputs);
    } else {
      data::gather_row(data, constants, index, data::shift_offset(shift, seed, epoch, index), inputs);
    }
    inputs += data.features;
  }
}

}  // namespace retort::backend

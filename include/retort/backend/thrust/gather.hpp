// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// An epoch's order and its batches on Thrust: pixels stay bytes until they are gathered.

#include <cstddef>
#include <cstdint>

#include "retort/backend/thrust/elements.hpp"
#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/permutation.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

struct PermutedSample {
  RandomPermutation permutation;
  std::uint32_t* order;

  RETORT_HOST_DEVICE void operator()(std::size_t position) const {
    order[position] = permutation(static_cast<std::uint32_t>(position));
  }
};

/// Writes `features_per_call` features of one row: features [piece * features_per_call, ...) of row call / pieces.
template <typename Scalar>
struct GatherFeatures {
  data::DatasetView data;
  data::GatherConstants<Scalar> constants;
  const std::uint32_t* samples;  // null: the samples from first_sample on
  std::uint32_t first_sample;
  data::RandomShift shift;
  Seed seed;
  std::uint32_t epoch;
  std::size_t features_per_call;
  std::size_t pieces;  // of a row
  Scalar* inputs;      // (count, features)

  RETORT_HOST_DEVICE void operator()(std::size_t call) const {
    const std::size_t row = call / pieces;
    const std::size_t begin = call % pieces * features_per_call;
    const std::size_t end = begin + features_per_call < data.features ? begin + features_per_call : data.features;
    const std::uint32_t sample = samples == nullptr ? first_sample + static_cast<std::uint32_t>(row) : samples[row];
    const data::PixelOffset offset = data::shift_offset(shift, seed, epoch, sample);
    for (std::size_t feature = begin; feature < end; ++feature) {
      inputs[row * data.features + feature] = data::gathered_feature(data, constants, sample, offset, feature);
    }
  }
};

/// `samples` null: those from first_sample on.
template <typename System, typename Scalar>
void gather(const Thrust<System>& backend, const data::DatasetView& data, const std::uint32_t* samples,
            std::uint32_t first_sample, std::size_t count, data::RandomShift shift, Seed seed, std::uint32_t epoch,
            Scalar* inputs) {
  constexpr std::size_t features_per_call = System::elements_per_call;
  const std::size_t pieces = (data.features + features_per_call - 1) / features_per_call;
  backend.for_each(count * pieces,
                   GatherFeatures<Scalar>{data, data::GatherConstants<Scalar>(data), samples, first_sample, shift, seed,
                                          epoch, features_per_call, pieces, inputs});
}

}  // namespace detail

/// order[i] = permutation(i), for all of them.
template <typename System>
void shuffle_samples(const Thrust<System>& backend, const RandomPermutation& permutation, std::uint32_t* order) {
  detail::for_each_element(backend, permutation.size(), detail::PermutedSample{permutation, order});
}

/// inputs (count, features): the samples named, normalised, each moved by its shift of this epoch.
template <typename System, typename Scalar>
void gather_batch(const Thrust<System>& backend, const data::DatasetView& data, const std::uint32_t* samples,
                  std::size_t count, data::RandomShift shift, Seed seed, std::uint32_t epoch, Scalar* inputs) {
  detail::gather(backend, data, samples, 0, count, shift, seed, epoch, inputs);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

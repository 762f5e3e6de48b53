// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// An epoch's order and its batches: pixels stay bytes until they are gathered.

#include <cstddef>
#include <cstdint>
#include <span>

#include "retort/backend/generic/generic.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/permutation.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// A row is an image of some hundred pixels.
inline constexpr std::size_t gather_row_work = 512;

struct PermutedSample {
  RandomPermutation permutation;
  std::uint32_t* order;

  RETORT_HOST_DEVICE void operator()(std::size_t position) const {
    order[position] = permutation(static_cast<std::uint32_t>(position));
  }
};

/// A run of `Size` positions, on a host.
template <std::size_t Size>
struct PermutedSamples {
  RandomPermutation permutation;
  std::uint32_t* order;

  void operator()(std::size_t run) const {
    const std::size_t begin = run * Size;
    const std::size_t left = permutation.size() - begin;
    permutation.fill(static_cast<std::uint32_t>(begin), std::span(order + begin, left < Size ? left : Size));
  }
};

/// The samples of a batch: those listed, or those from `first` on where `listed` is null.
struct BatchSamples {
  const std::uint32_t* listed;
  std::uint32_t first = 0;

  RETORT_HOST_DEVICE std::uint32_t operator[](std::size_t row) const {
    return listed == nullptr ? first + static_cast<std::uint32_t>(row) : listed[row];
  }
};

/// Writes one feature of one row of a batch.
template <typename Scalar>
struct GatherFeature {
  data::DatasetView data;
  data::GatherConstants<Scalar> constants;
  BatchSamples samples;
  data::View view;
  Scalar* inputs;  // (count, features)

  RETORT_HOST_DEVICE void operator()(std::size_t element) const {
    const std::size_t row = element / data.features;
    const std::uint32_t sample = samples[row];
    const data::PixelOffset offset = view.offset(sample);
    inputs[element] = data::gathered_feature(data, constants, sample, offset, element - row * data.features);
  }
};

/// The same for samples that are distorted.
template <typename Scalar>
struct GatherDistortedFeature {
  GatherFeature<Scalar> gather;

  RETORT_HOST_DEVICE void operator()(std::size_t element) const {
    const std::size_t row = element / gather.data.features;
    gather.inputs[element] = data::distorted_feature(gather.data, gather.constants, gather.samples[row], gather.view,
                                                     element - row * gather.data.features);
  }
};

/// Writes one row of a batch, on a host.
template <typename Scalar>
struct GatherRow {
  GatherFeature<Scalar> gather;

  void operator()(std::size_t row) const {
    const std::uint32_t sample = gather.samples[row];
    data::gather_row(gather.data, gather.constants, sample, gather.view, gather.inputs + row * gather.data.features);
  }
};

template <typename B, typename Scalar>
void gather(const B& backend, std::size_t count, const GatherFeature<Scalar>& gather_feature) {
  if constexpr (B::host_memory) {
    for_each_of<gather_row_work>(backend, count, GatherRow<Scalar>{gather_feature});
  } else if (gather_feature.view.augmentation.distorts()) {
    for_each(backend, count * gather_feature.data.features, GatherDistortedFeature<Scalar>{gather_feature});
  } else {
    for_each(backend, count * gather_feature.data.features, gather_feature);
  }
}

}  // namespace detail

/// order[i] = permutation(i), for all i.
template <typename B>
void shuffle_samples(const Generic<B>& generic, const RandomPermutation& permutation, std::uint32_t* order) {
  if constexpr (B::host_memory) {
    constexpr std::size_t run = B::elements_per_call;
    detail::for_each(generic.self(), (permutation.size() + run - 1) / run,
                     detail::PermutedSamples<run>{permutation, order});
  } else {
    detail::for_each(generic.self(), permutation.size(), detail::PermutedSample{permutation, order});
  }
}

/// inputs (count, features): the given samples, normalised and augmented.
template <typename B, typename Scalar>
void gather_batch(const Generic<B>& generic, const data::DatasetView& data, const std::uint32_t* samples,
                  std::size_t count, const data::View& view, Scalar* inputs) {
  detail::gather(generic.self(), count,
                 detail::GatherFeature<Scalar>{data, data::GatherConstants<Scalar>(data), {samples}, view, inputs});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model's inputs in panels: batches of a dataset, and rows that the caller laid out.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_scratch.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"
#include "retort/simd/bytes.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/transpose.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// inputs (in, count) of one panel from `count` rows (count, in).
template <typename V>
void fill_panel(simd::Rows<const simd::ScalarOf<V>> rows, std::size_t count, std::size_t in,
                simd::ScalarOf<V>* inputs) {
  simd::transpose<V>(rows, count, in, {inputs, width<simd::ScalarOf<V>>});
}

/// inputs (in, count) of one panel, where make_row(sample, row) writes the row (in) of each.
template <typename Scalar, typename MakeRow>
void fill_panel_by_rows(std::size_t count, std::size_t in, Scalar* panel, const MakeRow& make_row) {
  struct RowsTag;
  Scalar* rows = internal::thread_scratch<Scalar, RowsTag>(width<Scalar> * in);
  for (std::size_t sample = 0; sample < count; ++sample) {
    make_row(sample, rows + sample * in);
  }
  fill_panel<simd::Vector<Scalar>>(simd::Rows<const Scalar>{rows, in}, count, in, panel);
}

/// Rows of bytes that fill a panel; the last sample's row is repeated, as whole squares are read.
inline constexpr std::size_t byte_square = 16;
template <typename Scalar>
using ByteRows = std::array<const std::uint8_t*, width<Scalar> + byte_square>;

template <typename Scalar>
ByteRows<Scalar> byte_rows(const data::DatasetView& data, std::span<const std::uint32_t> samples) {
  ByteRows<Scalar> rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = data.bytes + std::size_t{samples[std::min(i, samples.size() - 1)]} * data.features;
  }
  return rows;
}

/// `count` consecutive rows.
template <typename Scalar>
ByteRows<Scalar> byte_rows(simd::Rows<const std::uint8_t> rows, std::size_t count) {
  ByteRows<Scalar> pointers;
  for (std::size_t i = 0; i < pointers.size(); ++i) {
    pointers[i] = rows.data + std::min(i, count - 1) * rows.stride;
  }
  return pointers;
}

namespace detail {

/// Samples that are transposed together: as many squares as fill a register, but no more samples than a panel has.
template <typename Scalar>
inline constexpr std::size_t byte_step = std::min(width<Scalar>, std::max(byte_square, sizeof(simd::Vector<Scalar>)));

/// Calls write(bytes, place) for every feature of `count` samples, byte_step or more of them at a time; `place` is
/// where the first of them stands in the panel.
template <typename Scalar, typename Write>
void for_each_byte_column(const std::uint8_t* const* rows, std::size_t count, std::size_t in, const Write& write) {
  constexpr std::size_t squares = std::max(std::size_t{1}, byte_step<Scalar> / byte_square);
  const std::size_t whole = in / byte_square * byte_square;
  for (std::size_t feature = 0; feature < whole; feature += byte_square) {
    for (std::size_t first = 0; first < count; first += byte_step<Scalar>) {
      simd::transpose_bytes<squares>(
          rows + first, feature, [&](std::size_t column, const auto& bytes) __attribute__((always_inline)) {
            write(reinterpret_cast<const std::uint8_t*>(&bytes), (feature + column) * width<Scalar> + first);
          });
    }
  }
  for (std::size_t feature = whole; feature < in; ++feature) {
    for (std::size_t first = 0; first < count; first += byte_step<Scalar>) {
      std::array<std::uint8_t, byte_step<Scalar>> bytes;
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = rows[first + i][feature];
      }
      write(bytes.data(), feature * width<Scalar> + first);
    }
  }
}

}  // namespace detail

/// bytes (in, count) of one panel.
template <typename Scalar>
[[gnu::noinline]] void fill_byte_panel(const std::uint8_t* const* rows, std::size_t count, std::size_t in,
                                       std::uint8_t* panel) {
  detail::for_each_byte_column<Scalar>(
      rows, count, in, [&](const std::uint8_t* bytes, std::size_t place) __attribute__((always_inline)) {
        std::memcpy(panel + place, bytes, detail::byte_step<Scalar>);
      });
}

/// inputs (in, count) of one panel: the bytes, normalised.
template <typename V>
[[gnu::noinline]] void fill_panel_with_bytes(const std::uint8_t* const* rows, std::size_t count, std::size_t in,
                                             const data::GatherConstants<simd::ScalarOf<V>>& constants,
                                             simd::ScalarOf<V>* inputs) {
  using Scalar = simd::ScalarOf<V>;
  const V scale(constants.scale);
  const V offset(constants.offset);
  detail::for_each_byte_column<Scalar>(rows, count, in, [&](const std::uint8_t* bytes, std::size_t place) {
    for (std::size_t at = 0; at < detail::byte_step<Scalar>; at += simd::lanes<V>) {
      fma(simd::load_bytes<V>(bytes + at), scale, offset).store_aligned(inputs + place + at);
    }
  });
}

/// Some features of the given samples' real numbers, (features, count) of one panel, normalised.
template <typename Scalar>
void fill_panel_with_reals(const data::DatasetView& data, const data::GatherConstants<Scalar>& constants,
                           std::span<const std::uint32_t> samples, RowRange features, Scalar* panel) {
  fill_panel_by_rows<Scalar>(samples.size(), features.count(), panel, [&](std::size_t i, Scalar* row) {
    const float* reals = data.reals + std::size_t{samples[i]} * data.features;
    std::transform(reals + features.begin, reals + features.end, row, constants);
  });
}

/// inputs (in, count) of one panel: the given samples, normalised.
template <typename V>
void fill_panel(const data::DatasetView& data, const data::GatherConstants<simd::ScalarOf<V>>& constants,
                std::span<const std::uint32_t> samples, simd::ScalarOf<V>* inputs) {
  using Scalar = simd::ScalarOf<V>;
  if (data.bytes != nullptr) {
    fill_panel_with_bytes<V>(byte_rows<Scalar>(data, samples).data(), samples.size(), data.features, constants, inputs);
  } else {
    fill_panel_with_reals(data, constants, samples, {0, data.features}, inputs);
  }
}

/// Fetches a sample's row, which lies anywhere in memory: no processor foresees where.
template <simd::PrefetchFor purpose>
void fetch_row(const data::DatasetView& data, std::size_t sample) {
  const std::size_t size = data.features * (data.bytes != nullptr ? 1 : sizeof(float));
  const void* row = data.bytes != nullptr ? static_cast<const void*>(data.bytes + sample * size)
                                          : data.reals + sample * data.features;
  for (std::size_t at = 0; at < size; at += arena_alignment) {
    simd::prefetch<purpose>(row, at);
  }
}

/// Fetches samples [first, first + count) of the next batch, as far as it has them, while this batch's are gathered.
inline void fetch_ahead(const TrainingBatch& batch, std::size_t first, std::size_t count) {
  for (std::size_t position = first; position < std::min(first + count, batch.following); ++position) {
    fetch_row<simd::PrefetchFor::later_reading>(batch.data, batch.samples[batch.size + position]);
  }
}

/// Rows (samples, in) of a training batch of bytes, which stay as they are: the given samples, augmented. Precondition:
/// the augmentation is a shift.
inline void copy_byte_rows(const TrainingBatch& batch, std::span<const std::uint32_t> samples,
                           simd::Rows<std::uint8_t> rows) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    data::copy_byte_row(batch.data, samples[i], batch.view.offset(samples[i]), rows.data + i * rows.stride);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel

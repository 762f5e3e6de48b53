#pragma once
/// @file
/// What enters a model in panels: batches out of a dataset, and rows that somebody else laid out.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"
#include "retort/simd/bytes.hpp"
#include "retort/simd/transpose.hpp"
#include "retort/simd/vector.hpp"

namespace retort::backend::panel {

/// inputs (in, count) of one panel from `count` rows (count, in).
template <typename V>
void fill_panel(simd::Rows<const simd::ScalarOf<V>> rows, std::size_t count, std::size_t in,
                simd::ScalarOf<V>* inputs) {
  simd::transpose<V>(rows, count, in, {inputs, width<simd::ScalarOf<V>>});
}

/// The same from a dataset of bytes, which are transposed while they are bytes and normalised behind that.
template <typename Scalar>
void fill_panel_with_bytes(const data::DatasetView& data, const data::GatherConstants<Scalar>& constants,
                           std::span<const std::uint32_t> samples, Scalar* inputs) {
  constexpr std::size_t side = 16;
  constexpr std::size_t step = std::min(side, width<Scalar>);  // samples at a time; a panel holds a multiple of them
  std::array<const std::uint8_t*, width<Scalar> + side> rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {  // the last sample stands in for those behind it
    rows[i] = data.bytes + std::size_t{samples[std::min(i, samples.size() - 1)]} * data.features;
  }
  std::array<std::array<std::uint8_t, side>, side> columns;
  for (std::size_t feature = 0; feature < data.features; feature += side) {
    const std::size_t features = std::min(side, data.features - feature);
    for (std::size_t first = 0; first < samples.size(); first += step) {
      if (features == side) {
        simd::transpose_bytes(rows.data() + first, feature, columns);
      } else {
        for (std::size_t column = 0; column < features; ++column) {
          for (std::size_t i = 0; i < side; ++i) {
            columns[column][i] = rows[first + i][feature + column];
          }
        }
      }
      Scalar* output = inputs + feature * width<Scalar> + first;
      for (std::size_t column = 0; column < features; ++column) {
        simd::convert_bytes<step>(columns[column].data(), constants.scale, constants.offset,
                                  output + column * width<Scalar>);
      }
    }
  }
}

/// inputs (in, count) of one panel: the samples named, normalised.
template <typename V>
void fill_panel(const data::DatasetView& data, const data::GatherConstants<simd::ScalarOf<V>>& constants,
                std::span<const std::uint32_t> samples, simd::ScalarOf<V>* inputs) {
  using Scalar = simd::ScalarOf<V>;
  if (data.bytes != nullptr) {
    fill_panel_with_bytes(data, constants, samples, inputs);
    return;
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const float* row = data.reals + std::size_t{samples[i]} * data.features;
    for (std::size_t feature = 0; feature < data.features; ++feature) {
      inputs[feature * width<Scalar> + i] = constants(row[feature]);
    }
  }
}

/// Rows (samples, in) of a training batch: the samples named, shifted, normalised.
template <typename Scalar>
void gather_rows(const TrainingBatch& batch, const data::GatherConstants<Scalar>& constants,
                 std::span<const std::uint32_t> samples, simd::Rows<Scalar> rows) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (batch.shift.pixels == 0) {
      data::gather_row(batch.data, constants, samples[i], rows.data + i * rows.stride);
    } else {
      data::gather_row(batch.data, constants, samples[i],
                       data::shift_offset(batch.shift, batch.seed, batch.epoch, samples[i]),
                       rows.data + i * rows.stride);
    }
  }
}

}  // namespace retort::backend::panel

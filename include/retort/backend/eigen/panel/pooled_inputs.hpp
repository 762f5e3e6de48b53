// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Models that begin with AvgPool2d on panels: the layer learns nothing, so each sample is pooled as it is gathered,
/// and all else is done by the layers after it.

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "retort/backend/eigen/panel/inputs.hpp"
#include "retort/backend/generic/avg_pool2d.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_scratch.hpp"
#include "retort/data/gather.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/simd/tile.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

namespace detail {

template <typename M>
struct Pooling {
  using Layer = void;
  using Rest = M;
};
template <typename Input, std::size_t K, Layer... Layers>
  requires(SizedLayer<Layers> || ...)
struct Pooling<Sequential<AvgPool2d<Input, K>, Layers...>> {
  using Layer = AvgPool2d<Input, K>;
  using Rest = Sequential<Layers...>;
};

}  // namespace detail

/// The AvgPool2d that a model begins with; void for none.
template <typename M>
using PoolingOf = typename detail::Pooling<M>::Layer;
/// A model without that layer. Its tensors lie where they lie in the whole model's arenas.
template <typename M>
using AfterPooling = typename detail::Pooling<M>::Rest;

template <typename M>
inline constexpr bool pools_inputs = !std::is_void_v<PoolingOf<M>>;

namespace detail {

/// output (out): the means of bytes (in), normalised. Sums down the columns, which lie side by side, then along them: a
/// row is whole squares, so neighbours of all rows are summed alike.
template <typename L, typename Scalar>
void pool_bytes(const std::uint8_t* bytes, data::GatherConstants<Scalar> constants, Scalar* output) {
  constexpr std::size_t side = L::square;
  constexpr std::size_t area = side * side;
  using Sum = std::conditional_t<area * 255 <= 0xFFFF, std::uint16_t, std::uint32_t>;
  struct SumsTag;
  constants.scale /= static_cast<Scalar>(area);
  Sum* __restrict sums = internal::thread_scratch<Sum, SumsTag>(L::input_size / side);
  for (std::size_t row = 0; row < L::input_size / L::columns / side; ++row) {
    const std::uint8_t* above = bytes + row * side * L::columns;
    for (std::size_t column = 0; column < L::columns; ++column) {
      Sum sum = 0;
      for (std::size_t i = 0; i < side; ++i) {
        sum = static_cast<Sum>(sum + above[i * L::columns + column]);
      }
      sums[row * L::columns + column] = sum;
    }
  }
  for (std::size_t square = 0; square < L::output_size; ++square) {
    Sum sum = 0;
    for (std::size_t i = 0; i < side; ++i) {
      sum = static_cast<Sum>(sum + sums[square * side + i]);
    }
    output[square] = constants(sum);
  }
}

/// output (out): the means of numbers (in).
template <typename L, typename Scalar>
void pool_numbers(const Scalar* numbers, Scalar* output) {
  using Squares = backend::detail::SquareRuns<L, L::columns / L::square>;
  const backend::detail::SquareMeans<Squares, Scalar> means{numbers, output};
  for (std::size_t run = 0; run < L::output_size / Squares::run; ++run) {
    means(run);
  }
}

/// output (out): a sample of a dataset, augmented, normalised and pooled. Where its bytes are no more than moved they
/// are summed as bytes.
template <typename L, typename Scalar>
void gather_pooled_row(const data::DatasetView& data, const data::GatherConstants<Scalar>& constants,
                       std::uint32_t sample, const data::View& view, Scalar* output) {
  if (data.bytes != nullptr && !view.augmentation.distorts()) {
    const std::uint8_t* bytes = data.bytes + std::size_t{sample} * L::input_size;
    if (view.augmentation.is_set()) {
      struct MovedTag;
      std::uint8_t* moved = internal::thread_scratch<std::uint8_t, MovedTag>(L::input_size);
      data::copy_byte_row(data, sample, view.offset(sample), moved);
      bytes = moved;
    }
    pool_bytes<L>(bytes, constants, output);
    return;
  }
  struct WholeTag;
  Scalar* whole = internal::thread_scratch<Scalar, WholeTag>(L::input_size);
  data::gather_row(data, constants, sample, view, whole);
  pool_numbers<L>(whole, output);
}

}  // namespace detail

/// Rows (samples, in) of a training batch for the layers after the pooling of M, if it has any: the given samples,
/// augmented, normalised and pooled.
template <typename M, typename Scalar>
void gather_input_rows(const TrainingBatch& batch, const data::GatherConstants<Scalar>& constants,
                       std::span<const std::uint32_t> samples, simd::Rows<Scalar> rows) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    Scalar* row = rows.data + i * rows.stride;
    if (i + 1 < samples.size()) {
      fetch_row<simd::PrefetchFor::reading>(batch.data, samples[i + 1]);
    }
    if constexpr (pools_inputs<M>) {
      detail::gather_pooled_row<PoolingOf<M>>(batch.data, constants, samples[i], batch.view, row);
    } else {
      data::gather_row(batch.data, constants, samples[i], batch.view, row);
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel

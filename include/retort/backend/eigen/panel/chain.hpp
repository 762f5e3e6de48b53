// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Runs of pointwise layers on panels, a few rows at a time while they are in the first-level cache.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/chain.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/eigen/simd_chain.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/nn/layer.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

namespace detail {

/// Rows that go through a chain together: one block of random numbers holds their dropout masks.
inline constexpr std::size_t group_rows = internal::chain_group;

/// Words of random numbers for the samples of a panel, and at least enough to fill registers. Not inlined: g++ turns
/// the rounds into SIMD when they stand alone, but not between other loops.
template <typename Scalar>
inline constexpr std::size_t drawn_together = std::max(width<Scalar>, std::size_t{16});
template <std::size_t Count>
using DrawnWords = std::array<std::array<std::uint32_t, Count>, group_rows>;
template <std::size_t Count>
[[gnu::noinline]] void draw_words(const RandomStream& stream, std::uint64_t first_block, std::uint64_t stride,
                                  DrawnWords<Count>& words) {
  stream.fill_strided_blocks<Count>(first_block, stride, words);
}

template <typename L, std::size_t Count, typename Scalar>
[[gnu::noinline]] void choose_factors(const DrawnWords<Count>& words, std::size_t rows, Scalar* factors) {
  constexpr auto scale = static_cast<Scalar>(L::scale);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t i = 0; i < Count; ++i) {
      factors[r * width<Scalar> + i] = words[r][i] < L::threshold ? Scalar{0} : scale;
    }
  }
}

/// Dropout's factors for at most group_rows rows, unused lanes of the last vector included. In a layer `features` wide,
/// feature f of sample b is element b * features + f of the batch. Precondition: there is room for drawn_together
/// factors in each row.
template <typename L, typename Scalar>
void dropout_factors(const RandomStream& stream, std::size_t features, const PanelRows<Scalar>& group,
                     Scalar* factors) {
  const std::size_t first_element = group.first_sample() * features + group.begin;
  if (features % group_rows == 0 && group.begin % group_rows == 0) {
    DrawnWords<drawn_together<Scalar>> words;
    draw_words(stream, first_element / group_rows, features / group_rows, words);
    choose_factors<L>(words, group.count(), factors);
    return;
  }
  constexpr auto scale = static_cast<Scalar>(L::scale);
  const std::size_t samples = group.vectors() * simd::lanes<simd::Vector<Scalar>>;
  for (std::size_t r = 0; r < group.count(); ++r) {
    for (std::size_t sample = 0; sample < samples; ++sample) {
      const std::uint64_t element = first_element + sample * features + r;
      factors[r * width<Scalar> + sample] = stream.word(element) < L::threshold ? Scalar{0} : scale;
    }
  }
}

/// values = L(values) and, with `differentiate`, gradients *= L'(values), both for at most group_rows rows.
template <typename L, bool training, bool differentiate, typename V>
void apply_layer(const LayerRandom& random, std::size_t features, const PanelRows<simd::ScalarOf<V>>& group,
                 simd::ScalarOf<V>* values, simd::ScalarOf<V>* gradients) {
  using Scalar = simd::ScalarOf<V>;
  [[maybe_unused]] const std::size_t rows = group.count();
  [[maybe_unused]] const std::size_t vectors = group.vectors();
  if constexpr (DropoutLayer<L>) {
    if constexpr (training && L::threshold > 0) {
      // Where a panel is narrower than drawn_together, a row's surplus lies where the next row's factors will be.
      alignas(arena_alignment) std::array<Scalar, group_rows * width<Scalar> + drawn_together<Scalar>> factors;
      dropout_factors<L>(random.stream(Stream::dropout), features, group, factors.data());
      for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t v = 0; v < vectors; ++v) {
          const std::size_t at = r * width<Scalar> + v * simd::lanes<V>;
          const V factor = simd::load<V>(factors.data() + at);
          const auto dropped = factor == V(Scalar{0});
          select(dropped, V(Scalar{0}), factor * V::load_aligned(values + at)).store_aligned(values + at);
          if constexpr (differentiate) {
            select(dropped, V(Scalar{0}), factor * V::load_aligned(gradients + at)).store_aligned(gradients + at);
          }
        }
      }
    }
  } else {
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t at = r * width<Scalar>;
      backend::detail::apply_elementwise<L, differentiate, V>(vectors * simd::lanes<V>, values + at,
                                                              differentiate ? gradients + at : nullptr);
    }
  }
}

template <bool training, bool differentiate, typename V, PointwiseLayer... Layers>
void apply_layers(Chain<Layers...>, LayerRandom random, std::size_t features, const PanelRows<simd::ScalarOf<V>>& group,
                  simd::ScalarOf<V>* values, simd::ScalarOf<V>* gradients = nullptr) {
  (static_cast<void>(
       (apply_layer<Layers, training, differentiate, V>(random, features, group, values, gradients), ++random.layer)),
   ...);
}

/// Calls function(group, offset of its first element) for the rows, at most group_rows at a time. Groups begin at
/// multiples of group_rows where the rows do.
template <typename Scalar, typename Function>
void for_each_group(const PanelRows<Scalar>& rows, const Function& function) {
  for (std::size_t row = rows.begin; row < rows.end; row += group_rows) {
    function(PanelRows<Scalar>{{row, std::min(row + group_rows, rows.end)}, rows.index, rows.samples},
             row * width<Scalar>);
  }
}

}  // namespace detail

/// The chain in place on rows of a panel of `features` rows; with `training` dropout acts.
template <bool training, typename V, typename C>
void chain_rows(C chain, LayerRandom random, std::size_t features, const PanelRows<simd::ScalarOf<V>>& rows,
                simd::ScalarOf<V>* values) {
  detail::for_each_group(rows, [&](const auto& group, std::size_t offset) {
    detail::apply_layers<training, false, V>(chain, random, features, group, values + offset);
  });
}

/// gradients *= the chain's derivative, in place, on rows of a panel. `values` is the chain's output if its
/// derivative follows from that, else its input.
template <typename V, typename C>
void chain_gradient_rows(C chain, LayerRandom random, std::size_t features, const PanelRows<simd::ScalarOf<V>>& rows,
                         const simd::ScalarOf<V>* values, simd::ScalarOf<V>* gradients) {
  using Scalar = simd::ScalarOf<V>;
  detail::for_each_group(rows, [&](const auto& group, std::size_t offset) {
    if constexpr (internal::differentiable_by_output<C>) {
      const std::size_t vectors = group.vectors();
      for (std::size_t r = 0; r < group.count(); ++r) {
        for (std::size_t v = 0; v < vectors; ++v) {
          const std::size_t at = offset + r * width<Scalar> + v * simd::lanes<V>;
          const V gradient = internal::scale_kept(chain, V::load_aligned(gradients + at));
          select(V::load_aligned(values + at) > V(Scalar{0}), gradient, V(Scalar{0})).store_aligned(gradients + at);
        }
      }
    } else {
      alignas(arena_alignment) std::array<Scalar, detail::group_rows * width<Scalar>> inputs;
      std::copy_n(values + offset, group.count() * width<Scalar>, inputs.data());
      detail::apply_layers<true, true, V>(chain, random, features, group, inputs.data(), gradients + offset);
    }
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel

#pragma once
/// @file
/// What a block keeps in its shared memory while it trains a model, and how its threads share the work: all of it
/// follows from the model.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/chip/stages.hpp"
#include "retort/backend/cuda/chip/team.hpp"
#include "retort/nn/layer.hpp"

namespace retort::backend::chip {

/// The shared memory that a block can have from compute capability 9.0 on (CUDA C++ Programming Guide, "Technical
/// specifications per compute capability": 227 KB), less what holds its job. In bytes.
inline constexpr std::size_t block_memory = 232448 - 1024;

/// Registers that hold a thread's moments at most.
inline constexpr std::size_t moment_registers = 80;

/// How the inputs of a model lie in the block's memory.
enum class InputKind {
  bytes,  ///< four neighbouring features of a sample in a word, normalised where they are multiplied
  reals,  ///< normalised when they are gathered
};

namespace detail {

/// What can be chosen: samples of a chunk, how many chunks' inputs are there at once, and into how many slices the
/// depth of a product is cut at most.
struct Choice {
  std::size_t samples;
  std::size_t input_buffers;
  std::size_t slice_limit;
};

template <StagedModel M>
constexpr std::size_t tile_count() {
  std::size_t tiles = 0;
  for (const StageSizes& stage : stage_sizes<M>) {
    tiles += stage.weight_tiles;
  }
  return tiles;
}

template <StagedModel M>
constexpr std::size_t bias_count() {
  std::size_t biases = 0;
  for (const StageSizes& stage : stage_sizes<M>) {
    biases += stage.biases;
  }
  return biases;
}

/// Threads of a block: one for each tile of weights where that is possible.
template <StagedModel M>
constexpr std::size_t thread_count() {
  const std::size_t warps = (tile_count<M>() + team_lanes - 1) / team_lanes;
  return std::clamp<std::size_t>(warps, 4, 16) * team_lanes;
}

/// Slices for a product of so many tiles and such a depth: as many as there are warps for, but none that is not worth
/// adding.
constexpr std::size_t slice_count(std::size_t tiles, std::size_t depth, std::size_t warps, std::size_t limit) {
  constexpr std::size_t shortest = 4;
  return std::max<std::size_t>(std::min({warps / tiles, depth / shortest, limit}), 1);
}

/// A feature's samples and what is between them and the next feature's: whole quads of samples can be loaded, and
/// neighbouring features begin in different banks.
constexpr std::size_t feature_stride(const Choice& choice) { return choice.samples + quad; }

/// Of words of input: neighbouring words of a sample lie in different banks.
constexpr std::size_t word_stride(const Choice& choice) { return choice.samples + 1; }

constexpr std::size_t stage_elements(const StageSizes& stage, const Choice& choice) {
  return stage.out * feature_stride(choice) * (stage.keeps_outputs ? 2 : 1);
}

/// Elements of the stages before one; for as many as there are, of all.
template <StagedModel M>
constexpr std::size_t elements_before(std::size_t index, const Choice& choice) {
  std::size_t elements = 0;
  for (std::size_t i = 0; i < index; ++i) {
    elements += stage_elements(stage_sizes<M>[i], choice);
  }
  return elements;
}

template <StagedModel M>
constexpr std::size_t tiles_before(std::size_t index) {
  std::size_t tiles = 0;
  for (std::size_t i = 0; i < index; ++i) {
    tiles += stage_sizes<M>[i].weight_tiles;
  }
  return tiles;
}

template <StagedModel M>
constexpr std::size_t biases_before(std::size_t index) {
  std::size_t biases = 0;
  for (std::size_t i = 0; i < index; ++i) {
    biases += stage_sizes<M>[i].biases;
  }
  return biases;
}

/// Elements that hold the slices of any product, or a double of each thread.
template <StagedModel M, typename Scalar>
constexpr std::size_t partial_sums_elements(const Choice& choice) {
  constexpr std::size_t threads = thread_count<M>();
  constexpr std::size_t warps = threads / team_lanes;
  std::size_t elements = threads * sizeof(double) / sizeof(Scalar);
  for (std::size_t i = 0; i < stage_count<M>; ++i) {
    const StageSizes& stage = stage_sizes<M>[i];
    const std::size_t forward = slice_count(stage.out_tiles, stage.quads, warps, choice.slice_limit) * stage.out;
    const std::size_t backward =
        i == 0 ? 0 : slice_count(stage.in_tiles, stage.out, warps, choice.slice_limit) * stage.in;
    elements = std::max({elements, forward * feature_stride(choice), backward * feature_stride(choice)});
  }
  return elements;
}

template <StagedModel M, typename Scalar>
constexpr std::size_t input_elements(InputKind kind, const Choice& choice) {
  // Also room for a report's sums: five doubles of each thread.
  constexpr std::size_t report = 5 * thread_count<M>() * sizeof(double) / sizeof(Scalar);
  if (kind == InputKind::reals) {
    return std::max(stage_sizes<M>[0].in * feature_stride(choice), report);
  }
  constexpr std::size_t line = quad * sizeof(Scalar);
  return std::max((stage_sizes<M>[0].quads * word_stride(choice) * sizeof(std::uint32_t) + line - 1) / line * quad,
                  report);
}

/// Where the stages' elements begin: behind the parameters, what an input offset adds, and the slices.
template <StagedModel M, typename Scalar>
constexpr std::size_t first_stage_element(const Choice& choice) {
  return M::parameter_arena_size + aligned_extent(stage_sizes<M>[0].out) + partial_sums_elements<M, Scalar>(choice);
}

template <StagedModel M, typename Scalar>
constexpr std::size_t element_count(InputKind kind, const Choice& choice) {
  return first_stage_element<M, Scalar>(choice) + elements_before<M>(stage_count<M>, choice) +
         choice.input_buffers * input_elements<M, Scalar>(kind, choice);
}

/// The first that fits of: more samples, inputs fetched ahead, more slices. No samples where none fits.
template <StagedModel M, typename Scalar>
constexpr Choice choose_layout(InputKind kind) {
  for (const std::size_t samples : {2 * team_lanes, team_lanes}) {
    for (const std::size_t input_buffers : {2, 1}) {
      for (std::size_t slices = 8; slices > 0; --slices) {
        const Choice choice{samples, input_buffers, slices};
        if (element_count<M, Scalar>(kind, choice) * sizeof(Scalar) <= block_memory) {
          return choice;
        }
      }
    }
  }
  return {};
}

}  // namespace detail

/// Whether a block's memory holds the model and what one chunk of its training needs.
template <typename M, typename Scalar>
inline constexpr bool fits_block = false;
template <StagedModel M, typename Scalar>
inline constexpr bool fits_block<M, Scalar> = detail::choose_layout<M, Scalar>(InputKind::bytes).samples > 0 &&
                                              detail::choose_layout<M, Scalar>(InputKind::reals).samples > 0;

/// Where everything is, in elements of Scalar from the block's memory on. A chunk of `samples` samples is taken at
/// once; matrices are (features, samples), a feature's samples `stride` apart from the next feature's. Products are cut
/// along their depth into slices, so that all warps work; these are added in order.
template <StagedModel M, typename Scalar, InputKind kind>
requires fits_block<M, Scalar>
struct Layout {
  using Model = M;

  static constexpr InputKind input_kind = kind;
  static constexpr detail::Choice choice = detail::choose_layout<M, Scalar>(kind);
  static constexpr std::size_t threads = detail::thread_count<M>();
  static constexpr std::size_t warps = threads / team_lanes;
  static constexpr std::size_t samples = choice.samples;
  static constexpr std::size_t samples_per_lane = samples / team_lanes;
  static constexpr std::size_t input_buffers = choice.input_buffers;
  static constexpr std::size_t stride = detail::feature_stride(choice);
  static constexpr std::size_t word_stride = detail::word_stride(choice);

  template <std::size_t Index>
  static constexpr std::size_t forward_slices = detail::slice_count(Stage<M, Index>::out_tiles, Stage<M, Index>::quads,
                                                                    warps, choice.slice_limit);
  template <std::size_t Index>
  static constexpr std::size_t backward_slices = detail::slice_count(Stage<M, Index>::in_tiles, Stage<M, Index>::out,
                                                                     warps, choice.slice_limit);

  static constexpr std::size_t parameters = 0;
  static constexpr std::size_t row_sums = M::parameter_arena_size;  // (first stage's out): what an input offset adds
  static constexpr std::size_t partial_sums = row_sums + aligned_extent(Stage<M, 0>::out);
  /// Each stage's sums, in the backward pass their gradients; then what its pointwise layers make of them.
  template <std::size_t Index>
  static constexpr std::size_t sums =
      detail::first_stage_element<M, Scalar>(choice) + detail::elements_before<M>(Index, choice);
  template <std::size_t Index>
  static constexpr std::size_t outputs = sums<Index> +
                                         (Stage<M, Index>::keeps_outputs ? Stage<M, Index>::out * stride : 0);
  static constexpr std::size_t input_elements = detail::input_elements<M, Scalar>(kind, choice);  // of one buffer
  static constexpr std::size_t inputs = sums<stage_count<M>>;
  static constexpr std::size_t size = detail::element_count<M, Scalar>(kind, choice);
  static constexpr std::size_t bytes = size * sizeof(Scalar);

  /// Tiles of weights, and biases, that a thread has at most.
  static constexpr std::size_t slots = (detail::tile_count<M>() + threads - 1) / threads;
  static constexpr std::size_t bias_slots = (detail::bias_count<M>() + threads - 1) / threads;
  /// Of all stages' tiles and biases, the first of one.
  template <std::size_t Index>
  static constexpr std::size_t first_tile = detail::tiles_before<M>(Index);
  template <std::size_t Index>
  static constexpr std::size_t first_bias = detail::biases_before<M>(Index);
  /// Weights of the largest tile.
  static constexpr std::size_t tile_size = std::ranges::max(stage_sizes<M>, {}, &StageSizes::out_tile).out_tile * quad;
  /// Whether a thread keeps that many moments of its weights in registers; else they stay in global memory.
  template <std::size_t Moments>
  static constexpr bool moments_in_registers =
      Moments* slots* tile_size*(sizeof(Scalar) / sizeof(float)) <= moment_registers&& bias_slots <= 1;
};

}  // namespace retort::backend::chip

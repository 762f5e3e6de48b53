// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a block keeps in its shared memory while it trains a model, and how its threads share the work. All of it
/// follows from the model.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "retort/backend/cuda/block/bf16_pieces.hpp"
#include "retort/backend/cuda/block/fragments.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/ownership.hpp"
#include "retort/backend/cuda/block/stages.hpp"
#include "retort/backend/cuda/block/team.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// The most shared memory that a block of any device can have (CUDA C++ Programming Guide, "Technical specifications
/// per compute capability": 227 KB, of 9.0 and 10.0; 99 KB of 12.0), less the room for its job. In bytes.
inline constexpr std::size_t block_memory = 232448 - job_capacity;

/// How a model's inputs lie in the block's memory.
enum class InputKind {
  bytes,  ///< four neighbouring features of a sample in a word, normalised where they are multiplied
  reals,  ///< normalised when they are gathered
};

namespace detail {

/// Tiles of outputs that tensor cores compute at once: sums and operands fit the registers together with the moments.
inline constexpr std::size_t output_tiles_at_once = 3;

/// What can be chosen: the samples of a chunk, how many chunks' inputs are kept at once, the most slices of a product's
/// depth, for how many moments of each parameter after the first weight there is room, and whether there is some behind
/// each row of the first weight, and of the slices of its product.
struct Choice {
  std::size_t samples;
  std::size_t input_buffers;
  std::size_t slice_limit;
  std::size_t moments;
  bool pads_rows;
  bool pads_slices;
};

/// Moments of a parameter for which there may be room: Adam's.
inline constexpr std::size_t most_kept_moments = 2;

/// Bytes that hold an optimizer's rule.
inline constexpr std::size_t rule_capacity = 128;

/// Whether a rule is fetched ahead, word by word; else it is read from global memory.
template <typename Rule>
inline constexpr bool fetches_rule = sizeof(Rule) % sizeof(std::uint32_t) == 0 && sizeof(Rule) <= rule_capacity;

/// Where the parameters after the first weight begin.
template <StagedModel M>
inline constexpr std::size_t first_other_parameter =
    internal::aligned_extent(stage_sizes<M>[0].out * stage_sizes<M>[0].in);

/// Slices for a product of that many tiles and that depth: as many as there are warps for, but none too short to be
/// worth adding.
constexpr std::size_t slice_count(std::size_t tiles, std::size_t depth, std::size_t warps, std::size_t limit) {
  constexpr std::size_t shortest = 4;
  return std::max<std::size_t>(std::min({warps / tiles, depth / shortest, limit}), 1);
}

/// From a feature's samples to the next feature's: whole quads of samples can be loaded, and neighbouring features
/// begin in different banks.
constexpr std::size_t feature_stride(const Choice& choice) { return choice.samples + quad; }

/// The same for words of input: neighbouring words of a sample lie in different banks.
constexpr std::size_t word_stride(const Choice& choice) { return choice.samples + 1; }

/// From a sample's words of input to the next sample's, for tensor cores: an odd multiple of four, so that the four
/// neighbouring words of eight samples lie in different banks.
constexpr std::size_t word_pitch(const StageSizes& stage) {
  return (divided_up(stage.quads, fragment_members) / 2 * 2 + 1) * fragment_members;
}

/// From a row of the first weight to the next. Padded it is an odd multiple of eight: then the rows' parts that the
/// lanes of a warp take together lie in different banks (tile_output in tensor_stage.hpp).
constexpr std::size_t weight_stride(const StageSizes& stage, const Choice& choice) {
  constexpr std::size_t unit = 8;
  return choice.pads_rows ? (divided_up(stage.in, unit) / 2 * 2 + 1) * unit : stage.in;
}

/// Elements that hold the first weight, and all parameters.
template <StagedModel M>
constexpr std::size_t first_weight_elements(const Choice& choice) {
  return internal::aligned_extent(stage_sizes<M>[0].out * weight_stride(stage_sizes<M>[0], choice));
}
template <StagedModel M>
constexpr std::size_t parameter_elements(const Choice& choice) {
  return first_weight_elements<M>(choice) + M::parameter_arena_size - first_other_parameter<M>;
}

template <StagedModel M>
constexpr std::size_t elements_before(std::size_t index, const Choice& choice) {
  return sum_before<M>(index, [&](const StageSizes& stage, std::size_t) {
    return stage.out * feature_stride(choice) * (stage.keeps_outputs ? 2 : 1);
  });
}

/// On tensor cores each stage's biases begin at a warp's first lane, so that all lanes of a warp do the same.
template <StagedModel M>
constexpr std::size_t biases_before(std::size_t index, ProductUnits units) {
  return sum_before<M>(index, [&](const StageSizes& stage, std::size_t) {
    return units == ProductUnits::tensor ? divided_up(stage.biases, team_lanes) * team_lanes : stage.biases;
  });
}

/// Slices of a stage's forward product: on tensor cores one of each warp that has tiles, if there is room.
constexpr std::size_t forward_slice_count(const StageSizes& stage, std::size_t index, ProductUnits units,
                                          std::size_t warps, std::size_t limit) {
  return index == 0 && units == ProductUnits::tensor
             ? std::min(warps_for_tiles(divided_up(stage.in, fragment_depth)), limit)
             : slice_count(stage.out_tiles, stage.quads, warps, limit);
}

/// From an output's sums to the next output's in a slice of a stage's product. On tensor cores a warp writes eight
/// samples of four neighbouring outputs at once, which begin 8 banks apart if slices are padded: only where there is
/// room (choose_layout), which one block alone has not for MNIST's student.
constexpr std::size_t slice_stride(const Choice& choice, std::size_t index) {
  return index == 0 && choice.pads_slices ? choice.samples + 2 * quad : feature_stride(choice);
}

/// Words that hold the gradients of the first stage's sums as operands of tensor cores.
constexpr std::size_t gradient_words(const StageSizes& stage, const Choice& choice) {
  return divided_up(stage.out, fragment_columns) * (choice.samples / fragment_depth) * bf16_pieces * team_lanes *
         (sizeof(FragmentB) / sizeof(std::uint32_t));
}

/// Elements for what an offset of the inputs adds to each output of the first stage, or to the gradients of its
/// weights. In the forward product on tensor cores they hold the sums of each lane's weights in the tiles that it
/// multiplies at once.
template <StagedModel M>
constexpr std::size_t row_sums_elements(ProductUnits units) {
  const std::size_t out = stage_sizes<M>[0].out;
  const std::size_t tiles = std::min(divided_up(out, fragment_columns), output_tiles_at_once);
  return std::max(internal::aligned_extent(out), units == ProductUnits::tensor ? tensor_warps * team_lanes * tiles : 0);
}

/// Elements of the stages' matrices after the first stage's.
template <StagedModel M>
constexpr std::size_t later_stage_elements(const Choice& choice) {
  return elements_before<M>(stage_count<M>, choice) - elements_before<M>(1, choice);
}

/// Elements that hold the slices of any product, or a double of each thread, or gradients as operands. The slices of
/// the first stage's forward product go on in what follows, the matrices of later stages, which are written after them.
template <StagedModel M, typename Scalar>
constexpr std::size_t partial_sums_elements(ProductUnits units, const Choice& choice) {
  const std::size_t threads = thread_count<M>(units);
  const std::size_t warps = threads / team_lanes;
  std::size_t elements = threads * sizeof(double) / sizeof(Scalar);
  if (units == ProductUnits::tensor) {
    elements = std::max(elements, gradient_words(stage_sizes<M>[0], choice));
  }
  for (std::size_t i = 0; i < stage_count<M>; ++i) {
    const StageSizes& stage = stage_sizes<M>[i];
    const std::size_t later = i == 0 ? later_stage_elements<M>(choice) : 0;
    const std::size_t forward =
        forward_slice_count(stage, i, units, warps, choice.slice_limit) * stage.out * slice_stride(choice, i);
    const std::size_t backward =
        i == 0 ? 0 : slice_count(stage.in_tiles, stage.out, warps, choice.slice_limit) * stage.in;
    elements = std::max({elements, forward - std::min(forward, later), backward * feature_stride(choice)});
  }
  return elements;
}

template <StagedModel M, typename Scalar>
constexpr std::size_t input_elements(InputKind kind, ProductUnits units, const Choice& choice) {
  // There is also room for each thread's sums of a report.
  const std::size_t report = report_sums * thread_count<M>(units) * sizeof(double) / sizeof(Scalar);
  const StageSizes& stage = stage_sizes<M>[0];
  if (kind == InputKind::reals) {
    return std::max(stage.in * feature_stride(choice), report);
  }
  const std::size_t words =
      units == ProductUnits::tensor ? choice.samples * word_pitch(stage) : stage.quads * word_stride(choice);
  constexpr std::size_t line = quad * sizeof(Scalar);
  return std::max(divided_up(words * sizeof(std::uint32_t), line) * quad, report);
}

/// Elements that hold a chunk's labels, which are words.
template <typename Scalar>
constexpr std::size_t label_elements(const Choice& choice) {
  return divided_up(choice.samples * sizeof(std::uint32_t), sizeof(Scalar));
}

/// Elements for a chunk's targets: labels, a teacher's logits, and the rule of its step.
template <StagedModel M, typename Scalar>
constexpr std::size_t target_elements(const Choice& choice) {
  return label_elements<Scalar>(choice) + M::output_size * choice.samples + rule_capacity / sizeof(Scalar);
}

/// Where the matrices of the stages begin, those of the first stage last: after the parameters, what an input offset
/// adds, and the slices.
template <StagedModel M, typename Scalar>
constexpr std::size_t first_matrix(ProductUnits units, const Choice& choice) {
  return parameter_elements<M>(choice) + row_sums_elements<M>(units) + partial_sums_elements<M, Scalar>(units, choice);
}

template <StagedModel M, typename Scalar>
constexpr std::size_t element_count(InputKind kind, ProductUnits units, const Choice& choice) {
  return first_matrix<M, Scalar>(units, choice) + elements_before<M>(stage_count<M>, choice) +
         choice.input_buffers * (input_elements<M, Scalar>(kind, units, choice) + target_elements<M, Scalar>(choice)) +
         2 * label_elements<Scalar>(choice) + choice.moments * (M::parameter_arena_size - first_other_parameter<M>);
}

/// The first layout that fits. It prefers, in this order: more samples, inputs fetched ahead, more slices, room for the
/// moments that are not in registers, padded rows, and padded slices. Without samples where none fits.
template <StagedModel M, typename Scalar>
constexpr Choice choose_layout(InputKind kind, ProductUnits units) {
  for (const std::size_t samples : {2 * team_lanes, team_lanes}) {
    for (const std::size_t input_buffers : {std::size_t{2}, std::size_t{1}}) {
      for (std::size_t slices = 8; slices > 0; --slices) {
        for (const std::size_t moments : {units == ProductUnits::tensor ? most_kept_moments : 0, std::size_t{0}}) {
          for (int paddings = units == ProductUnits::tensor ? 2 : 0; paddings >= 0; --paddings) {
            const Choice choice{samples, input_buffers, slices, moments, paddings > 0, paddings > 1};
            if (element_count<M, Scalar>(kind, units, choice) * sizeof(Scalar) <= block_memory) {
              return choice;
            }
          }
        }
      }
    }
  }
  return {};
}

}  // namespace detail

/// Whether a block's memory holds the model and what one chunk of its training needs.
template <typename M, typename Scalar, InputKind kind, ProductUnits units>
inline constexpr bool fits_block_with = false;
template <StagedModel M, typename Scalar, InputKind kind, ProductUnits units>
  requires(units == ProductUnits::scalar || (std::is_same_v<Scalar, float> && kind == InputKind::bytes))  //
inline constexpr bool fits_block_with<M, Scalar, kind, units> =
    detail::choose_layout<M, Scalar>(kind, units).samples > 0;

template <typename M, typename Scalar>
inline constexpr bool fits_block = fits_block_with<M, Scalar, InputKind::bytes, ProductUnits::scalar> &&
                                   fits_block_with<M, Scalar, InputKind::reals, ProductUnits::scalar>;

/// Tensor cores where they can be used and have enough to do: a tile of 16 features for each warp.
template <typename M, typename Scalar, InputKind kind>
inline constexpr ProductUnits preferred_units = ProductUnits::scalar;
template <StagedModel M, typename Scalar, InputKind kind>
  requires fits_block_with<M, Scalar, kind, ProductUnits::tensor>
inline constexpr ProductUnits preferred_units<M, Scalar, kind> =
    stage_sizes<M>[0].in >= detail::tensor_warps * fragment_depth ? ProductUnits::tensor : ProductUnits::scalar;

/// Where everything is, in elements of Scalar from the start of the block's memory. A block takes a chunk of `samples`
/// samples at once; matrices are (features, samples), with `stride` from a feature's samples to the next feature's.
/// Products are cut along their depth into slices, so that all warps work; the slices are added in order.
template <StagedModel M, typename Scalar, InputKind kind, ProductUnits product_units = preferred_units<M, Scalar, kind>>
  requires fits_block_with<M, Scalar, kind, product_units>
struct Layout {
  using Model = M;

  static constexpr InputKind input_kind = kind;
  static constexpr ProductUnits units = product_units;
  static constexpr bool on_tensor_cores = units == ProductUnits::tensor;
  /// Whether what an offset of the inputs adds to the first stage's outputs is kept outside of its slices.
  static constexpr bool has_row_sums = kind == InputKind::bytes && !on_tensor_cores;
  static constexpr detail::Choice choice = detail::choose_layout<M, Scalar>(kind, units);
  static constexpr std::size_t threads = detail::thread_count<M>(units);
  static constexpr std::size_t warps = threads / team_lanes;
  static constexpr std::size_t samples = choice.samples;
  static constexpr std::size_t samples_per_lane = samples / team_lanes;
  static constexpr std::size_t input_buffers = choice.input_buffers;
  static constexpr std::size_t stride = detail::feature_stride(choice);
  static constexpr std::size_t word_stride = detail::word_stride(choice);
  static constexpr std::size_t word_pitch = detail::word_pitch(stage_sizes<M>[0]);  // of inputs for tensor cores

  template <std::size_t Index>
  static constexpr std::size_t slice_stride = detail::slice_stride(choice, Index);
  /// What a number in the slices of the first stage counts for; its scale comes besides.
  static constexpr Scalar sum_unit = on_tensor_cores ? Scalar{bf16_byte_unit} : Scalar{1};
  template <std::size_t Index>
  static constexpr std::size_t forward_slices =
      detail::forward_slice_count(stage_sizes<M>[Index], Index, units, warps, choice.slice_limit);
  template <std::size_t Index>
  static constexpr std::size_t backward_slices =
      detail::slice_count(TiledStage<M, Index>::in_tiles, TiledStage<M, Index>::out, warps, choice.slice_limit);

  /// The parameters come first. The rows of the first weight may be padded (weight_stride); a parameter after it lies
  /// `parameters` further than in the model.
  static constexpr std::size_t weight_stride = detail::weight_stride(stage_sizes<M>[0], choice);
  static constexpr std::size_t first_other_parameter = detail::first_other_parameter<M>;
  static constexpr std::size_t other_parameters = M::parameter_arena_size - first_other_parameter;
  static constexpr std::size_t parameters = detail::first_weight_elements<M>(choice) - first_other_parameter;
  static constexpr std::size_t row_sums = detail::parameter_elements<M>(choice);  // see row_sums_elements
  static constexpr std::size_t partial_sums = row_sums + detail::row_sums_elements<M>(units);
  /// Each stage's sums, in the backward pass their gradients; then the outputs of its pointwise layers.
  template <std::size_t Index>
  static constexpr std::size_t sums =
      detail::first_matrix<M, Scalar>(units, choice) +
      (Index == 0 ? detail::later_stage_elements<M>(choice)
                  : detail::elements_before<M>(Index, choice) - detail::elements_before<M>(1, choice));
  template <std::size_t Index>
  static constexpr std::size_t outputs =
      sums<Index> + (TiledStage<M, Index>::keeps_outputs ? TiledStage<M, Index>::out * stride : 0);
  static constexpr std::size_t input_elements = detail::input_elements<M, Scalar>(kind, units, choice);  // of one chunk
  static constexpr std::size_t inputs =
      detail::first_matrix<M, Scalar>(units, choice) + detail::elements_before<M>(stage_count<M>, choice);
  /// For each buffer of inputs: labels, (samples), a teacher's logits, (classes, samples), and the rule of the step.
  static constexpr std::size_t targets = inputs + input_buffers * input_elements;
  static constexpr std::size_t target_elements = detail::target_elements<M, Scalar>(choice);
  static constexpr std::size_t label_elements = detail::label_elements<Scalar>(choice);
  static constexpr std::size_t rule_in_targets = target_elements - detail::rule_capacity / sizeof(Scalar);
  /// The sample numbers of two chunks, (2, samples).
  static constexpr std::size_t numbers = targets + input_buffers * target_elements;
  /// The moments of the parameters after the first weight, (moments, parameters).
  static constexpr std::size_t moments = numbers + 2 * label_elements;
  static constexpr std::size_t size = detail::element_count<M, Scalar>(kind, units, choice);
  static constexpr std::size_t bytes = size * sizeof(Scalar);

  /// What differs in a cluster of blocks (cluster.hpp): here one block has the whole model.
  static constexpr std::size_t blocks = 1;
  static constexpr std::size_t features = TiledStage<M, 0>::in;  // of a sample in the dataset
  /// Where the model has the parameter that `block` has at `place` of its own, and whether this block writes it back.
  RETORT_HOST_DEVICE static std::size_t model_place(std::size_t /*block*/, std::size_t place) { return place; }
  RETORT_HOST_DEVICE static bool is_written_by(std::size_t /*block*/, std::size_t place) { return is_parameter(place); }
  /// False for what is between the first weight and the next parameter.
  RETORT_HOST_DEVICE static bool is_parameter(std::size_t place) {
    return place < TiledStage<M, 0>::out * TiledStage<M, 0>::in ||
           (place >= first_other_parameter && place < M::parameter_arena_size);
  }

  /// The element of the block's memory that has the parameter at `place` of the block's model, and the reverse,
  /// no_place for padding. After the parameters both go on.
  RETORT_HOST_DEVICE static std::size_t element_of(std::size_t place) {
    return place < TiledStage<M, 0>::out * TiledStage<M, 0>::in
               ? place / TiledStage<M, 0>::in * weight_stride + place % TiledStage<M, 0>::in
               : place + parameters;
  }
  RETORT_HOST_DEVICE static std::size_t place_of(std::size_t element) {
    if (element >= first_other_parameter + parameters) {
      return element - parameters;
    }
    const std::size_t row = element / weight_stride;
    const std::size_t feature = element % weight_stride;
    return row < TiledStage<M, 0>::out && feature < TiledStage<M, 0>::in ? row * TiledStage<M, 0>::in + feature
                                                                         : no_place;
  }
  static constexpr std::size_t no_place = ~std::size_t{0};
  /// The samples of a chunk that `block` takes through what follows the first stage.
  RETORT_HOST_DEVICE static Chunk own_part(const Chunk& chunk, std::size_t /*block*/) { return chunk; }

  static constexpr detail::Ownership ownership = detail::choose_ownership<M>(units);
  static constexpr std::size_t fragment_warps = ownership.fragment_warps;
  static constexpr std::size_t fragment_slots = ownership.fragment_slots;
  /// Tiles of weights, and biases, that a thread has at most.
  static constexpr std::size_t slots = ownership.tile_slots;
  static constexpr std::size_t bias_slots = (detail::biases_before<M>(stage_count<M>, units) + threads - 1) / threads;
  /// Outputs of a tile.
  template <std::size_t Index>
  static constexpr std::size_t out_tile = detail::owned_tiles(stage_sizes<M>[Index], Index, units).width;
  template <std::size_t Index>
  static constexpr std::size_t weight_tiles = detail::owned_tiles(stage_sizes<M>[Index], Index, units).room;
  /// Counts the tiles and biases of all stages: the number of a stage's first one.
  template <std::size_t Index>
  static constexpr std::size_t first_tile = detail::tiles_before<M>(Index, units);
  template <std::size_t Index>
  static constexpr std::size_t first_bias = detail::biases_before<M>(Index, units);
  static constexpr std::size_t tile_size = detail::widest_tile<M>(units) * quad;  // weights of the largest tile
  /// The weights whose moments a thread keeps in registers: on tensor cores those of the first stage (the block's
  /// memory has the other moments), else all. Moments for which there is no room stay in global memory.
  static constexpr std::size_t weights_per_thread =
      on_tensor_cores ? fragment_slots * 2 * detail::divided_up(TiledStage<M, 0>::out, fragment_members)
                      : slots * tile_size;
  template <std::size_t Moments>
  static constexpr bool moments_in_registers =
      Moments == 0 ||
      (Moments * weights_per_thread * (sizeof(Scalar) / sizeof(float)) <= detail::moment_registers(units) &&
       (on_tensor_cores || bias_slots <= 1));
  template <std::size_t Moments>
  static constexpr bool moments_in_memory = Moments > 0 && Moments <= choice.moments;
  /// Whether no moments stay in global memory.
  template <std::size_t Moments>
  static constexpr bool keeps_moments =
      moments_in_registers<Moments> && (Moments == 0 || !on_tensor_cores || moments_in_memory<Moments>);
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Training steps of models that fit one block's memory.

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "retort/backend/cuda/block/cluster.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/train_blocks.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/generic/gather.hpp"
#include "retort/backend/thrust/backend.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/gather.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// Runs a whole epoch, or the part between two reports, in one call: weights, activations and the optimizer's state
/// stay with one block of threads, which reads pixels and a teacher's cached logits once. Results repeat bit for bit.
/// With ThreadGroup::cluster a cluster trains where it can take the model and batches are single chunks.
template <StagedModel M, typename Scalar, typename System, ThreadGroup group = ThreadGroup::block>
  requires fits_block<M, Scalar>
class BlockSteps {
 public:
  static constexpr bool takes_runs = true;

  /// For batches of up to `capacity` samples.
  BlockSteps(const Thrust<System>& backend, std::size_t /*capacity*/)
      : gradients_(backend.template allocate<Scalar>(M::parameter_arena_size)) {}

  template <typename L, typename Rule, std::size_t Moments>
  void run(const Thrust<System>& backend, const TrainingBatch& batches, std::size_t batch_size,
           const TrainingState<Scalar, Moments>& state, const L& loss, const Rule* rules) {
    auto several = job(batches, batch_size, state, loss, rules);
    several.training.inputs = distorted_inputs(backend, batches);
    run_one(backend, several);
  }

  template <typename L, typename Rule, std::size_t Moments>
  void step(const Thrust<System>& backend, const TrainingBatch& batch, const TrainingState<Scalar, Moments>& state,
            const L& loss, const Rule& rule) {
    auto single = job(batch, batch.size, state, loss, static_cast<const Rule*>(nullptr));
    single.rule = rule;
    single.training.inputs = distorted_inputs(backend, batch);
    run_one(backend, single);
  }

  /// The job that run() carries out, but for distorted inputs.
  template <typename L, typename Rule, std::size_t Moments>
  TrainingJob<Scalar, Moments, L, Rule> job(const TrainingBatch& batches, std::size_t batch_size,
                                            const TrainingState<Scalar, Moments>& state, const L& loss,
                                            const Rule* rules) {
    static_assert(std::is_trivially_copyable_v<L> && std::is_trivially_copyable_v<Rule>,
                  "retort: a loss and an optimizer's rule go to the device as bytes");
    TrainingJob<Scalar, Moments, L, Rule> result{
        .training = {batches.data, InputConstants<Scalar>(batches.data), batches.samples, batches.size, batches.view},
        .batch_size = batch_size,
        .seed = batches.seed,
        .first_step = batches.step,
        .loss = loss,
        .rules = rules,
        .rule = {},
        .parameters = state.parameters,
        .moments = {},
        .teacher = state.teacher,
        .losses = state.losses,
        .correct = state.correct,
        .gradients = gradients_.data(),
        .max_norm = state.clipping ? state.clipping->max_norm : 0.0,
    };
    std::ranges::copy(state.moments, result.moments);
    return result;
  }

  /// Trains several models at once, a block for each. `jobs` are in the backend's memory; their samples lie as `data`
  /// does, as bytes or as real numbers. All have the batch size and the clipping of `like`, which is in the host's
  /// memory.
  template <typename Job>
  static void run_jobs(const Thrust<System>& backend, const Job* jobs, std::size_t count, const data::DatasetView& data,
                       const Job& like) {
    if (data.bytes != nullptr) {
      using OfBytes = Layout<M, Scalar, InputKind::bytes>;
      train_blocks<OfBytes, Scalar>(backend.system(), jobs, count, like.batches(OfBytes::samples));
    } else {
      using OfReals = Layout<M, Scalar, InputKind::reals>;
      train_blocks<OfReals, Scalar>(backend.system(), jobs, count, like.batches(OfReals::samples));
    }
  }

 private:
  using Buffer = typename Thrust<System>::template Buffer<Scalar>;

  /// The inputs of all batches if they are distorted, else null.
  const Scalar* distorted_inputs(const Thrust<System>& backend, const TrainingBatch& batches) {
    if (!batches.view.augmentation.distorts()) {
      return nullptr;
    }
    const std::size_t size = batches.size * M::input_size;
    if (inputs_.size() < size) {
      inputs_ = backend.template allocate<Scalar>(size);
    }
    gather_batch(backend, batches.data, batches.samples, batches.size, batches.view, inputs_.data());
    return std::as_const(inputs_).data();
  }

  template <std::size_t Moments, typename L, typename Rule>
  static void run_one(const Thrust<System>& backend, const TrainingJob<Scalar, Moments, L, Rule>& job) {
    if (job.training.data.bytes != nullptr && job.training.inputs == nullptr) {
      run_on<InputKind::bytes>(backend, job);
    } else {
      run_on<InputKind::reals>(backend, job);
    }
  }

  template <InputKind kind, std::size_t Moments, typename L, typename Rule>
  static void run_on(const Thrust<System>& backend, const TrainingJob<Scalar, Moments, L, Rule>& job) {
    if constexpr (group == ThreadGroup::cluster && fits_cluster<M, Scalar, kind, Moments>) {
      using OfCluster = ClusterLayout<M, Scalar, kind>;
      if (job.batches(OfCluster::samples) == Batches::single_chunks) {
        train_cluster<OfCluster>(backend.system(), job);
        return;
      }
    }
    train_block<Layout<M, Scalar, kind>>(backend.system(), job);
  }

  Buffer inputs_{};   // of a run, allocated by the first that is distorted
  Buffer gradients_;  // for a batch of several chunks, or for clipping
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block

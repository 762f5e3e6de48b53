#pragma once
/// @file
/// Training steps of models that fit one block's memory.

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "retort/backend/cuda/chip/job.hpp"
#include "retort/backend/cuda/chip/layout.hpp"
#include "retort/backend/cuda/chip/run_job.hpp"
#include "retort/backend/thrust/backend.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/data/gather.hpp"

namespace retort::backend::chip {

/// A whole epoch, or what of it is between two reports, by one call: weights, activations and the optimizer's state
/// stay with one block of threads, which reads pixels and a teacher's cached logits once. Results repeat bit for bit.
template <StagedModel M, typename Scalar, typename System>
requires fits_block<M, Scalar>
class OnChipSteps {
 public:
  static constexpr bool takes_runs = true;

  /// For batches of up to `capacity` samples.
  OnChipSteps(const Thrust<System>& backend, std::size_t capacity)
      : inputs_(backend.template allocate<Scalar>(capacity * M::input_size)),
        gradients_(backend.template allocate<Scalar>(M::parameter_arena_size)) {}

  template <typename L, typename Rule, std::size_t Moments>
  void run(const Thrust<System>& backend, const TrainingBatch& batches, std::size_t batch_size,
           const TrainingTarget<Scalar, Moments>& target, const L& loss, const Rule* rules) {
    train(backend, job(batches, batch_size, target, loss, rules, Rule{}));
  }

  template <typename L, typename Rule, std::size_t Moments>
  void step(const Thrust<System>& backend, const TrainingBatch& batch, const TrainingTarget<Scalar, Moments>& target,
            const L& loss, const Rule& rule) {
    train(backend, job(batch, batch.size, target, loss, static_cast<const Rule*>(nullptr), rule));
  }

  /// The batch's inputs (size, in), valid until the next call.
  const Scalar* input_rows(const Thrust<System>& backend, const TrainingBatch& batch) {
    gather_batch(backend, batch.data, batch.samples, batch.size, batch.shift, batch.seed, batch.epoch, inputs_.data());
    return inputs_.data();
  }

 private:
  using Buffer = typename Thrust<System>::template Buffer<Scalar>;

  template <typename L, typename Rule, std::size_t Moments>
  TrainingJob<Scalar, Moments, L, Rule> job(const TrainingBatch& batches, std::size_t batch_size,
                                            const TrainingTarget<Scalar, Moments>& target, const L& loss,
                                            const Rule* rules, const Rule& rule) {
    static_assert(std::is_trivially_copyable_v<L> && std::is_trivially_copyable_v<Rule>,
                  "retort: a loss and an optimizer's rule go to the device as bytes");
    TrainingJob<Scalar, Moments, L, Rule> result{
        .data = batches.data,
        .constants = data::GatherConstants<Scalar>(batches.data),
        .samples = batches.samples,
        .size = batches.size,
        .batch_size = batch_size,
        .shift = batches.shift,
        .seed = batches.seed,
        .epoch = batches.epoch,
        .first_step = batches.step,
        .loss = loss,
        .rules = rules,
        .rule = rule,
        .parameters = target.parameters,
        .moments = {},
        .teacher = target.teacher,
        .losses = target.losses,
        .correct = target.correct,
        .gradients = gradients_.data(),
        .max_norm = target.clipping ? target.clipping->max_norm : 0.0,
    };
    std::ranges::copy(target.moments, result.moments);
    return result;
  }

  template <typename Job>
  void train(const Thrust<System>& backend, const Job& job) {
    if (job.data.bytes != nullptr) {
      run_job<Layout<M, Scalar, InputKind::bytes>>(backend.system(), job);
    } else {
      run_job<Layout<M, Scalar, InputKind::reals>>(backend.system(), job);
    }
  }

  Buffer inputs_;     // (batch, in): for a teacher
  Buffer gradients_;  // of a batch of several chunks, or to be clipped
};

}  // namespace retort::backend::chip

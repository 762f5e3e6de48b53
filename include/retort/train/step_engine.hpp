#pragma once
/// @file
/// Training by steps over any backend: gather, forward, loss, backward, optimizer.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "retort/backend/backend.hpp"
#include "retort/backend/passes.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/error.hpp"
#include "retort/core/fingerprint.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/describe.hpp"
#include "retort/nn/network.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/training_engine.hpp"

namespace retort {

/// For a training without a teacher.
struct NoTeacher {};

/// A frozen teacher: the network is const, and only its inference can be called. Where the inputs are not augmented,
/// its logits are computed once for the whole dataset and then looked up by sample index.
template <Model M, typename Backend, typename Scalar>
struct Teacher {
  const Network<M, Backend, Scalar>* network;

  std::string fingerprint() const {
    return to_text(Fingerprint{}.add(network->parameter_arena()).add(network->buffer_arena()).value());
  }
};

/// The engine of Trainer and DistillationTrainer. Everything is allocated in `begin`; a step allocates nothing.
template <Model M, typename Backend, typename Scalar, Loss L, Optimizer O, typename TeacherSource>
  requires backend::Backend<Backend, Scalar>
class StepEngine final : public TrainingEngine {
 public:
  static constexpr bool uses_teacher = L::needs_teacher;
  static_assert(!uses_teacher || !std::is_same_v<TeacherSource, NoTeacher>,
                "retort: this loss compares with a teacher; train with a DistillationTrainer");

  StepEngine(Network<M, Backend, Scalar>& network, L loss, O optimizer, TeacherSource teacher)
      : network_(network), loss_(std::move(loss)), optimizer_(std::move(optimizer)), teacher_(std::move(teacher)) {
    loss_.validate();
    optimizer_.validate();
  }

  void begin(const data::Dataset& train, std::size_t batch_size, data::RandomShift shift) override {
    require_matching_data<M>(train);
    shift.validate(train.image());
    require_batches(train.size(), batch_size);
    data_ = train.view();
    capacity_ = std::min(batch_size, train.size());
    inputs_ = AlignedBuffer<Scalar>(capacity_ * M::input_size);
    labels_ = AlignedBuffer<std::uint32_t>(capacity_);
    activations_ = AlignedBuffer<Scalar>(activation_arena_size<M>(capacity_));
    logits_gradient_ = AlignedBuffer<Scalar>(capacity_ * M::output_size);
    scratch_ = AlignedBuffer<Scalar>(backward_scratch_size<M>(capacity_));
    gradients_ = AlignedBuffer<Scalar>(M::parameter_arena_size);
    moments_.fill(AlignedBuffer<Scalar>(M::parameter_arena_size));
    if constexpr (uses_teacher) {
      teacher_batch_ = AlignedBuffer<Scalar>(capacity_ * M::output_size);
      teacher_cache_ = {};
      if (shift.pixels == 0) {
        teacher_cache_ = AlignedBuffer<Scalar>(train.size() * M::output_size);
        const auto& teacher = *teacher_.network;
        predict_dataset(teacher.backend(), teacher_model(), teacher.parameter_arena().data(),
                        teacher.buffer_arena().data(), data_, teacher_cache_.data());
      }
    }
  }

  EpochResult train_epoch(const EpochPlan& plan, const BatchCallback& after_batch) override {
    EpochResult result;
    TrainingProgress progress = plan.progress;
    std::size_t batch = 0;
    for (std::size_t first = 0; first < plan.order.size(); first += plan.batch_size, ++batch, ++progress.step) {
      const auto indices = plan.order.subspan(first, std::min(plan.batch_size, plan.order.size() - first));
      result.learning_rate = optimizer_.learning_rate * plan.schedule->factor(progress);
      result.sum += step(plan, indices, plan.first_step + static_cast<std::uint32_t>(batch), result.learning_rate);
      after_batch(batch + 1, result.sum);
    }
    return result;
  }

  Evaluation evaluate(const data::Dataset& data) override { return retort::evaluate(network_, data); }

  bool is_finite() const override {
    const auto parameters = std::as_const(network_).parameter_arena();
    return std::isfinite(squared_norm(network_.backend(), parameters.data(), parameters.size()));
  }

  TrainingState state() const override {
    TrainingState arrays = model_state();
    for (std::size_t i = 0; i < moments_.size(); ++i) {
      arrays.push_back(copy("moment." + to_text(i), moments_[i].span()));
    }
    return arrays;
  }

  TrainingState model_state() const override {
    return {copy("parameters", std::as_const(network_).parameter_arena()),
            copy("buffers", std::as_const(network_).buffer_arena())};
  }

  void restore(const TrainingState& state) override {
    // All are checked before the first is written: a state that does not fit leaves everything as it was.
    for (const StateArray& array : state) {
      const std::span<Scalar> target = find(array.name);
      if (array.bytes.size() != target.size_bytes()) {
        throw ShapeError("training state: " + array.name + " has " + to_text(array.bytes.size()) + " bytes, expected " +
                         to_text(target.size_bytes()));
      }
    }
    for (const StateArray& array : state) {
      if (!array.bytes.empty()) {
        std::memcpy(find(array.name).data(), array.bytes.data(), array.bytes.size());
      }
    }
  }

  Settings settings() const override {
    Settings settings{{"model", model_signature<M>()},
                      {"scalar", std::is_same_v<Scalar, float> ? "float" : "double"},
                      {"backend", Backend::name},
                      {"loss", loss_.describe()},
                      {"optimizer", optimizer_.describe()}};
    if constexpr (uses_teacher) {
      settings.emplace_back("teacher", teacher_.fingerprint());
    }
    return settings;
  }

 private:
  using Moments = std::array<AlignedBuffer<Scalar>, O::moment_count>;

  static void require_batches(std::size_t samples, std::size_t batch_size) {
    const std::size_t last = samples % batch_size == 0 ? std::min(samples, batch_size) : samples % batch_size;
    if (last < M::minimum_batch) {
      throw OptionError("fit: batch_size is " + to_text(batch_size) + " and leaves a last batch of " + to_text(last) +
                        " of " + to_text(samples) + " samples, expected at least " + to_text(M::minimum_batch) +
                        " for the model's batch statistics");
    }
  }

  static StateArray copy(std::string name, std::span<const Scalar> values) {
    const auto bytes = std::as_bytes(values);
    return {std::move(name), {bytes.begin(), bytes.end()}};
  }

  std::span<Scalar> find(const std::string& name) {
    if (name == "parameters") {
      return network_.parameter_arena();
    }
    if (name == "buffers") {
      return network_.buffer_arena();
    }
    for (std::size_t i = 0; i < moments_.size(); ++i) {
      if (name == "moment." + to_text(i)) {
        return moments_[i].span();
      }
    }
    throw ShapeError("training state: " + name + " is no array of this training");
  }

  auto teacher_model() const { return typename std::remove_cvref_t<decltype(*teacher_.network)>::model_type{}; }

  backend::LossSum step(const EpochPlan& plan, std::span<const std::uint32_t> indices, std::uint32_t step_number,
                        double learning_rate) {
    const Backend& backend = network_.backend();
    const std::size_t batch = indices.size();
    Scalar* parameters = network_.parameter_arena().data();
    const StepRandom random{plan.seed, step_number};

    gather_batch(backend, data_, indices, plan.shift, plan.seed, plan.epoch, inputs_.data());
    for (std::size_t i = 0; i < batch; ++i) {
      labels_[i] = data_.labels[indices[i]];
    }
    const Scalar* logits = run_forward<M>(backend, parameters, network_.buffer_arena().data(), inputs_.data(),
                                          activations_.data(), batch, capacity_, random);
    const backend::LossSum sum =
        evaluate_loss(backend, loss_, backend::Width<M::output_size>{},
                      backend::LossArguments<Scalar>{logits, teacher_logits(indices), labels_.data(),
                                                     logits_gradient_.data(), batch});
    run_backward<M>(backend, parameters, inputs_.data(), activations_.data(), logits_gradient_.data(),
                    gradients_.data(), scratch_.data(), batch, capacity_, random);
    if (plan.clipping) {
      const double norm = std::sqrt(squared_norm(backend, std::as_const(gradients_).data(), gradients_.size()));
      const double factor = plan.clipping->clip_factor(norm);
      if (factor < 1.0) {
        scale_values(backend, gradients_.data(), gradients_.size(), static_cast<Scalar>(factor));
      }
    }
    std::array<Scalar*, O::moment_count> moments{};
    std::ranges::transform(moments_, moments.begin(), [](AlignedBuffer<Scalar>& moment) { return moment.data(); });
    update_parameters(backend, optimizer_.template rule<Scalar>(step_number + std::uint64_t{1}, learning_rate),
                      parameters, std::as_const(gradients_).data(), moments, gradients_.size());
    return sum;
  }

  /// (batch, classes), from the cache or computed now; null for a loss without a teacher.
  const Scalar* teacher_logits(std::span<const std::uint32_t> indices) {
    if constexpr (!uses_teacher) {
      return nullptr;
    } else {
      if (teacher_cache_.size() != 0) {
        for (std::size_t i = 0; i < indices.size(); ++i) {
          std::copy_n(teacher_cache_.data() + std::size_t{indices[i]} * M::output_size, M::output_size,
                      teacher_batch_.data() + i * M::output_size);
        }
      } else {
        const auto& teacher = *teacher_.network;
        predict_batch(teacher.backend(), teacher_model(), teacher.parameter_arena().data(),
                      teacher.buffer_arena().data(), std::as_const(inputs_).data(), teacher_batch_.data(),
                      indices.size());
      }
      return teacher_batch_.data();
    }
  }

  Network<M, Backend, Scalar>& network_;
  L loss_;
  O optimizer_;
  TeacherSource teacher_;

  data::DatasetView data_{};
  std::size_t capacity_ = 0;             // samples for which the matrices below have room
  AlignedBuffer<Scalar> inputs_;         // (batch, in)
  AlignedBuffer<std::uint32_t> labels_;  // (batch)
  AlignedBuffer<Scalar> activations_;
  AlignedBuffer<Scalar> logits_gradient_;  // (batch, classes)
  AlignedBuffer<Scalar> scratch_;
  AlignedBuffer<Scalar> gradients_;
  Moments moments_{};
  AlignedBuffer<Scalar> teacher_batch_;  // (batch, classes)
  AlignedBuffer<Scalar> teacher_cache_;  // (samples, classes); empty while inputs are augmented
};

}  // namespace retort

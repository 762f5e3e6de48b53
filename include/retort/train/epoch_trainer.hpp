// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Training step by step on any backend.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "retort/backend/backend.hpp"
#include "retort/backend/engine.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/backend/generic/feature_steps.hpp"
#include "retort/backend/generic/term_of.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/error.hpp"
#include "retort/core/flush_subnormals.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/out_of_memory.hpp"
#include "retort/core/text.hpp"
#include "retort/data/teacher_logits_table.hpp"
#include "retort/loss/at_epoch.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/metric.hpp"
#include "retort/nn/describe.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/preprocessing.hpp"
#include "retort/nn/tensor_values.hpp"
#include "retort/optim/optimizer.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/preprocessing.hpp"
#include "retort/train/resident_dataset.hpp"
#include "retort/train/teacher.hpp"
#include "retort/train/teacher_answers.hpp"
#include "retort/train/teacher_temperature.hpp"
#include "retort/train/trained_arrays.hpp"
#include "retort/train/trainer_interface.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Inputs that several trainings on the same data read together, in their backend's memory. They must outlive them.
template <typename Backend, typename Scalar>
struct SharedInputs {
  const ResidentDataset<Backend>* train = nullptr;
  const ResidentDataset<Backend>* validation = nullptr;  ///< null without validation
  backend::TeacherTable<Scalar> teacher{};               ///< answers to all samples or views; empty where views are new
};

/// Throws OptionError for a loss that does not learn from samples without labels, if some have none.
template <Loss L>
[[gnu::cold]] void require_labels_for(const L& loss, const data::Dataset& train) {
  const std::size_t missing = takes_targets<L> ? 0 : train.size() - train.labelled_count();
  if (missing > 0 && !learns_without_label(loss)) {
    throw OptionError(concatenate(
        {"fit: ", missing, " of ", train.size(), " training samples have no label, and the loss ",
         describe_settings(loss), " does not learn from these, expected labels (data::labelled_part has the others)"}));
  }
}

/// Throws OptionError for a batch, the last one perhaps unless it is dropped, of fewer than `minimum` samples. `what`
/// needs them.
[[gnu::cold]] inline void require_batches_of(std::size_t minimum, std::string_view what, std::size_t samples,
                                             const Epoch& epoch) {
  const std::size_t rest = samples % epoch.batch_size;
  const std::size_t last = rest == 0 || epoch.drop_last ? epoch.batch_size : rest;
  if (last >= minimum) {
    return;
  }
  const std::string needed = concatenate({" samples, expected at least ", minimum, " for ", what});
  if (last == samples) {
    throw OptionError(concatenate({"fit: the only batch has ", last, needed}));
  }
  if (last == epoch.batch_size) {
    throw OptionError(concatenate({"fit: batch_size is ", last, ", expected at least ", minimum, " for ", what}));
  }
  throw OptionError(concatenate(
      {"fit: batch_size is ", epoch.batch_size, " and leaves a last batch of ", last, " of ", samples, needed}));
}

/// Throws ShapeError for data that does not fit the model, and OptionError for validation data whose inputs are made
/// differently or none of which has a label, for an augmentation that does not fit the samples or mixes some that have
/// labels or targets, and for a last batch too small for the model or the loss, unless it is dropped. `validation` may
/// be null.
template <Model M, Loss L>
[[gnu::cold]] void require_trainable(const data::Dataset& train, const data::Dataset* validation, const Epoch& epoch) {
  require_matching_data<M>(train);
  if (validation != nullptr) {
    require_matching_data<M>(*validation);
    require_preprocessing(preprocessing_of(train), *validation, "the training data");
    if (!validation->has_targets()) {
      require_labels(*validation, "fit");
    }
  }
  epoch.augmentation.validate(train.image());
  require_option(epoch.augmentation.mix == 0.0 || (train.labelled_count() == 0 && !train.has_targets()),
                 data::Augmentation::name, "mix", epoch.augmentation.mix,
                 "0 for samples with labels or targets, as a mixture has neither (Dataset::without_labels)");
  require_batches_of(M::minimum_batch, "the model's batch statistics", train.size(), epoch);
  if constexpr (requires { L::Term::minimum_batch; }) {
    require_batches_of(L::Term::minimum_batch, concatenate({"the loss's term ", L::Term::name}), train.size(), epoch);
  }
}

/// Trains an epoch for Trainer, DistillationTrainer and Sweep. `begin` allocates everything; a step allocates nothing.
/// The dataset, its order, the teacher's logits and all activations are in the backend's memory, and a step reads
/// nothing back. A teacher's logits are computed once for the whole dataset and then looked up by sample index, unless
/// the inputs are augmented anew in every epoch; so are its features, if a term of the loss compares them. `Steps`
/// takes the steps: it belongs to the first engine that takes the training.
template <Model M, typename Backend, typename Scalar, Loss L, Optimizer O, typename TeacherSource,
          typename Steps = StepsOf<backend::TrainingTypes<Backend, M, L, O, Scalar, TeacherSource>>>
  requires backend::Backend<Backend, Scalar>
class EpochTrainer final : public TrainerInterface {
 public:
  static constexpr bool uses_teacher = L::needs_teacher;
  /// Whether all answers are there before the training, in place of a network that gives them.
  static constexpr bool has_table = uses_teacher && std::is_same_v<TeacherSource, data::TeacherLogitsTable>;
  /// Whether many steps are taken in one call: all between two reports, unless a teacher answers each batch.
  static constexpr bool takes_runs = requires { requires Steps::takes_runs; };
  /// The same on this device.
  static bool takes_runs_on(const Backend& backend) {
    if constexpr (requires { Steps::takes_runs_on(backend); }) {
      return Steps::takes_runs_on(backend);
    } else {
      return takes_runs;
    }
  }
  /// Whether the teacher's memory belongs to another handle, which the student's backend does not wait for by itself.
  static constexpr bool reads_other_handle = uses_teacher && !has_table && !Backend::host_memory;
  using StepsClass = Steps;
  using TrainingOf = backend::TrainingTypes<Backend, M, L, O, Scalar, TeacherSource>;
  using Term = TermOf<TrainingOf>;
  static constexpr bool has_regressor = Term::parameter_arena_size > 0;
  static_assert(!FeatureLoss<L> || std::is_same_v<Steps, StepsOf<TrainingOf>>,
                "retort: a loss with a term trains by the generic engine");
  using Rule = decltype(std::declval<const O&>().template rule<Scalar>(std::uint64_t{}, double{}));
  static_assert(!uses_teacher || !std::is_same_v<TeacherSource, NoTeacher>,
                "retort: this loss compares with a teacher; train with a DistillationTrainer");
  static_assert(takes_targets<L> || M::output_size > 1,
                "retort: a loss of classes wants a model of two outputs or more: one output always wins; train one "
                "output on targets, by MeanSquaredError, Huber or BinaryCrossEntropy");

  /// Throws OptionError for a hyperparameter out of range, for a teacher in memory that the student's backend cannot
  /// reach, and for a teacher that is the student itself.
  EpochTrainer(Network<M, Backend, Scalar>& network, L loss, O optimizer, TeacherSource teacher)
      : EpochTrainer(network, std::move(loss), std::move(optimizer), std::move(teacher), network.backend(), {}) {}

  /// The same by the backend `on`, which shares the network's memory, on inputs that other trainings read too: they are
  /// the data that `begin` will be given.
  EpochTrainer(Network<M, Backend, Scalar>& network, L loss, O optimizer, TeacherSource teacher, Backend on,
               const SharedInputs<Backend, Scalar>& shared)
      : network_(network),
        backend_(std::move(on)),
        loss_(std::move(loss)),
        epoch_loss_(loss_),
        optimizer_(std::move(optimizer)),
        teacher_(std::move(teacher)),
        shared_(shared) {
    validate_in<Scalar>(loss_);
    validate_in<Scalar>(optimizer_);
    if constexpr (uses_teacher && !has_table) {
      if (M::parameter_arena_size > 0 && teacher_.parameter_data() == std::as_const(network_).parameter_data()) {
        network_.require_values();  // or neither has values
        throw OptionError("distillation: the teacher is the student itself, expected two networks");
      }
    }
    if constexpr (reads_other_handle) {
      require_reach(backend(), teacher_);
    }
  }

  /// A training that ended in an exception may have left work behind that reads the teacher, whose memory is given back
  /// in the order of its own backend's work. So wait here, while the teacher still exists. (The student may be gone:
  /// returning it from a function moves it out before its trainer ends.)
  ~EpochTrainer() override {
    if constexpr (reads_other_handle) {
      if (losses_.size() == 0) {
        return;  // nothing was begun
      }
      try {
        copy_to_host(backend(), std::as_const(losses_).data(), std::span<Scalar>{});  // waits, even for an empty copy
      } catch (...) {
        // The device failed: nothing runs on it any more.
      }
    }
  }

  [[gnu::cold]] void begin(const data::Dataset& train, const data::Dataset* validation, const Epoch& epoch) override {
    const FlushSubnormals flush(backend::flushes_subnormals<Backend>);
    allocate_for(concatenate({"training on ", train.size(), " samples in batches of ", epoch.batch_size}), 0,
                 [&] { prepare(train, validation, epoch); });
  }

  EpochResult train_epoch(const Epoch& epoch, const BatchCallback& after_batch) override {
    const std::size_t samples = epoch.trained(data_.view().size);
    arrange(epoch);
    EpochResult result;
    TrainingProgress progress = epoch.progress;
    std::size_t reported = 0;  // samples whose losses have been read
    for (std::size_t first = 0, batch = 0; first < samples;) {
      const std::size_t batches = batches_at_once();
      const std::size_t count = std::min(batches * epoch.batch_size, samples - first);
      take_steps(epoch, first, count, progress, result.learning_rate);
      first += count;
      batch += epoch.batches(count);
      if (batch % Backend::report_interval == 0 || first == samples) {
        result.sum += sum_losses(backend(), std::as_const(losses_).data() + reported,
                                 std::as_const(correct_).data() + reported, first - reported);
        reported = first;
        after_batch(batch, result.sum);
      }
    }
    return result;
  }

  // For callers that train an epoch of several models in one call: each model's job, for Steps::run_jobs.

  /// What its rules depend on, besides the epoch.
  std::string describe_optimizer() const { return describe_settings(optimizer_); }

  /// The optimizer's rules of an epoch's steps; returns the last one's learning rate.
  double fill_rules(const Epoch& epoch, std::span<Rule> rules) const
    requires takes_runs
  {
    TrainingProgress progress = epoch.progress;
    double learning_rate = 0.0;
    for (Rule& rule : rules) {
      rule = next_rule(epoch, progress, learning_rate);
    }
    return learning_rate;
  }

  /// An epoch's job. The epoch's order is arranged now. `rules` are in the backend's memory.
  auto epoch_job(const Epoch& epoch, const Rule* rules)
    requires takes_runs
  {
    arrange(epoch);
    return steps_->job(batch_at(epoch, 0, epoch.trained(data_.view().size), epoch.progress), epoch.batch_size,
                       state_at(epoch, 0), epoch_loss_, rules);
  }

  Metric metric() const override { return metric_of<L>; }

  /// The parameters as they are evaluated and handed out: the optimizer's average of them, if it keeps one. In the
  /// backend's memory.
  std::span<Scalar> answering_parameters() const {
    std::size_t index = 0;
    if constexpr (AveragesWeights<O>) {
      index = model_arrays + O::average_moment;
    }
    return arrays_[index].values;
  }

  Evaluation evaluate() override {
    const FlushSubnormals flush(backend::flushes_subnormals<Backend>);
    const auto outputs = predict_resident<M, Backend, Scalar>(backend(), answering_parameters().data(),
                                                              network_.buffer_data(), validation_data_.view());
    if constexpr (takes_targets<L>) {
      return evaluate_outputs<metric_of<L>, M::output_size>(outputs, *validation_);
    } else {
      return evaluate_logits<M::output_size>(outputs, *validation_);
    }
  }

  bool is_finite() const override { return are_finite(backend(), arrays()); }

  [[gnu::cold]] std::string describe_fault() const override { return internal::describe_fault(backend(), arrays()); }

  [[gnu::cold]] StateArrays state() const override { return copy_state(backend(), arrays()); }

  [[gnu::cold]] StateArrays model_state() const override {
    std::vector<TrainedArray<Scalar>> model(arrays_.begin(), arrays_.begin() + model_arrays);
    model.front().values = answering_parameters();
    return copy_state(backend(), std::span<const TrainedArray<Scalar>>(model));
  }

  [[gnu::cold]] void hand_out() override {
    if constexpr (AveragesWeights<O>) {
      restore(model_state());
    }
  }

  [[gnu::cold]] void restore(const StateArrays& state) override {
    restore_state(backend(), arrays(), state);
    note_preprocessing();
  }

  [[gnu::cold]] std::string describe() const override {
    std::string text = describe_engine<TrainingOf>(backend());
    if constexpr (has_table) {
      text += "; the teacher is " + teacher_.describe();
    }
    return text;
  }

  [[gnu::cold]] Settings settings() const override {
    Settings settings{
        {"model", model_signature<M>()},    {"scalar", std::is_same_v<Scalar, float> ? "float" : "double"},
        {"backend", Backend::name},         {"processor", processor()},
        {"loss", describe_settings(loss_)}, {"optimizer", describe_optimizer()}};
    if constexpr (uses_teacher) {
      settings.emplace_back("teacher", to_text(teacher_.fingerprint()));
    }
    if constexpr (has_regressor) {
      settings.emplace_back("regressor", model_signature<typename Term::Regressor>());
    }
    return settings;
  }

 private:
  template <typename T>
  using Buffer = typename Backend::template Buffer<T>;

  /// The rules of the steps that one call takes.
  struct Rules {
    std::vector<Rule> on_host;
    Buffer<Rule> values;
  };
  struct NoRules {};

  /// What a term of the loss trains in addition to the network.
  struct Regressor {
    Buffer<Scalar> parameters{};
    std::array<Buffer<Scalar>, O::moment_count> moments{};
  };

  static constexpr std::size_t model_arrays = 2;

  /// All arrays that the training changes: the model's, the moments, those of a regressor. Precondition: it has begun.
  std::span<const TrainedArray<Scalar>> arrays() const { return arrays_; }

  [[gnu::cold]] void list_arrays() {
    arrays_.clear();
    arrays_.push_back({"parameters", {network_.parameter_data(), M::parameter_arena_size}, M::parameters});
    arrays_.push_back({"buffers", {network_.buffer_data(), M::buffer_arena_size}, M::buffers});
    append_moments(arrays_, "", std::span<Buffer<Scalar>>(moments_), M::parameters);
    if constexpr (AveragesWeights<O>) {
      arrays_[model_arrays + O::average_moment].largest = largest_tensor_value<Scalar>;  // it will be the parameters
    }
    if constexpr (has_regressor) {
      constexpr std::span<const TensorInfo> tensors = Term::Regressor::parameters;
      auto& [parameters, moments] = regressor_;
      arrays_.push_back({"regressor.parameters", {parameters.data(), parameters.size()}, tensors, "regressor."});
      append_moments(arrays_, "regressor.", std::span<Buffer<Scalar>>(moments), tensors);
    }
  }

  std::string processor() const {
    constexpr bool by_operations = requires { Steps::by_operations; };
    std::string_view processor = instruction_set;
    std::string of_backend;
    if constexpr (requires { backend().processor(by_operations); }) {
      of_backend = backend().processor(by_operations);
      processor = of_backend;
    }
    return concatenate({processor, ", ", compiler});
  }

  const Backend& backend() const { return backend_; }

  ResidentDataset<Backend> resident(const data::Dataset& data, const ResidentDataset<Backend>* shared) const {
    return shared != nullptr ? shared->borrow() : ResidentDataset(backend(), data);
  }

  template <typename T>
  Buffer<T> allocate(std::size_t count) const {
    return backend().template allocate<T>(count);
  }

  Buffer<Scalar> zeros(std::size_t count) const {
    Buffer<Scalar> buffer = allocate<Scalar>(count);
    fill_zero(backend(), buffer.data(), count);
    return buffer;
  }

  [[gnu::cold]] void prepare(const data::Dataset& train, const data::Dataset* validation, const Epoch& epoch) {
    network_.require_values();
    require_truth_for(loss_, train, validation);
    require_trainable<M, L>(train, validation, epoch);
    require_labels_for(loss_, train);
    if constexpr (has_table) {
      teacher_.require_made_for(train, epoch.augmentation, epoch.views, M::output_size);
      require_table_for(teacher_, loss_);
    } else if constexpr (uses_teacher) {
      teacher_.require_matching(train);
      require_preprocessing(teacher_.preprocessing(), train, "the teacher");
    }
    require_preprocessing(network_.preprocessing(), train, "the network");
    preprocessing_ = preprocessing_with(network_.preprocessing(), train);
    if (validation != nullptr) {
      validation_data_ = resident(*validation, shared_.validation);
    }
    validation_ = validation;
    data_ = resident(train, shared_.train);
    order_ = allocate<std::uint32_t>(train.size());
    losses_ = allocate<Scalar>(train.size());
    correct_ = allocate<std::uint8_t>(train.size());
    steps_.emplace(backend(), epoch.batch_size);
    for (Buffer<Scalar>& moment : moments_) {
      moment = zeros(M::parameter_arena_size);
    }
    if constexpr (AveragesWeights<O>) {
      const AlignedBuffer<Scalar> values = network_.copy_parameters();
      copy_from_host(backend(), values.span(), moments_[O::average_moment].data());
    }
    by_runs_ = takes_runs_on(backend());
    if constexpr (takes_runs) {
      rules_.on_host.resize(std::min<std::size_t>(epoch.batches(train.size()), Backend::report_interval));
      rules_.values = allocate<Rule>(rules_.on_host.size());
    }
    if constexpr (has_table) {
      answers_.take(backend(), teacher_);
      rows_ = answers_.rows(true);
    } else if constexpr (uses_teacher) {
      ask_teacher(epoch);
    }
    if constexpr (has_regressor) {
      const Network<typename Term::Regressor, Backend, Scalar> initial{regressor_seed(epoch.seed), backend()};
      regressor_.parameters = zeros(Term::parameter_arena_size);
      const AlignedBuffer<Scalar> values = initial.copy_parameters();
      copy_from_host(backend(), values.span(), regressor_.parameters.data());
      for (Buffer<Scalar>& moment : regressor_.moments) {
        moment = zeros(Term::parameter_arena_size);
      }
    }
    list_arrays();
  }

  /// Has all samples answered now, or makes room for the answers to a batch.
  [[gnu::cold]] void ask_teacher(const Epoch& epoch) {
    if constexpr (reads_other_handle) {
      wait_for(teacher_);
    }
    const bool cached = epoch.repeats_views();
    if (cached && shared_.teacher.logits != nullptr) {
      rows_ = shared_.teacher;
      return;
    }
    if (cached) {
      answers_.ask(backend(), teacher_, data_.view(), epoch);
    } else {
      answers_.make_room(backend(), epoch.batch_size);
      teacher_inputs_ = allocate<Scalar>(epoch.batch_size * M::input_size);
    }
    rows_ = answers_.rows(cached);
  }

  /// The answers to the epoch's view, or to the batch.
  backend::TeacherTable<Scalar> answers_to(const Epoch& epoch) const {
    backend::TeacherTable<Scalar> rows = rows_;
    if (rows.by_sample && epoch.augmentation.is_set()) {
      const std::size_t first = epoch.view_index() * data_.view().size;
      rows.logits += first * M::output_size;
      if constexpr (Term::reads_features) {
        rows.features += first * Term::width;
      }
    }
    return rows;
  }

  /// Fills `order_` and sets the loss for an epoch that begins now.
  void arrange(const Epoch& epoch) {
    epoch_loss_ = loss_at_epoch(loss_, epoch.progress.epoch);
    if (epoch.clipping) {
      validate_in<Scalar>(*epoch.clipping);
    }
    const std::size_t samples = data_.view().size;
    if (epoch.shuffle) {
      shuffle_samples(backend(), epoch.order(samples), order_.data());
    } else {
      number_samples(backend(), samples, order_.data());
    }
    note_preprocessing();
  }

  /// Not in `begin`: a refused resume leaves the network as it was.
  [[gnu::cold]] void note_preprocessing() {
    if (network_.preprocessing() != preprocessing_) {
      network_.set_preprocessing(preprocessing_);
    }
  }

  std::size_t batches_at_once() const {
    if constexpr (takes_runs) {
      if (by_runs_ && (!uses_teacher || rows_.by_sample)) {
        return Backend::report_interval;
      }
    }
    return 1;
  }

  /// The rule of the step after `progress`, which it advances.
  Rule next_rule(const Epoch& epoch, TrainingProgress& progress, double& learning_rate) const {
    learning_rate = optimizer_.learning_rate * epoch.schedule->factor(progress);
    ++progress.step;
    return optimizer_.template rule<Scalar>(progress.step, learning_rate);
  }

  /// The samples order_[first] ... order_[first + count - 1].
  backend::TrainingBatch batch_at(const Epoch& epoch, std::size_t first, std::size_t count,
                                  const TrainingProgress& progress) const {
    return {.data = data_.view(),
            .samples = order_.data() + first,
            .size = count,
            .following = std::min(epoch.batch_size, epoch.trained(data_.view().size) - first - count),
            .view = epoch.view(epoch.view_index()),
            .seed = epoch.seed,
            .epoch = epoch.index(),
            .step = static_cast<std::uint32_t>(progress.step)};
  }

  backend::TrainingState<Scalar, O::moment_count> state_at(const Epoch& epoch, std::size_t first) {
    backend::TrainingState<Scalar, O::moment_count> state{.parameters = network_.parameter_data(),
                                                          .buffers = network_.buffer_data(),
                                                          .moments = {},
                                                          .teacher = answers_to(epoch),
                                                          .losses = losses_.data() + first,
                                                          .correct = correct_.data() + first,
                                                          .clipping = epoch.clipping};
    const auto data_of = [](Buffer<Scalar>& buffer) { return buffer.data(); };
    std::ranges::transform(moments_, state.moments.begin(), data_of);
    if constexpr (has_regressor) {
      state.regressor_parameters = regressor_.parameters.data();
      std::ranges::transform(regressor_.moments, state.regressor_moments.begin(), data_of);
    }
    return state;
  }

  /// Takes the steps on the samples order_[first] ... order_[first + count - 1], and advances `progress`.
  void take_steps(const Epoch& epoch, std::size_t first, std::size_t count, TrainingProgress& progress,
                  double& learning_rate) {
    const FlushSubnormals flush(backend::flushes_subnormals<Backend>);
    const backend::TrainingBatch batch = batch_at(epoch, first, count, progress);
    if constexpr (uses_teacher && !has_table) {
      if (!rows_.by_sample) {
        gather_batch(backend(), batch.data, batch.samples, count, batch.view, teacher_inputs_.data());
        answers_.answer(backend(), teacher_, std::as_const(teacher_inputs_).data(), 0, count);
      }
    }
    const auto state = state_at(epoch, first);
    if constexpr (takes_runs) {
      if (batches_at_once() > 1) {
        const std::span<Rule> rules(rules_.on_host.data(), epoch.batches(count));
        std::ranges::generate(rules, [&] { return next_rule(epoch, progress, learning_rate); });
        copy_from_host(backend(), std::span<const Rule>(rules), rules_.values.data());
        steps_->run(backend(), batch, epoch.batch_size, state, epoch_loss_, std::as_const(rules_.values).data());
        return;
      }
    }
    steps_->step(backend(), batch, state, epoch_loss_, next_rule(epoch, progress, learning_rate));
  }

  Network<M, Backend, Scalar>& network_;
  Backend backend_;  // a handle of our own
  L loss_;
  L epoch_loss_;  // of the epoch that is trained
  O optimizer_;
  TeacherSource teacher_;
  SharedInputs<Backend, Scalar> shared_;

  ResidentDataset<Backend> data_{};
  ResidentDataset<Backend> validation_data_{};
  const data::Dataset* validation_ = nullptr;
  std::optional<Preprocessing> preprocessing_{};  // what the network remembers once it is trained
  Buffer<std::uint32_t> order_{};                 // (samples)
  Buffer<Scalar> losses_{};                       // (samples), in the epoch's order
  Buffer<std::uint8_t> correct_{};                // (samples), likewise
  std::optional<Steps> steps_{};
  bool by_runs_ = false;
  std::array<Buffer<Scalar>, O::moment_count> moments_{};
  std::conditional_t<takes_runs, Rules, NoRules> rules_{};
  Buffer<Scalar> teacher_inputs_{};                     // (batch, in) if views are new
  TeacherAnswers<M, Term, Backend, Scalar> answers_{};  // to all samples or views unless shared; to a batch if new
  backend::TeacherTable<Scalar> rows_{};                // of the first view, or of a batch
  Regressor regressor_{};
  std::vector<TrainedArray<Scalar>> arrays_{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

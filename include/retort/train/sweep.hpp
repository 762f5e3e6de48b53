// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Training many students at once, each with hyperparameters and a seed of its own.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/out_of_memory.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/teacher_logits_table.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/loss.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/optimizer.hpp"
#include "retort/train/any_teacher.hpp"
#include "retort/train/early_stopping.hpp"
#include "retort/train/epoch_trainer.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/fit.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/observer.hpp"
#include "retort/train/preprocessing.hpp"
#include "retort/train/resident_dataset.hpp"
#include "retort/train/sweep_models.hpp"
#include "retort/train/sweep_observer.hpp"
#include "retort/train/sweep_options.hpp"
#include "retort/train/sweep_setting.hpp"
#include "retort/train/sweep_together.hpp"
#include "retort/train/teacher.hpp"
#include "retort/train/teacher_answers.hpp"
#include "retort/train/teacher_temperature.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A trained student of a sweep.
template <SweptStudents Students, typename Backend, Loss L, Optimizer O, typename Scalar>
struct SweepResult : StudentReport {
  SweepSetting<L, O> setting;
  /// If it diverged, as it was then. A Network of the model; of a OneOfModels a std::variant of such.
  typename internal::SweptModels<Students>::template StudentNetwork<Backend, Scalar> network;
};

namespace detail {

/// Thrown within a student's training when the sweep is to end, and caught by the sweep.
struct SweepStopped {};

/// Keeps a student's history even if it diverges, and ends its training with the sweep.
class SweptStudentObserver final : public Observer {
 public:
  SweptStudentObserver(const std::atomic<bool>& stopping, History& history) : stopping_(stopping), history_(history) {}

  void on_fit_begin(const History& restored, std::size_t /*epochs*/) override { history_ = restored; }
  void on_batch_end(const BatchProgress& /*progress*/) override {
    if (stopping_.load(std::memory_order_relaxed)) {
      throw SweepStopped();
    }
  }
  void on_epoch_end(const EpochMetrics& metrics, std::size_t /*epochs*/) override { history_.push_back(metrics); }

 private:
  const std::atomic<bool>& stopping_;
  History& history_;
};

/// Stands for any work(index, backend).
struct AnyWork {
  void operator()(std::size_t, const auto&) const {}
};

/// Whether a backend can hand out its threads one by one.
template <typename Backend>
concept HandsOutThreads =
    requires(const Backend& backend) { for_each_on_one_thread(backend, std::size_t{}, AnyWork{}); };

}  // namespace detail

/// Trains a list of students, one for each setting of sweep_grid, or of any list of SweepSetting:
///
///     const auto settings = sweep_grid(SweepSetting<>{}, SweepAxis{&HintonLoss::temperature, {1, 2, 4}});
///     const auto results = Sweep<Student>{teacher, settings, cpu}.fit(train, test);
///     for (const auto& summary : summarize(results)) {
///       ...
///     }
///
/// With backend::Eigen each student trains on one thread, as many at once as the backend has; a thread that finishes
/// takes the next of the list. With backend::Cuda students that fit a block's memory train all at once, each on a
/// multiprocessor, and a History's seconds are those of all together. On a backend that can do neither, and with
/// backend::Cuda where the loss has a term (WithTerm), teachers answer augmented inputs or inputs are distorted, they
/// train one after another, each with the whole backend. Student i is the same, bit for bit, as
/// `Network{setting.weights_seed()}` trained by a DistillationTrainer with the setting's loss, optimizer and seed: it
/// depends neither on the number of threads nor on the other students.
///
/// All students share the data and each teacher's answers: (views, samples, classes) logits and, for a term on hidden
/// layers, (views, samples, width) of what leaves its layer. They are computed once, on all threads, unless the inputs
/// are augmented anew in every epoch. These and all networks are in memory before the first step; each thread also has
/// the working memory of its current student. Teachers that are networks must outlive the sweep.
///
/// A teacher may also be a table of logits, of a teacher of any kind, which the sweep keeps:
///
///     Sweep<Student>{data::load_teacher_logits("logits.npy"), settings, cpu}
///     Sweep<Student>{{teacher, table}, settings, cpu}
///
/// A table of a network's own logits gives the bits that the network gives.
///
/// For a loss with a term on hidden layers the last template parameter is the teachers' model. All teachers are then
/// networks of it, and of a OneOfModels each model has the student's layer of the term:
///
///     using Loss = WithTerm<HintonLoss, Hint<1, 3>>;
///     Sweep<Student, backend::Eigen, Loss, Adam, float, Teacher>{teacher, settings, cpu}
///
/// `Students` is a Model, or a OneOfModels for students of several types. These are one list like any other: trained
/// side by side, resumed, and summarized together. Where all students train at once, it is those of one model, and then
/// those of the next.
template <SweptStudents Students, typename Backend = backend::Eigen, Loss L = HintonLoss, Optimizer O = Adam,
          typename Scalar = float, typename TeacherModel = AnyModel>
class Sweep {
  static constexpr bool compares_layers = requires { requires ComparesLayers<typename L::Term>; };
  static_assert(!compares_layers || Model<TeacherModel>,
                "retort: a term on hidden layers: expected the teachers' model as Sweep's last template parameter");

 public:
  using Setting = SweepSetting<L, O>;
  using Result = SweepResult<Students, Backend, L, O, Scalar>;
  /// A Network, or a data::TeacherLogitsTable; both convert to it. With a TeacherModel only a Network of it does.
  using SweptTeacher = typename internal::SweptTeacherOf<TeacherModel, Students, Backend, Scalar>::type;
  /// Called with each student when its training has ended, before the observers and like them: one call at a time, from
  /// any thread. For keeping results as they come.
  using ResultCallback = std::function<void(const Result&)>;

  /// Throws OptionError for an empty list and for a hyperparameter outside its range, naming the student.
  Sweep(SweptTeacher teacher, std::vector<Setting> settings, Backend backend)
      : Sweep(std::vector{std::move(teacher)}, std::move(settings), std::move(backend)) {}

  /// Several teachers, of any models that fit the student (unless TeacherModel says which), and tables: `Sweep<Student>
  /// sweep{{wide, narrow}, settings, cpu}`.
  Sweep(std::vector<SweptTeacher> teachers, std::vector<Setting> settings, Backend backend)
      : teachers_(std::move(teachers)), settings_(std::move(settings)), backend_(std::move(backend)) {
    require_settings();
  }

  /// Students that learn from labels alone.
  Sweep(std::vector<Setting> settings, Backend backend)
    requires(!L::needs_teacher)
      : settings_(std::move(settings)), backend_(std::move(backend)) {
    require_settings();
  }

  /// Trains every student anew and returns them in the order of the settings. A student that diverges is reported as
  /// such. Any other exception, an observer's too, ends the sweep: students under way end with their batch, no other
  /// begins, and the first exception is rethrown; a sweep that was asked to stop throws StoppedError. Throws, before
  /// anything is computed, ShapeError for data that does not fit the model, OptionError for options out of range, for
  /// data whose inputs are made differently from a teacher's and for samples without labels as in Trainer::fit, what
  /// TeacherLogitsTable::require_made_for throws for a table, and FileError for a folder of checkpoints that cannot be
  /// written. A sweep that resumes compares a table's logits as it compares a network's parameters.
  std::vector<Result> fit(const data::Dataset& train, const SweepOptions& options = {},
                          const ResultCallback& on_result = {}) const {
    return run(train, nullptr, options, on_result);
  }
  /// The same, with an evaluation after each epoch on samples that are not trained on.
  std::vector<Result> fit(const data::Dataset& train, const data::Dataset& validation, const SweepOptions& options = {},
                          const ResultCallback& on_result = {}) const {
    return run(train, &validation, options, on_result);
  }

 private:
  using Models = typename internal::SweptModels<Students>::List;
  template <Model M>
  using StudentTrainer =
      internal::EpochTrainer<M, Backend, Scalar, L, O,
                             std::conditional_t<L::needs_teacher, SweptTeacher, internal::NoTeacher>>;
  using Shared = internal::SharedInputs<Backend, Scalar>;
  using Answers = internal::TeacherAnswers<Models, internal::TeacherLayerOf<L, TeacherModel>, Backend, Scalar>;

  /// What the students of one call of fit share.
  struct Run {
    const data::Dataset& train;
    const data::Dataset* validation;
    const SweepOptions& options;
    const ResultCallback& on_result;
    internal::ResidentDataset<Backend> resident_train{};
    internal::ResidentDataset<Backend> resident_validation{};
    std::vector<Answers> answers{};  // of each teacher that is asked
    std::vector<Result> results{};
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    std::atomic<bool> stopping{false};
    std::mutex mutex{};  // guards the members below, and the observers
    std::size_t finished = 0;
    std::exception_ptr error{};
  };

  void require_settings() const {
    if (settings_.empty()) {
      throw OptionError("Sweep: the list of settings is empty, expected at least one student");
    }
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      try {
        validate_in<Scalar>(settings_[i].loss);
        validate_in<Scalar>(settings_[i].optimizer);
        if constexpr (L::needs_teacher) {
          require_option(settings_[i].teacher < teachers_.size(), "SweepSetting", "teacher", settings_[i].teacher,
                         "less than the number of teachers, " + to_text(teachers_.size()));
        }
        require_option(settings_[i].model < Models::count, "SweepSetting", "model", settings_[i].model,
                       "less than the number of models, " + to_text(Models::count));
      } catch (const OptionError& error) {
        throw OptionError("student " + to_text(i) + ": " + error.what());
      }
    }
    if constexpr (!Backend::host_memory) {
      for (const SweptTeacher& teacher : teachers_) {
        internal::require_reach(backend_, teacher);
      }
    }
  }

  std::vector<Result> run(const data::Dataset& train, const data::Dataset* validation, const SweepOptions& options,
                          const ResultCallback& on_result) const {
    // Before the teachers are asked and the networks are made, not within the first student.
    require_settings();  // again: a sweep that was moved from has none
    train.require_samples();
    options.validate_for(train.size(), validation != nullptr);
    detail::require_gain_for(metric_of<L>, options.early_stopping);
    for (const Setting& setting : settings_) {
      internal::require_truth_for(setting.loss, train, validation);
    }
    Models::for_each([&]<Model M>(std::type_identity<M> /*model*/) {
      internal::require_trainable<M, L>(train, validation, first_epoch(options, train.size()));
    });
    for (const Setting& setting : settings_) {
      internal::require_labels_for(setting.loss, train);
    }
    if constexpr (L::needs_teacher) {
      for (std::size_t i = 0; i < teachers_.size(); ++i) {
        if (is_asked(i)) {
          teachers_[i].require_made_for(train, first_epoch(options, train.size()));
        }
      }
      for (std::size_t i = 0; i < settings_.size(); ++i) {
        if (const data::TeacherLogitsTable* const table = teachers_[settings_[i].teacher].table()) {
          try {
            internal::require_table_for(*table, settings_[i].loss);
          } catch (const OptionError& error) {
            throw OptionError(concatenate({"student ", i, ": ", error.what()}));
          }
        }
      }
    }
    prepare_checkpoints(options);
    Run run{train, validation, options, on_result};
    run.resident_train = internal::ResidentDataset(backend_, train);
    if (validation != nullptr) {
      run.resident_validation = internal::ResidentDataset(backend_, *validation);
    }
    ask_teachers(run);
    make_students(run);
    train_together(run);
    const auto work = [&](std::size_t index, const Backend& on) noexcept { train_student(run, index, on); };
    if constexpr (detail::HandsOutThreads<Backend>) {
      for_each_on_one_thread(backend_, settings_.size(), work);
    } else {
      for (std::size_t index = 0; index < settings_.size(); ++index) {
        work(index, backend_);
      }
    }
    if (run.error) {
      std::rethrow_exception(run.error);
    }
    if (run.finished < settings_.size()) {
      fail_stopped(run);
    }
    return std::move(run.results);
  }

  [[noreturn, gnu::cold]] void fail_stopped(const Run& run) const {
    throw StoppedError("sweep stopped as asked, after " + to_text(run.finished) + " of " + to_text(settings_.size()) +
                       " students");
  }

  /// Makes the folder and tries to write there.
  [[gnu::cold]] static void prepare_checkpoints(const SweepOptions& options) {
    if (options.checkpoints) {
      make_folder(options.checkpoints->folder);
      require_writable(options.checkpoints->file(0));
    }
  }

  static FitOptions fit_options(const Run& run, const Result& result, detail::SweptStudentObserver& observer) {
    FitOptions options = run.options.fit_options(result.setting.seed);
    options.observers = {&observer};
    if (run.options.checkpoints) {
      options.checkpoint = CheckpointOptions{.path = run.options.checkpoints->file(result.index),
                                             .resume = run.options.checkpoints->resume,
                                             .any_processor = run.options.checkpoints->any_processor,
                                             .every_seconds = 10.0};
    }
    return options;
  }

  /// The networks before their training, with the words for each.
  void make_students(Run& run) const {
    const std::vector<std::string> names = Models::names();
    std::vector<std::string> descriptions;
    for (Setting setting : settings_) {
      setting.model = 0;  // in place of its number the name is given
      descriptions.push_back(setting.describe() + ", seed " + to_text(setting.seed.value));
    }
    const std::vector<std::string> differences = detail::setting_differences(descriptions);
    const bool differ_in_model = std::ranges::any_of(
        settings_, [&](const Setting& setting) { return setting.model != settings_.front().model; });
    run.results.reserve(settings_.size());
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      const Setting& setting = settings_[i];
      const std::string& model = names[setting.model];
      const std::string in_front = model + (differences[i].empty() ? "" : ", ");
      run.results.push_back(
          {{.index = i,
            .model = model,
            .description = concatenate({Models::count > 1 ? model + ", " : "", descriptions[i]}),
            .difference = concatenate({differ_in_model ? in_front : "", differences[i]})},
           setting,
           Models::visit(setting.model, [&]<Model M>(std::type_identity<M> /*model*/) -> decltype(Result::network) {
             return Network<M, Backend, Scalar>(setting.weights_seed(), backend_, run.options.initialization);
           })});
    }
  }

  /// Of any student, as far as its inputs go.
  static internal::Epoch first_epoch(const SweepOptions& options, std::size_t samples) {
    return {.batch_size = std::min(options.batch_size, samples),
            .drop_last = options.drop_last,
            .augmentation = options.augmentation,
            .views = options.views};
  }

  bool is_asked(std::size_t teacher) const {
    return std::ranges::any_of(settings_, [&](const Setting& setting) { return setting.teacher == teacher; });
  }

  void ask_teachers(Run& run) const {
    run.answers.resize(teachers_.size());
    const internal::Epoch epoch = first_epoch(run.options, run.train.size());
    if (!L::needs_teacher || !epoch.repeats_views()) {
      return;
    }
    const std::size_t rows = epoch.view_count() * run.train.size();
    for (std::size_t i = 0; i < teachers_.size(); ++i) {
      if (is_asked(i)) {
        internal::wait_for(teachers_[i]);
        allocate_for("answers of a teacher", rows * Answers::row_size * sizeof(Scalar), [&] {
          if (const data::TeacherLogitsTable* const table = teachers_[i].table()) {
            run.answers[i].take(backend_, *table);
          } else {
            run.answers[i].ask(backend_, teachers_[i], run.resident_train.view(), epoch);
          }
        });
      }
    }
  }

  /// Runs on one of the threads, so it throws nothing.
  void train_student(Run& run, std::size_t index, const Backend& on) const noexcept {
    if (trains_together(run, settings_[index].model)) {
      return;  // it has been trained
    }
    if (run.stopping.load(std::memory_order_relaxed) || (run.options.stop != nullptr && run.options.stop->is_made())) {
      return;
    }
    try {
      Result& result = run.results[index];
      try {
        Models::visit(result.setting.model,
                      [&]<Model M>(std::type_identity<M> /*model*/) { fit_student<M>(run, result, on); });
      } catch (const DivergenceError& error) {
        result.divergence = error.what();
      }
      report_end(run, result);
    } catch (const detail::SweepStopped&) {
      // The reason is in run.error.
    } catch (const StoppedError&) {
      // All students end so, and that is said once.
    } catch (...) {
      const std::lock_guard lock(run.mutex);
      if (!run.error) {
        run.error = std::current_exception();
      }
      run.stopping.store(true, std::memory_order_relaxed);
    }
  }

  void report_end(Run& run, const Result& result) const {
    const std::lock_guard lock(run.mutex);
    if (run.on_result) {
      run.on_result(result);
    }
    ++run.finished;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - run.begin;
    const SweepProgress progress{run.finished, settings_.size(), seconds.count()};
    for (SweepObserver* observer : run.options.observers) {
      observer->on_student_end(result, progress);
    }
  }

  template <Model M>
  std::unique_ptr<StudentTrainer<M>> make_epoch_trainer(const Run& run, Result& result, const Backend& on) const {
    const Setting& setting = result.setting;
    Network<M, Backend, Scalar>& network = internal::network_of<M, Backend, Scalar>(result.network);
    Shared shared{&run.resident_train, run.validation != nullptr ? &run.resident_validation : nullptr};
    if constexpr (L::needs_teacher) {
      shared.teacher = run.answers[setting.teacher].rows(true);
      return std::make_unique<StudentTrainer<M>>(network, setting.loss, setting.optimizer, teachers_[setting.teacher],
                                                 on, shared);
    } else {
      return std::make_unique<StudentTrainer<M>>(network, setting.loss, setting.optimizer, internal::NoTeacher{}, on,
                                                 shared);
    }
  }

  template <Model M>
  void fit_student(const Run& run, Result& result, const Backend& on) const {
    detail::SweptStudentObserver observer(run.stopping, result.history);
    const auto epoch_trainer = make_epoch_trainer<M>(run, result, on);
    detail::fit(*epoch_trainer, run.train, run.validation, fit_options(run, result, observer));
    take_evaluation(run, result);
  }

  /// The evaluation of the network as it is: after the last epoch, or after the one that early stopping restored.
  static void take_evaluation(const Run& run, Result& result) {
    if (run.validation != nullptr) {
      const auto& early_stopping = run.options.early_stopping;
      const std::size_t epoch =
          early_stopping ? best_epoch(result.history, early_stopping->minimum_gain) : result.history.size();
      result.evaluation = result.history[epoch - 1].validation;
    }
  }

  /// Whether the students of a model train all at once.
  bool trains_together(const Run& run, std::size_t model) const {
    return !run.options.augmentation.distorts() &&
           (!L::needs_teacher || first_epoch(run.options, run.train.size()).repeats_views()) &&
           Models::visit(model, [&]<Model M>(std::type_identity<M> /*model*/) {
             return StudentTrainer<M>::takes_runs_on(backend_);
           });
  }

  /// Trains those students, one model after another.
  void train_together(Run& run) const {
    Models::for_each([&]<Model M>(std::type_identity<M> /*model*/) {
      if constexpr (StudentTrainer<M>::takes_runs) {
        if (trains_together(run, Models::template place_of<M>())) {
          try {
            train_group<M>(run);
          } catch (const StoppedError&) {
            fail_stopped(run);
          }
        }
      }
    });
  }

  template <Model M>
  void train_group(Run& run) const {
    detail::StudentGroup<StudentTrainer<M>, Backend> group(backend_, run.train, run.validation,
                                                           run.resident_train.view(), run.resident_validation.view());
    std::deque<detail::SweptStudentObserver> observers;
    std::vector<std::size_t> places;  // of the group's students in the list
    for (Result& result : run.results) {
      if (result.setting.model == Models::template place_of<M>()) {
        places.push_back(result.index);
        group.add(make_epoch_trainer<M>(run, result, backend_),
                  fit_options(run, result, observers.emplace_back(run.stopping, result.history)));
      }
    }
    group.run([&](std::size_t index, const DivergenceError* error) {
      Result& result = run.results[places[index]];
      if (error != nullptr) {
        result.divergence = error->what();
      } else {
        take_evaluation(run, result);
      }
      report_end(run, result);
    });
  }

  std::vector<SweptTeacher> teachers_;
  std::vector<Setting> settings_;
  Backend backend_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The job: data, teacher or its logits, student alone, student distilled, closing table.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "common/data.hpp"
#include "common/models.hpp"
#include "common/output_folder.hpp"
#include "common/stop_signals.hpp"
#include "common/training_options.hpp"
#include "deviation.hpp"
#include "options.hpp"
#include "report.hpp"
#include "report_page.hpp"
#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/ensemble_logits.hpp"
#include "retort/data/split.hpp"
#include "retort/data/teacher_logits.hpp"
#include "retort/data/teacher_logits_table.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/softmax_passed_to_kl.hpp"
#include "retort/nn/initialization.hpp"
#include "retort/nn/network.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/checkpoint.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/json_lines_log.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/preprocessing.hpp"
#include "retort/train/progress_printer.hpp"
#include "retort/train/teacher_temperature.hpp"
#include "retort/train/tensorboard_log.hpp"
#include "retort/train/trainer.hpp"

namespace distill_mnist {

using examples::Student;
using examples::Teacher;
using examples::TrainingOptions;

/// Everything on one backend, whose header the file that names it includes. Compiled once for each, so only what a
/// training needs is included here: nvcc takes seconds for each header more.
template <typename Backend>
class Job {
 public:
  Job(const Options& options, Backend backend)
      : options_(options),
        backend_(std::move(backend)),
        data_(checked_data()),
        few_(some_of(train())),
        teacher_table_(load_teacher_table()),
        log_(options.out / "metrics.jsonl") {}

  void run() {
    if (!options_.quiet) {
      std::cout << backend_.describe() << '\n' << train().size() << " training images";
      if (few_) {
        std::cout << ", " << few_->size() << " of them for the students";
      }
      std::cout << ", " << test().size() << " held out, from " << retort::path_text(options_.data) << ", "
                << options_.split << " split, seed " << options_.seed << '\n';
      if (teacher_table_) {
        std::cout << "the teacher is " << describe_tables() << '\n';
      }
      std::cout << '\n';
    }
    // The teacher's and the student's initial weights come from different seeds; those of both students from the same.
    const retort::Seed student_seed{2 * options_.seed + 1};
    const retort::Initialization initialization = examples::initialization_of(options_.initialization);
    std::optional<retort::Network<Teacher, Backend>> teacher;
    if (!teacher_table_) {
      teacher.emplace(retort::Seed{2 * options_.seed}, backend_, initialization);
    }
    if (!options_.teacher_file.empty()) {
      retort::io::load_safetensors(*teacher, options_.teacher_file);
      retort::require_preprocessing(teacher->preprocessing(), train(), options_.teacher_file.string());
    }
    prepare_folder();  // from here on the results of an earlier run are replaced
    if (teacher) {
      if (options_.teacher_file.empty()) {
        train_teacher(*teacher);
      }
      save(*teacher, "teacher.safetensors");
    }

    retort::Network<Student, Backend> alone(student_seed, backend_, initialization);
    retort::Trainer alone_trainer{alone, retort::CrossEntropy{}, options_.adam_for(options_.student)};
    const retort::History alone_history = fit(alone_trainer, "alone", students_images(), options_.student);
    save(alone, "student_alone.safetensors");

    retort::Network<Student, Backend> distilled(student_seed, backend_, initialization);
    const retort::History distilled_history =
        teacher ? distil(*teacher, distilled) : distil(*teacher_table_, distilled);
    save(distilled, "student_distilled.safetensors");

    const Report report{
        .recipe = options_.recipe,
        .training_images = train().size(),
        .student_images = students_images().size(),
        .held_out = test().size(),
        .loss = with_loss([](const auto& loss) { return retort::describe_settings(loss); }),
        .last_loss = distilled_history.back().loss,
        .teacher_table = teacher_table_ ? describe_tables() : "",
        .teacher =
            teacher ? std::optional(row("teacher", *teacher, teacher_history_, "teacher.safetensors")) : std::nullopt,
        .alone = row("student alone", alone, alone_history, "student_alone.safetensors"),
        .distilled = row("student distilled", distilled, distilled_history, "student_distilled.safetensors"),
        .deviation = teacher && options_.student.augmentation.is_set() && !options_.report.empty()
                         ? describe_deviation(options_, students_images())
                         : ""};
    print_report(report);
    if (!options_.report.empty()) {
      write_report_page(options_, report, test());
    }
  }

 private:
  const retort::data::Dataset& train() const { return data_.first; }
  const retort::data::Dataset& test() const { return data_.second; }
  const retort::data::Dataset& students_images() const { return few_ ? *few_ : train(); }

  /// The share of the images that the students see; empty where that is all of them.
  std::optional<retort::data::Dataset> some_of(const retort::data::Dataset& all) const {
    if (options_.student_fraction == 1.0) {
      return std::nullopt;
    }
    return retort::data::random_split(all, options_.student_fraction, retort::Seed{options_.seed}).first;
  }

  /// Which of the training images in the files the students see.
  std::vector<std::uint32_t> students_rows(std::size_t images) const {
    std::vector<std::uint32_t> rows = examples::training_rows(images, options_.split, options_.seed);
    if (few_) {
      const auto [few, others] =
          retort::data::random_split_indices(rows.size(), options_.student_fraction, retort::Seed{options_.seed});
      std::vector<std::uint32_t> few_rows;
      std::ranges::transform(few, std::back_inserter(few_rows), [&](std::uint32_t i) { return rows[i]; });
      return few_rows;
    }
    return rows;
  }

  /// The tables of --teacher-logits as one, with a row for each of the students' images; empty where the teacher is a
  /// network. A table of augmented views answers the students' images, any other all training images in the files.
  std::optional<retort::data::TeacherLogitsTable> load_teacher_table() const {
    if (options_.teacher_logits.empty()) {
      return std::nullopt;
    }
    const bool augmented = options_.student.augmentation.is_set();
    const retort::FitOptions fit = fit_options(options_.student);
    std::optional<retort::data::Dataset> whole;
    if (!augmented && options_.split != "official") {
      whole = examples::load_training_images(options_.data);
    }
    const retort::data::Dataset& answered = augmented ? students_images() : whole ? *whole : train();
    std::vector<retort::data::TeacherLogitsTable> tables;
    for (const std::filesystem::path& file : options_.teacher_logits) {
      tables.push_back(retort::data::load_teacher_logits(file));
      tables.back().require_made_for(answered, fit.augmentation, fit.views, Student::output_size);
    }
    retort::data::TeacherLogitsTable table =
        tables.size() == 1
            ? std::move(tables.front())
            : retort::data::ensemble_logits(tables, options_.hinton.temperature, options_.teacher_weights);
    with_loss([&](const auto& loss) { retort::require_temperature_for(table, loss); });
    return &answered == &students_images() ? table : table.subset(students_rows(answered.size()), students_images());
  }

  /// "a table of logits, logits.npy".
  std::string describe_tables() const {
    const std::size_t count = options_.teacher_logits.size();
    if (count == 1) {
      return "a table of logits, " + retort::path_text(options_.teacher_logits.front().filename());
    }
    std::string text =
        retort::concatenate({count, " tables of logits, averaged at temperature ", options_.hinton.temperature});
    const char* before = " with weights ";
    for (const double weight : options_.teacher_weights) {
      text += retort::concatenate({std::exchange(before, " : "), weight});
    }
    return text;
  }

  /// How many of `images` the students see.
  std::size_t students_share(std::size_t images) const {
    const double fraction = options_.student_fraction;
    const double share = fraction * static_cast<double>(images);
    if (!(fraction > 0.0 && fraction <= 1.0 && share >= 1.0)) {
      throw retort::OptionError(retort::concatenate(
          {"--student-fraction: ", fraction,
           ", expected a number above 0 and at most 1 that leaves one or more of the ", images, " training images"}));
    }
    return static_cast<std::size_t>(share);
  }

  /// Finds what is out of range or does not fit now, not after minutes of training the teacher.
  std::pair<retort::data::Dataset, retort::data::Dataset> checked_data() const {
    retort::validate_in<float>(options_.adam_for(options_.teacher));
    retort::validate_in<float>(options_.adam_for(options_.student));
    retort::validate_in<float>(options_.hinton);
    retort::validate_in<float>(as_written_loss());
    fit_options(options_.teacher).validate();
    fit_options(options_.student).validate();
    checkpoint("teacher").validate();
    auto data = examples::load_data(options_.data, options_.split, options_.seed);
    retort::require_matching_data<Teacher>(data.first);
    options_.teacher.augmentation.validate(data.first.image());
    options_.student.augmentation.validate(data.first.image());
    fit_options(options_.teacher).validate_for(data.first.size(), true);
    fit_options(options_.student).validate_for(students_share(data.first.size()), true);
    return data;
  }

  retort::SoftmaxPassedToKlLoss as_written_loss() const {
    return {.temperature = options_.hinton.temperature, .hard_weight = options_.hinton.hard_weight};
  }

  retort::FitOptions fit_options(const TrainingOptions& training) const {
    return {.epochs = training.epochs,
            .batch_size = options_.batch_size,
            .seed = retort::Seed{options_.seed},
            .augmentation = training.augmentation,
            .views = {.count = training.views, .seed = retort::Seed{options_.seed}},
            .schedule = training.schedule_with_warmup(),
            .stop = &examples::stop_request()};
  }

  retort::CheckpointOptions checkpoint(const std::string& phase) const {
    return {.path = checkpoint_folder() / (phase + ".safetensors"),
            .resume = options_.continuation.resume,
            .any_processor = options_.continuation.any_processor,
            .every_epochs = options_.checkpoint_epochs,
            .every_seconds = options_.checkpoint_seconds};
  }

  std::filesystem::path checkpoint_folder() const { return options_.out / "checkpoints"; }

  /// Makes and locks the folder and tries to write there, to --tensorboard and to --report, before anything is trained
  /// for it.
  void prepare_folder() {
    folder_.emplace(options_.out, std::vector<std::string>{"checkpoints"});
    if (!options_.tensorboard.empty()) {
      const retort::TensorBoardLog never_written(options_.tensorboard);
    }
    if (!options_.report.empty()) {
      retort::require_writable(options_.report);
    }
    std::vector<std::filesystem::path> results{"metrics.jsonl", "student_alone.safetensors",
                                               "student_distilled.safetensors"};
    std::error_code ignored;
    if (!teacher_table_ &&
        !std::filesystem::equivalent(options_.out / "teacher.safetensors", options_.teacher_file, ignored)) {
      results.emplace_back("teacher.safetensors");
    }
    const std::vector<std::filesystem::path> checkpoints{
        "checkpoints/teacher.safetensors", "checkpoints/alone.safetensors", "checkpoints/distilled.safetensors"};
    folder_->take_over(results, checkpoints, options_.continuation);
    for (const auto& file : results) {
      retort::require_writable(options_.out / file);
    }
    retort::require_writable(options_.out / checkpoints.front());
  }

  void train_teacher(retort::Network<Teacher, Backend>& teacher) {
    retort::Trainer trainer{teacher, retort::CrossEntropy{}, options_.adam_for(options_.teacher)};
    teacher_history_ = fit(trainer, "teacher", train(), options_.teacher);
  }

  /// Calls the function with the distilled student's loss.
  auto with_loss(const auto& function) const {
    if (options_.loss == "hinton") {
      return function(options_.hinton);
    }
    if (options_.loss == "as-written") {
      return function(as_written_loss());
    }
    return function(retort::CrossEntropy{});
  }

  /// From a network or from a table.
  retort::History distil(const auto& teacher, retort::Network<Student, Backend>& student) {
    return with_loss([&](const auto& loss) {
      retort::DistillationTrainer trainer{teacher, student, loss, options_.adam_for(options_.student)};
      return fit(trainer, "distilled", students_images(), options_.student);
    });
  }

  /// Trains and returns all epochs, those restored from a checkpoint included.
  retort::History fit(auto& trainer, const std::string& phase, const retort::data::Dataset& images,
                      const TrainingOptions& training) {
    retort::ProgressPrinter printer(phase);
    retort::JsonLinesObserver logger(log_, phase);
    retort::FitOptions settings = fit_options(training);
    settings.checkpoint = checkpoint(phase);
    settings.observers = {&logger};
    std::optional<retort::TensorBoardLog> board;
    if (!options_.tensorboard.empty()) {
      settings.observers.push_back(&board.emplace(options_.tensorboard / phase));
    }
    if (!options_.quiet) {
      std::cout << phase << " trains by " << trainer.describe() << '\n';
      settings.observers.push_back(&printer);
    }
    retort::History history;
    try {
      history = trainer.fit(images, test(), settings);
    } catch (const retort::SettingError& error) {
      const std::string options = options_of_setting(error.setting(), phase == "teacher");
      throw retort::OptionError(retort::concatenate({options, options.empty() ? "" : ": ", error.what()}));
    }
    if (!options_.quiet) {
      std::cout << '\n' << std::flush;
    }
    return history;
  }

  void save(const auto& network, const char* name) const {
    retort::io::save_safetensors(network, options_.out / name,
                                 {.metadata = {{"input", examples::describe_input(train())}}});
  }

  /// Microseconds per image over the held-out set, in batches: the fastest of three runs. From the host's memory to the
  /// host's memory: on a device that includes sending the images, as bytes, and fetching the logits.
  double inference_time(const auto& network) const {
    double fastest = 0.0;
    for (int run = 0; run < 3; ++run) {
      const auto start = std::chrono::steady_clock::now();
      retort::predict_all(network, test());
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      fastest = run == 0 ? seconds : std::min(fastest, seconds);
    }
    return 1e6 * fastest / static_cast<double>(test().size());
  }

  template <typename Network>
  ReportRow row(const std::string& name, const Network& network, const retort::History& history,
                const char* file) const {
    double seconds = 0.0;
    for (const retort::EpochMetrics& metrics : history) {
      seconds += metrics.seconds;
    }
    return {.name = name,
            .parameters = Network::model_type::parameter_count,
            .evaluation = retort::evaluate(network, test()),
            .seconds = seconds,
            .bytes = std::filesystem::file_size(options_.out / file),
            .microseconds_per_image = inference_time(network),
            .history = history,
            .logits = options_.report.empty() ? std::vector<float>() : retort::predict_all(network, test())};
  }

  const Options& options_;
  Backend backend_;
  std::pair<retort::data::Dataset, retort::data::Dataset> data_;
  std::optional<examples::OutputFolder> folder_;
  std::optional<retort::data::Dataset> few_;  // what the students see, where that is not all of the training images
  std::optional<retort::data::TeacherLogitsTable> teacher_table_;  // in place of a teacher network
  retort::JsonLinesLog log_;
  retort::History teacher_history_{};  // empty where the teacher was loaded
};

}  // namespace distill_mnist

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The sweep: data, teacher, students, table.

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "common/data.hpp"
#include "common/models.hpp"
#include "common/output_folder.hpp"
#include "common/stop_signals.hpp"
#include "common/students.hpp"
#include "common/training_options.hpp"
#include "options.hpp"
#include "report.hpp"
#include "report_page.hpp"
#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/network.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/preprocessing.hpp"
#include "retort/train/progress_printer.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/sweep_grid.hpp"
#include "retort/train/sweep_printer.hpp"
#include "retort/train/sweep_setting.hpp"
#include "retort/train/sweep_summary.hpp"
#include "retort/train/tensorboard_log.hpp"
#include "retort/train/trainer.hpp"
#include "runs_file.hpp"
#include "students.hpp"
#include "tensorboard_students.hpp"

namespace sweep {

/// Everything on one backend, whose header the file that names it includes.
template <typename Backend>
class Job {
 public:
  Job(const Options& options, Backend backend)
      : options_(options),
        backend_(std::move(backend)),
        teacher_(retort::Seed{2 * options.first_seed}, backend_),
        settings_(make_settings()),
        sweep_(teacher_, settings_, backend_),  // finds hyperparameters out of range, before minutes of training
        data_(load_data()) {
    if (options_.test) {
      test_ = examples::load_test_images(options_.data);  // now, so that a missing file is found; no one looks yet
    }
  }

  void run() {
    if (!options_.quiet) {
      std::cout << backend_.describe() << '\n'
                << train().size() << " training images, " << held_out().size() << " held out, from "
                << retort::path_text(options_.data) << ", " << options_.split << " split; " << settings_.size()
                << " students\n\n";
    }
    if (!options_.teacher_file.empty()) {
      retort::io::load_safetensors(teacher_, options_.teacher_file);
      retort::require_preprocessing(teacher_.preprocessing(), train(), options_.teacher_file.string());
    }
    prepare_folder();
    if (options_.teacher_file.empty()) {
      train_teacher();
    }
    std::size_t teacher_errors = 0;
    if (!options_.quiet || !options_.report.empty()) {
      teacher_errors = retort::evaluate(teacher_, held_out()).errors;
    }
    if (!options_.quiet) {
      std::cout << "the teacher makes " << teacher_errors << " errors\n\n" << std::flush;
    }
    const auto start = std::chrono::steady_clock::now();
    const auto results = train_students();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!options_.quiet) {
      std::printf("\n%zu students in %.1f s\n\n", results.size(), seconds);
    }
    std::vector<Summary> summaries = retort::summarize(results);
    std::vector<Summary> best_first = summaries;
    sort_by_errors(best_first);
    if (options_.best_first) {
      summaries = best_first;
    }
    print_report(summaries);
    if (test_) {
      count_test_errors(best_first.front(), results);
    }
    if (!options_.report.empty()) {
      std::vector<StudentRun> runs;
      runs.reserve(results.size());
      for (const auto& result : results) {
        runs.push_back({result.setting, result.evaluation});
      }
      write_report_page(options_, {.held_out = held_out().size(),
                                   .teacher_errors = teacher_errors,
                                   .summaries = std::move(summaries),
                                   .runs = std::move(runs)});
    }
  }

 private:
  using StudentSweep = retort::Sweep<Students, Backend>;

  const retort::data::Dataset& train() const { return data_.first; }
  const retort::data::Dataset& held_out() const { return data_.second; }

  /// Seeds as in distill_mnist: of a seed both make the same student. With hard weight 1 it is the same at every
  /// temperature, and listed once.
  std::vector<retort::SweepSetting<>> make_settings() const {
    auto settings = retort::without_repeats(retort::sweep_grid(
        retort::SweepSetting<>{},
        retort::SweepAxis{&retort::SweepSetting<>::model, examples::places_of(student_names, options_.students)},
        retort::SweepAxis{&retort::HintonLoss::temperature, options_.temperatures},
        retort::SweepAxis{&retort::HintonLoss::hard_weight, options_.hard_weights},
        retort::SweepAxis{&retort::Adam::learning_rate, options_.learning_rates},
        retort::SweepAxis{&retort::SweepSetting<>::seed,
                          retort::consecutive_seeds(options_.seeds, options_.first_seed)}));
    for (retort::SweepSetting<>& setting : settings) {
      setting.initial_seed = retort::Seed{2 * setting.seed.value + 1};
    }
    return settings;
  }

  /// Finds what does not fit the data now, not after minutes of training the teacher.
  std::pair<retort::data::Dataset, retort::data::Dataset> load_data() const {
    auto data = examples::load_data(options_.data, options_.split, options_.first_seed);
    retort::require_matching_data<examples::Teacher>(data.first);
    const retort::FitOptions teacher = teacher_fit_options();
    teacher.augmentation.validate(data.first.image());
    options_.student.augmentation.validate(data.first.image());
    teacher.validate_for(data.first.size(), true);
    sweep_options().fit_options({}).validate_for(data.first.size(), true);
    return data;
  }

  retort::FitOptions teacher_fit_options() const {
    return {.epochs = options_.teacher.epochs,
            .batch_size = options_.batch_size,
            .seed = retort::Seed{options_.first_seed},
            .augmentation = options_.teacher.augmentation,
            .schedule = options_.teacher.schedule_with_warmup(),
            .stop = &examples::stop_request()};
  }

  retort::SweepOptions sweep_options() const {
    return {.epochs = options_.student.epochs,
            .batch_size = options_.batch_size,
            .augmentation = options_.student.augmentation,
            .views = {.count = options_.student.views, .seed = retort::Seed{options_.first_seed}},
            .schedule = options_.student.schedule_with_warmup(),
            .initialization = examples::initialization_of(options_.initialization),
            .stop = &examples::stop_request()};
  }

  std::filesystem::path checkpoint_folder() const { return options_.out / "checkpoints"; }

  /// Makes and locks the folder and tries to write there, to --tensorboard and to --report, before anything is trained
  /// for it.
  void prepare_folder() {
    if (!options_.tensorboard.empty()) {
      board_.emplace(options_.tensorboard);
    }
    std::vector<std::string> inner{"checkpoints"};
    if (options_.save_students) {
      inner.emplace_back("students");
    }
    if (!options_.out.empty()) {
      folder_.emplace(options_.out, inner);
    }
    if (!options_.report.empty()) {  // which may lie in that folder
      retort::require_writable(options_.report);
    }
    if (options_.out.empty()) {
      return;
    }
    const std::vector<std::filesystem::path> students = earlier_students();
    folder_->take_over(earlier_teacher(), students, options_.continuation);
    if (options_.continuation.resume) {
      require_no_further(students);
    }
    runs_file_.emplace(options_.out / "runs.jsonl", settings_);
    for (const std::string& folder : inner) {
      retort::require_writable(options_.out / folder / "0.safetensors");
    }
  }

  /// That of an earlier run in --out, unless it is the one that this sweep is given.
  std::vector<std::filesystem::path> earlier_teacher() const {
    std::error_code ignored;
    if (std::filesystem::equivalent(options_.out / "teacher.safetensors", options_.teacher_file, ignored)) {
      return {};
    }
    return {"teacher.safetensors"};
  }

  /// What a sweep of any size may have left in --out.
  std::vector<std::filesystem::path> earlier_students() const {
    std::vector<std::filesystem::path> results{"runs.jsonl"};
    std::error_code ignored;
    for (const char* folder : {"checkpoints", "students"}) {
      for (const auto& entry : std::filesystem::directory_iterator(options_.out / folder, ignored)) {
        if (entry.path().extension() == ".safetensors") {
          results.push_back(std::filesystem::path(folder) / entry.path().filename());
        }
      }
    }
    return results;
  }

  /// Those of a larger sweep would lie beside the table of this one.
  void require_no_further(const std::vector<std::filesystem::path>& results) const {
    for (const std::filesystem::path& result : results) {
      const std::string name = result.stem().string();
      std::size_t student = 0;
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), student);
      if (result.has_parent_path() && error == std::errc{} && end == name.data() + name.size() &&
          student >= settings_.size()) {
        throw retort::OptionError(retort::concatenate({"--resume: ", (options_.out / result).string(),
                                                       " is of a sweep of more students, expected at most the ",
                                                       settings_.size(), " of this one"}));
      }
    }
  }

  void train_teacher() {
    retort::ProgressPrinter printer("teacher");
    retort::FitOptions fit_options = teacher_fit_options();
    if (!options_.quiet) {
      fit_options.observers = {&printer};
    }
    std::optional<retort::TensorBoardLog> log;
    if (board_) {
      fit_options.observers.push_back(&log.emplace(options_.tensorboard / "teacher"));
    }
    if (!options_.out.empty()) {
      fit_options.checkpoint = retort::CheckpointOptions{.path = checkpoint_folder() / "teacher.safetensors",
                                                         .resume = options_.continuation.resume,
                                                         .any_processor = options_.continuation.any_processor,
                                                         .every_seconds = examples::checkpoint_seconds};
    }
    retort::Trainer{teacher_, retort::CrossEntropy{}, retort::Adam{.learning_rate = options_.teacher.learning_rate}}
        .fit(train(), held_out(), fit_options);
    if (!options_.out.empty()) {
      save_network(teacher_, "teacher.safetensors");
    }
  }

  std::vector<typename StudentSweep::Result> train_students() {
    retort::SweepPrinter printer;
    retort::SweepOptions options = sweep_options();
    if (runs_file_) {
      options.observers.push_back(&*runs_file_);
    }
    if (board_) {
      options.observers.push_back(&*board_);
    }
    if (!options_.quiet) {
      options.observers.push_back(&printer);
    }
    if (!options_.out.empty()) {
      options.checkpoints = retort::SweepCheckpointOptions{.folder = checkpoint_folder(),
                                                           .resume = options_.continuation.resume,
                                                           .any_processor = options_.continuation.any_processor};
    }
    return sweep_.fit(train(), held_out(), options, [this](const typename StudentSweep::Result& result) {
      if (options_.save_students && !result.has_diverged()) {
        std::visit(
            [&](const auto& network) {
              save_network(network, "students/" + std::to_string(result.index) + ".safetensors");
            },
            result.network);
      }
    });
  }

  /// Those of the chosen setting's students. The only look at the test images.
  void count_test_errors(const Summary& chosen, const std::vector<typename StudentSweep::Result>& results) const {
    if (chosen.errors.count == 0) {
      std::printf("\ntest: every student diverged, so that none was chosen\n");
      return;
    }
    std::vector<double> errors;
    for (const auto& result : results) {
      if (!result.has_diverged() && result.setting.describe() == chosen.setting.describe()) {
        errors.push_back(static_cast<double>(examples::count_errors(result, *test_)));
      }
    }
    print_test(chosen.setting, errors, test_->size());
  }

  void save_network(const auto& network, const std::string& name) const {
    retort::io::save_safetensors(network, options_.out / name,
                                 {.metadata = {{"input", examples::describe_input(train())}}});
  }

  const Options& options_;
  Backend backend_;
  retort::Network<examples::Teacher, Backend> teacher_;
  std::vector<retort::SweepSetting<>> settings_;
  StudentSweep sweep_;
  std::pair<retort::data::Dataset, retort::data::Dataset> data_;
  std::optional<retort::data::Dataset> test_{};  // without --test there is none
  std::optional<examples::OutputFolder> folder_;
  std::optional<RunsFile> runs_file_;
  std::optional<TensorBoardStudents> board_;
};

}  // namespace sweep

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The sweep: data, teacher, students, table.

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "common/data.hpp"
#include "common/models.hpp"
#include "options.hpp"
#include "report.hpp"
#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/dataset.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/nn/network.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/progress_printer.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/sweep_grid.hpp"
#include "retort/train/sweep_printer.hpp"
#include "retort/train/sweep_summary.hpp"
#include "retort/train/trainer.hpp"
#include "runs_file.hpp"

namespace sweep {

/// Everything on one backend, whose header is to be included by who names it.
template <typename Backend>
class Job {
 public:
  Job(const Options& options, Backend backend)
      : options_(options),
        backend_(std::move(backend)),
        teacher_(retort::Seed{2 * options.first_seed}, backend_),
        settings_(make_settings()),
        sweep_(teacher_, settings_, backend_),  // finds hyperparameters out of range, before minutes of training
        data_(load_data()) {}

  void run() {
    if (!options_.quiet) {
      std::cout << backend_.describe() << '\n'
                << train().size() << " training images, " << held_out().size() << " held out, from "
                << retort::path_text(options_.data) << ", " << options_.split << " split; " << settings_.size()
                << " students\n\n";
    }
    if (!options_.teacher_file.empty()) {
      retort::io::load_safetensors(teacher_, options_.teacher_file);
    }
    prepare_folder();
    if (options_.teacher_file.empty()) {
      train_teacher();
    }
    if (!options_.quiet) {
      const retort::Evaluation teacher = retort::evaluate(teacher_, held_out());
      std::cout << "the teacher makes " << teacher.errors << " errors\n\n" << std::flush;
    }
    const auto start = std::chrono::steady_clock::now();
    const auto results = train_students();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    save(results);
    if (!options_.quiet) {
      std::printf("\n%zu students in %.1f s\n\n", results.size(), seconds);
    }
    print_report(retort::summarize(results), options_.best_first);
  }

 private:
  using StudentSweep = retort::Sweep<examples::Student, Backend>;

  const retort::data::Dataset& train() const { return data_.first; }
  const retort::data::Dataset& held_out() const { return data_.second; }

  /// Seeds as in distill_mnist: of a seed both make the same student.
  std::vector<retort::SweepSetting<>> make_settings() const {
    auto settings = retort::SweepGrid{.temperatures = options_.temperatures,
                                      .hard_weights = options_.hard_weights,
                                      .learning_rates = options_.learning_rates,
                                      .seeds = retort::consecutive_seeds(options_.seeds, options_.first_seed)}
                        .settings();
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
    teacher.shift.validate(data.first.image());
    teacher.validate_for(data.first.size(), true);
    sweep_options().fit_options({}).validate_for(data.first.size(), true);
    return data;
  }

  retort::FitOptions teacher_fit_options() const {
    return {.epochs = options_.teacher.epochs,
            .batch_size = options_.batch_size,
            .seed = retort::Seed{options_.first_seed},
            .shift = {.pixels = options_.teacher.shift},
            .schedule = options_.teacher.schedule_with_warmup()};
  }

  retort::SweepOptions sweep_options() const {
    return {.epochs = options_.student.epochs,
            .batch_size = options_.batch_size,
            .schedule = options_.student.schedule_with_warmup()};
  }

  /// Makes the folder and tries to write there, before anything is trained for it.
  void prepare_folder() {
    if (options_.out.empty()) {
      return;
    }
    const std::filesystem::path folder = options_.save_students ? options_.out / "students" : options_.out;
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
      throw retort::FileError(folder, "cannot be made (" + error.message() + ")");
    }
    runs_file_.emplace(options_.out / "runs.jsonl", settings_);
    const retort::AtomicFile never_committed(folder / "writable");
  }

  void train_teacher() {
    retort::ProgressPrinter printer("teacher");
    retort::FitOptions fit_options = teacher_fit_options();
    if (!options_.quiet) {
      fit_options.observers = {&printer};
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
    if (!options_.quiet) {
      options.observers.push_back(&printer);
    }
    return sweep_.fit(train(), held_out(), options);
  }

  void save(const std::vector<typename StudentSweep::Result>& results) const {
    if (!options_.save_students) {
      return;
    }
    for (const auto& result : results) {
      if (!result.has_diverged()) {
        save_network(result.network, "students/" + std::to_string(result.index) + ".safetensors");
      }
    }
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
  std::optional<RunsFile> runs_file_;
};

}  // namespace sweep

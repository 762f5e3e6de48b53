// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Trains the students of a sweep together: an epoch of all in one call of a backend that takes runs of steps
/// (backend/engine.hpp), and an evaluation of all in another.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "retort/backend/training_step.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/train/fit.hpp"
#include "retort/train/fit_options.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/trainer_interface.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::detail {

/// Trains students of one model on the same data. `StudentTrainer`: an EpochTrainer that takes runs.
template <typename StudentTrainer, typename Backend>
class StudentGroup {
 public:
  /// Both datasets are also in the backend's memory; without validation `resident_validation` has no samples.
  StudentGroup(const Backend& backend, const data::Dataset& train, const data::Dataset* validation,
               const data::DatasetView& resident_train, const data::DatasetView& resident_validation)
      : backend_(backend),
        train_(train),
        validation_(validation),
        resident_train_(resident_train),
        resident_validation_(resident_validation) {}

  /// Allocates everything that the student's training needs.
  void add(std::unique_ptr<StudentTrainer> epoch_trainer, FitOptions options) {
    students_.push_back(
        std::make_unique<Student>(students_.size(), std::move(epoch_trainer), std::move(options), train_, validation_));
    students_.back()->fit.begin();
  }

  /// Calls on_end(index, the DivergenceError or null) when a student's training has ended. All students have the same
  /// options except their seeds.
  template <typename OnEnd>
  void run(const OnEnd& on_end) {
    std::vector<Student*> active;
    std::ranges::transform(students_, std::back_inserter(active), [](const auto& student) { return student.get(); });
    end_finished(active, on_end);  // students resumed at the end of their trainings
    if (active.empty()) {
      return;
    }
    const std::size_t steps = active.front()->options.steps_per_epoch(train_.size());
    std::vector<Rule> rules(share_rules(active) * steps);
    std::vector<Job> jobs(active.size());
    std::vector<backend::RunReport> reports(active.size());
    Buffer<Rule> resident_rules = backend_.template allocate<Rule>(rules.size());
    Buffer<Job> resident_jobs = backend_.template allocate<Job>(jobs.size());
    Buffer<backend::RunReport> resident_reports = backend_.template allocate<backend::RunReport>(reports.size());

    // Those of the epoch that is `ahead` of the next.
    const auto fill_rules = [&](std::size_t ahead) {
      std::vector<const Student*> first(rules.size() / steps);  // of those that share them
      for (Student* student : active) {
        const Student*& sharing = first[student->rules];
        const internal::Epoch epoch = student->fit.next_epoch(ahead);
        if (sharing != nullptr) {
          student->next_learning_rate = sharing->next_learning_rate;
        } else if (epoch.progress.epoch < epoch.progress.total_epochs) {
          sharing = student;
          student->next_learning_rate =
              student->epoch_trainer->fill_rules(epoch, std::span(rules).subspan(student->rules * steps, steps));
        }
      }
    };
    fill_rules(0);
    while (!active.empty()) {
      const std::size_t count = active.size();
      const auto start = std::chrono::steady_clock::now();
      copy_from_host(backend_, std::span<const Rule>(rules), resident_rules.data());
      for (std::size_t i = 0; i < count; ++i) {
        Student& student = *active[i];
        student.result.learning_rate = student.next_learning_rate;
        jobs[i] = student.epoch_trainer->epoch_job(student.fit.next_epoch(),
                                                   std::as_const(resident_rules).data() + student.rules * steps);
        jobs[i].report = resident_reports.data() + i;
      }
      const auto begin = [&](const data::DatasetView& data) {
        copy_from_host(backend_, std::span<const Job>(jobs.data(), count), resident_jobs.data());
        StudentTrainer::StepsClass::run_jobs(backend_, std::as_const(resident_jobs).data(), count, data, jobs.front());
      };
      const auto read_reports = [&] {
        copy_to_host(backend_, std::as_const(resident_reports).data(), std::span(reports.data(), count));
      };
      begin(resident_train_);
      fill_rules(1);  // a power and a root for each step, while a device trains
      read_reports();
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      for (std::size_t i = 0; i < count; ++i) {
        active[i]->result.sum = reports[i].sum;
        active[i]->finite = reports[i].not_finite == 0;
      }
      if (resident_validation_.size > 0) {
        for (std::size_t i = 0; i < count; ++i) {
          jobs[i].training.size = 0;
          jobs[i].parameters = active[i]->epoch_trainer->answering_parameters().data();
          jobs[i].evaluate(resident_validation_);
        }
        begin(resident_validation_);
        read_reports();
      }
      for (std::size_t i = 0; i < count; ++i) {
        finish_epoch(*active[i], reports[i], seconds, on_end);
      }
      end_finished(active, on_end);
      if (!active.empty() && active.front()->fit.is_asked_to_stop()) {
        for (Student* student : active) {
          student->fit.save_finished_epochs();
        }
        active.front()->fit.stop_if_asked();
      }
    }
  }

 private:
  template <typename T>
  using Buffer = typename Backend::template Buffer<T>;
  using Rule = typename StudentTrainer::Rule;
  using Job = decltype(std::declval<StudentTrainer&>().epoch_job(std::declval<const internal::Epoch&>(),
                                                                 std::declval<const Rule*>()));

  struct Student {
    Student(std::size_t place, std::unique_ptr<StudentTrainer> trained, FitOptions fit_options,
            const data::Dataset& train, const data::Dataset* validation)
        : index(place),
          epoch_trainer(std::move(trained)),
          options(std::move(fit_options)),
          fit(*epoch_trainer, train, validation, options) {}

    std::size_t index;
    std::size_t rules = 0;  // place among the students' rules, of which several may share one
    std::unique_ptr<StudentTrainer> epoch_trainer;
    FitOptions options;
    Fit fit;
    internal::EpochResult result{};
    double next_learning_rate = 0.0;
    bool finite = true;
    bool ended = false;
  };

  /// Gives students the same rules that have the same optimizer and are as far, which they stay. Returns how many there
  /// are.
  static std::size_t share_rules(const std::vector<Student*>& students) {
    std::vector<std::pair<std::string, std::size_t>> different;
    for (Student* student : students) {
      const std::pair key(student->epoch_trainer->describe_optimizer(), student->fit.next_epoch().progress.epoch);
      const auto found = std::ranges::find(different, key);
      student->rules = static_cast<std::size_t>(found - different.begin());
      if (found == different.end()) {
        different.push_back(key);
      }
    }
    return different.size();
  }

  template <typename OnEnd>
  void finish_epoch(Student& student, const backend::RunReport& report, double seconds, const OnEnd& on_end) const {
    const auto samples = static_cast<double>(validation_ == nullptr ? 0 : validation_->labelled_count());
    const Evaluation evaluation{.loss = report.validation_loss / samples,
                                .accuracy = 1.0 - static_cast<double>(report.validation_errors) / samples,
                                .errors = report.validation_errors};
    try {
      student.fit.finish_epoch(student.result, seconds, student.finite, [&] { return evaluation; });
    } catch (const DivergenceError& error) {
      student.ended = true;
      on_end(student.index, &error);
      return;
    }
  }

  /// Removes from `active` the students whose trainings have ended.
  template <typename OnEnd>
  static void end_finished(std::vector<Student*>& active, const OnEnd& on_end) {
    for (Student* student : active) {
      if (!student->ended && student->fit.finished()) {
        student->fit.end();
        student->ended = true;
        on_end(student->index, static_cast<const DivergenceError*>(nullptr));
      }
    }
    std::erase_if(active, [](const Student* student) { return student->ended; });
  }

  const Backend& backend_;
  const data::Dataset& train_;
  const data::Dataset* validation_;
  data::DatasetView resident_train_;
  data::DatasetView resident_validation_;
  std::vector<std::unique_ptr<Student>> students_{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::detail

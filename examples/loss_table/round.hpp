// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// One round of trainings: that in which settings are chosen, or that of the table.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <retort/retort.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "assistant.hpp"
#include "candidates.hpp"
#include "common/models.hpp"
#include "common/students.hpp"
#include "options.hpp"
#include "students.hpp"

namespace loss_table {

/// What the students of all seeds are trained with.
struct Entry {
  std::size_t model;    ///< among Students
  std::size_t row;      ///< among the candidates
  std::size_t setting;  ///< among those of the row
};

/// Students of the same images, epochs and seeds.
class Round {
 public:
  /// `folder`, of checkpoints, is empty where nothing is written. All that is given must outlive it.
  Round(const Options& options, const retort::Network<examples::Teacher>& teacher,
        const std::vector<Candidate>& candidates, const retort::data::Dataset& train,
        const retort::data::Dataset& held_out, std::size_t epochs, std::size_t seeds, std::filesystem::path folder)
      : options_(options),
        teacher_(teacher),
        candidates_(candidates),
        train_(train),
        held_out_(held_out),
        epochs_(epochs),
        seeds_(seeds),
        folder_(std::move(folder)) {}

  /// Trains the students of all entries, and returns the errors of each entry's on held-out images, by seed. One that
  /// diverges gets all wrong. Of each model the first entry is the student alone.
  std::vector<std::vector<double>> run(const std::vector<Entry>& entries) {
    errors_.assign(entries.size(), {});
    std::optional<retort::Network<Assistant>> assistant;
    std::vector<AnyTeacher> teachers{teacher_};
    if (std::ranges::any_of(entries, [&](const Entry& entry) { return source(entry) == Source::assistant; })) {
      assistant.emplace(train_assistant(teacher_, train_, sweep_options().fit_options(retort::Seed{0}), adam(),
                                        folder_.empty() ? folder_ : folder_ / "assistant.checkpoint"));
      teachers.emplace_back(*assistant);
    }
    const auto first = train_students<SomeLoss>("losses", entries, teachers,
                                                [&](const Entry& entry) { return source(entry) != Source::alone; });
    train_students<DistLoss>("dist", entries, {teacher_}, [](const Entry&) { return true; });
    for (std::size_t model = 0; model < Students::count; ++model) {  // by itself, or all tables of logits add up
      std::vector<AnyTeacher> alone;                                 // by seed
      for (const auto& result : first) {
        if (result.setting.model == model && alone.size() < seeds_) {
          std::visit([&](const auto& network) { alone.emplace_back(network); }, result.network);
        }
      }
      train_students<SomeLoss>(
          retort::concatenate({"born_again_", student_names[model]}), entries, alone,
          [&](const Entry& entry) { return entry.model == model && source(entry) == Source::alone; });
    }
    return std::exchange(errors_, {});
  }

 private:
  template <typename L>
  using StudentSweep = retort::Sweep<Students, retort::backend::Eigen, L>;
  using AnyTeacher = StudentSweep<SomeLoss>::SweptTeacher;

  Source source(const Entry& entry) const { return candidates_[entry.row].source; }

  retort::Adam adam() const { return {.learning_rate = options_.learning_rate}; }

  retort::SweepOptions sweep_options() const {
    return {.epochs = epochs_,
            .batch_size = options_.batch_size,
            .augmentation = options_.augmentation,
            .views = {.count = options_.augmentation.is_set() ? options_.views : 0},
            .schedule = options_.schedule()};
  }

  /// The students of one entry and seed. Born again, a student has other first weights than its teacher had.
  template <typename L>
  retort::SweepSetting<L> setting(const Entry& entry, const L& loss, std::uint64_t seed) const {
    const Source from = source(entry);
    return {.loss = loss,
            .optimizer = adam(),
            .seed = retort::Seed{seed},
            .initial_seed = retort::Seed{(from == Source::alone ? 1'000 : 0) + 2 * seed + 1},
            .teacher = from == Source::assistant ? 1u
                       : from == Source::alone   ? seed
                                                 : 0u,
            .model = entry.model};
  }

  /// Trains the students of those entries that have a loss of this type and for which wanted(entry) is true, and notes
  /// their errors. `stage` names the folder of their checkpoints.
  template <typename L, typename Wanted>
  std::vector<typename StudentSweep<L>::Result> train_students(const std::string& stage,
                                                               const std::vector<Entry>& entries,
                                                               std::vector<AnyTeacher> teachers, const Wanted& wanted) {
    std::vector<retort::SweepSetting<L>> settings;
    std::vector<std::size_t> places;  // of each student's entry
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const L* loss = std::get_if<L>(&candidates_[entries[i].row].settings[entries[i].setting]);
      if (loss != nullptr && wanted(entries[i])) {
        for (std::uint64_t seed = 0; seed < seeds_; ++seed) {
          settings.push_back(setting(entries[i], *loss, seed));
          places.push_back(i);
        }
      }
    }
    std::vector<typename StudentSweep<L>::Result> results;
    if (settings.empty()) {
      return results;
    }
    retort::SweepPrinter progress{stderr};
    retort::SweepOptions options = sweep_options();
    options.observers = {&progress};
    if (!folder_.empty()) {
      options.checkpoints = retort::SweepCheckpointOptions{.folder = folder_ / stage, .resume = true};
    }
    results = StudentSweep<L>{std::move(teachers), std::move(settings), teacher_.backend()}.fit(train_, options);
    for (const auto& result : results) {
      const std::size_t wrong = result.has_diverged() ? held_out_.size() : examples::count_errors(result, held_out_);
      errors_[places[result.index]].push_back(static_cast<double>(wrong));
    }
    return results;
  }

  const Options& options_;
  const retort::Network<examples::Teacher>& teacher_;
  const std::vector<Candidate>& candidates_;
  const retort::data::Dataset& train_;
  const retort::data::Dataset& held_out_;
  std::size_t epochs_;
  std::size_t seeds_;
  std::filesystem::path folder_;
  std::vector<std::vector<double>> errors_{};
};

}  // namespace loss_table

// SPDX-License-Identifier: MIT
/// Every loss and scheme, for two students of 16,000 parameters, over many seeds: which one makes the fewest errors?
///
///     loss_table --out out/loss_table data/mnist    (an hour on two cores; the same command goes on after a kill)
///     loss_table --quick [data/mnist]               (few images, few epochs: does it run?)
///
/// Each row has a few settings. Students of two seeds, trained on five sixths of the training images, choose one of
/// them by their errors on the rest; then students of all seeds learn from all training images. The test images are
/// looked at once, when that is done.

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <limits>
#include <numeric>
#include <optional>
#include <retort/retort.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "candidates.hpp"
#include "common/data.hpp"
#include "common/models.hpp"
#include "common/output_folder.hpp"
#include "common/prepare_teacher.hpp"
#include "common/program.hpp"
#include "common/students.hpp"
#include "options.hpp"
#include "report.hpp"
#include "round.hpp"
#include "students.hpp"

namespace rt = retort;

namespace loss_table {

class Job {
 public:
  Job(const Options& options, std::pair<rt::data::Dataset, rt::data::Dataset> data)
      : options_(options), train_(std::move(data.first)), test_(std::move(data.second)) {}

  void run() {
    rt::validate_in<float>(rt::Adam{.learning_rate = options_.learning_rate});  // before the teacher is trained
    options_.augmentation.validate(train_.image());
    if (!options_.report.empty()) {
      rt::require_writable(options_.report);
    }
    // Of images that change as the students' do, or it has no good answers to these.
    rt::data::Augmentation augmentation = options_.augmentation;
    augmentation.shift = std::max<std::size_t>(augmentation.shift, 2);
    examples::prepare_teacher(teacher_, options_.teacher_file, train_,
                              {.epochs = options_.teacher_epochs,
                               .batch_size = options_.batch_size,
                               .augmentation = augmentation,
                               .schedule = options_.schedule()},
                              options_.out);
    const std::size_t teacher_errors = rt::evaluate(teacher_, test_).errors;
    std::printf("the teacher makes %zu errors of %zu\n", teacher_errors, test_.size());
    const rt::ProbabilityDeviationOptions groups{.views = 3, .group = std::min<std::size_t>(320, train_.size())};
    std::printf(
        "its mean probabilities deviate by %.5f between groups of %zu of the students' images, by %.5f as they are\n",
        rt::find_probability_deviation(teacher_, train_, options_.augmentation, groups), groups.group,
        rt::find_probability_deviation(teacher_, train_, {}, groups));
    std::fflush(stdout);
    const std::vector<Table> tables = compare(choose());
    std::ranges::for_each(tables, print);
    if (!options_.report.empty()) {
      write_report_page(options_.report, teacher_errors, tables);
    }
  }

 private:
  /// The student alone, and the rows that --losses names.
  std::vector<Candidate> wanted_candidates(std::size_t epochs) const {
    std::vector<Candidate> candidates = all_candidates(epochs);
    if (!options_.losses.empty()) {
      const auto unwanted = std::ranges::remove_if(candidates.begin() + 1, candidates.end(), [&](const Candidate& c) {
        return std::ranges::find(options_.losses, c.name) == options_.losses.end();
      });
      candidates.erase(unwanted.begin(), unwanted.end());
    }
    return candidates;
  }

  std::filesystem::path folder(const char* round) const {
    return options_.out.empty() ? options_.out : options_.out / round;
  }

  /// Of each student and row the setting with the fewest errors on training images that were held out.
  std::vector<Entry> choose() const {
    const std::vector<Candidate> candidates = wanted_candidates(options_.choice_epochs);
    const auto [part, held_out] = rt::data::stratified_split(train_, 5.0 / 6.0, rt::Seed{0});
    std::vector<Entry> entries;
    for (const std::size_t model : examples::places_of(student_names, options_.students)) {
      for (std::size_t row = 0; row < candidates.size(); ++row) {
        for (std::size_t setting = 0; setting < candidates[row].settings.size(); ++setting) {
          entries.push_back({model, row, setting});
        }
      }
    }
    const auto errors =
        Round{options_,        teacher_, candidates, part, held_out, options_.choice_epochs, options_.choice_seeds,
              folder("choice")}
            .run(entries);
    std::vector<Entry> chosen;
    double fewest = 0.0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const double sum = std::accumulate(errors[i].begin(), errors[i].end(), 0.0);
      if (entries[i].setting == 0) {
        chosen.push_back(entries[i]);
        fewest = sum;
      } else if (sum < fewest) {
        chosen.back() = entries[i];
        fewest = sum;
      }
    }
    return chosen;
  }

  /// A table for each student.
  std::vector<Table> compare(const std::vector<Entry>& chosen) const {
    const std::vector<Candidate> candidates = wanted_candidates(options_.epochs);
    const auto errors =
        Round{options_, teacher_, candidates, train_, test_, options_.epochs, options_.seeds, folder("final")}.run(
            chosen);
    std::vector<Table> tables;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const auto [model, row, setting] = chosen[i];
      if (row == 0) {
        const std::size_t parameters =
            Students::visit(model, []<rt::Model M>(std::type_identity<M> /*model*/) { return M::parameter_count; });
        tables.push_back({.student = student_names[model],
                          .parameters = parameters,
                          .epochs = options_.epochs,
                          .test_images = test_.size(),
                          .comparison = examples::Comparison(candidates[row].name)});
      }
      const std::string description =
          std::visit([](const auto& loss) { return rt::describe_settings(loss); }, candidates[row].settings[setting]);
      tables.back().comparison.add({.name = candidates[row].name, .errors = errors[i], .note = description});
    }
    return tables;
  }

  const Options& options_;
  rt::data::Dataset train_;
  rt::data::Dataset test_;
  rt::Network<examples::Teacher> teacher_{rt::Seed{0}, rt::backend::Eigen{rt::AvailableThreads{}}};
};

}  // namespace loss_table

int main(int argc, char** argv) {
  try {
    examples::occupy_standard_streams();
    const loss_table::Options options = loss_table::parse_options(argc, argv);
    std::optional<examples::OutputFolder> folder;
    if (!options.out.empty()) {
      folder.emplace(options.out, std::vector<std::string>{"choice", "final"});  // no other process writes there
    }
    rt::allocate_for("the trainings", 0, [&] {
      auto data = examples::load_data(options.data, "official", 0);
      if (options.quick && data.first.size() > 2'000) {
        data.first = examples::split_off(2'000, data.first).first;
      }
      loss_table::Job{options, std::move(data)}.run();
    });
    rt::flush(stdout);  // what was printed to a full disk is an error too
    return 0;
  } catch (const rt::SettingError& error) {
    std::fprintf(stderr, "loss_table: %s; go on with that run's options, or name another folder with --out\n",
                 error.what());
    return 2;
  } catch (const rt::OptionError& error) {
    std::fprintf(stderr, "loss_table: %s (--help lists the options)\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "loss_table: %s\n", rt::printable(error.what(), 4000).c_str());
    return 1;
  }
}

// SPDX-License-Identifier: MIT
/// Every loss, for two students of 16,000 parameters, over many seeds: which one makes the fewest errors?
///
///     loss_table --out out/loss_table data/mnist    (an hour on two cores; the same command goes on after a kill)
///     loss_table --quick [data/mnist]               (few images, few epochs: does it run?)
///
/// Each loss has a few settings. Students of two seeds, trained on five sixths of the training images, choose one of
/// them by their errors on the rest; then students of all seeds learn from all training images. The test images are
/// looked at once, when every student is trained.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <retort/retort.hpp>
#include <string>
#include <utility>
#include <vector>

#include "candidates.hpp"
#include "common/data.hpp"
#include "common/models.hpp"
#include "common/output_folder.hpp"
#include "common/program.hpp"
#include "common/training_options.hpp"
#include "options.hpp"
#include "report.hpp"

namespace rt = retort;

namespace loss_table {

/// The mean of each 2 x 2 pixels in front, and with the weights that this saves a wider net.
using PooledStudent = rt::Sequential<rt::AvgPool2d<rt::Shape<1, 28, 28>, 2>,  //
                                     rt::Linear<196, 64>, rt::ReLU,           //
                                     rt::Linear<64, 48>, rt::ReLU, rt::Linear<48, 10>>;
static_assert(PooledStudent::parameter_count == 16'218);

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
    prepare_teacher();
    const std::size_t teacher_errors = rt::evaluate(teacher_, test_).errors;
    std::printf("the teacher makes %zu errors of %zu\n", teacher_errors, test_.size());
    const rt::ProbabilityDeviationOptions groups{.views = 3, .group = std::min<std::size_t>(320, train_.size())};
    std::printf(
        "its mean probabilities deviate by %.5f between groups of %zu of the students' images, by %.5f as they are\n",
        rt::find_probability_deviation(teacher_, train_, options_.augmentation, groups), groups.group,
        rt::find_probability_deviation(teacher_, train_, {}, groups));
    std::fflush(stdout);
    std::vector<Table> tables;
    const auto add = [&]<typename Student>(const char* name) {
      if (options_.students.empty() || std::ranges::find(options_.students, name) != options_.students.end()) {
        tables.push_back(compare<Student>(name));
      }
    };
    add.template operator()<examples::Student>(plain_student);
    add.template operator()<PooledStudent>(pooled_student);
    if (!options_.report.empty()) {
      write_report_page(options_.report, teacher_errors, tables);
    }
  }

 private:
  using Setting = rt::SweepSetting<SomeLoss>;

  void prepare_teacher() {
    if (!options_.teacher_file.empty()) {
      rt::io::load_safetensors(teacher_, options_.teacher_file);
      rt::require_preprocessing(teacher_.preprocessing(), train_, options_.teacher_file.string());
      return;
    }
    // Of images that change as the students' do, or it has no good answers to these.
    rt::data::Augmentation augmentation = options_.augmentation;
    augmentation.shift = std::max<std::size_t>(augmentation.shift, 2);
    rt::FitOptions fit_options{.epochs = options_.teacher_epochs,
                               .batch_size = options_.batch_size,
                               .augmentation = augmentation,
                               .schedule = schedule()};
    if (!options_.out.empty()) {
      fit_options.checkpoint = rt::CheckpointOptions{
          .path = options_.out / "teacher.checkpoint", .resume = true, .every_seconds = examples::checkpoint_seconds};
    }
    rt::Trainer{teacher_, rt::CrossEntropy{}, rt::Adam{.learning_rate = 1e-3}}.fit(train_, fit_options);
  }

  rt::Schedule schedule() const {
    return rt::LinearWarmup{.steps = options_.warmup_steps, .then = rt::CosineSchedule{}};
  }

  /// Trains a student of each setting. `stage` names the folder of their checkpoints.
  template <typename Student>
  auto train_students(const std::vector<Setting>& settings, const rt::data::Dataset& data, std::size_t epochs,
                      const std::string& stage) const {
    rt::SweepPrinter progress{stderr};
    rt::SweepOptions sweep_options{.epochs = epochs,
                                   .batch_size = options_.batch_size,
                                   .augmentation = options_.augmentation,
                                   .views = {.count = options_.augmentation.is_set() ? options_.views : 0},
                                   .schedule = schedule(),
                                   .observers = {&progress}};
    if (!options_.out.empty()) {
      sweep_options.checkpoints = rt::SweepCheckpointOptions{.folder = options_.out / stage, .resume = true};
    }
    return rt::Sweep<Student, rt::backend::Eigen, SomeLoss>{teacher_, settings, cpu_}.fit(data, sweep_options);
  }

  /// `setting` with each of `seeds`.
  void add_seeds(std::vector<Setting>& settings, const SomeLoss& loss, std::size_t seeds) const {
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      settings.push_back({.loss = loss,
                          .optimizer = {.learning_rate = options_.learning_rate},
                          .seed = rt::Seed{seed},
                          .initial_seed = rt::Seed{2 * seed + 1}});
    }
  }

  /// The student alone, and the losses that --losses names.
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

  /// The place of each candidate's setting with the fewest errors on training images that were held out.
  template <typename Student>
  std::vector<std::size_t> choose(const std::string& name) const {
    const std::vector<Candidate> candidates = wanted_candidates(options_.choice_epochs);
    const auto [part, held_out] = rt::data::stratified_split(train_, 5.0 / 6.0, rt::Seed{0});
    std::vector<Setting> settings;
    for (const Candidate& candidate : candidates) {
      for (const SomeLoss& loss : candidate.settings) {
        add_seeds(settings, loss, options_.choice_seeds);
      }
    }
    const auto results = train_students<Student>(settings, part, options_.choice_epochs, name + "/choice");
    std::vector<std::size_t> chosen;
    auto result = results.begin();
    for (const Candidate& candidate : candidates) {
      std::size_t fewest = static_cast<std::size_t>(-1);
      chosen.push_back(0);
      for (std::size_t setting = 0; setting < candidate.settings.size(); ++setting) {
        std::size_t errors = 0;
        for (std::size_t seed = 0; seed < options_.choice_seeds; ++seed, ++result) {
          errors += result->has_diverged() ? held_out.size() : rt::evaluate(result->network, held_out).errors;
        }
        if (errors < fewest) {
          fewest = errors;
          chosen.back() = setting;
        }
      }
    }
    return chosen;
  }

  template <typename Student>
  Table compare(const std::string& name) const {
    const std::vector<Candidate> candidates = wanted_candidates(options_.epochs);
    const std::vector<std::size_t> choice = choose<Student>(name);
    std::vector<Setting> settings;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      add_seeds(settings, candidates[i].settings[choice[i]], options_.seeds);
    }
    const auto results = train_students<Student>(settings, train_, options_.epochs, name + "/final");
    std::vector<std::vector<double>> errors(candidates.size());  // by loss and seed
    for (const auto& result : results) {
      const std::size_t wrong = result.has_diverged() ? test_.size() : rt::evaluate(result.network, test_).errors;
      errors[result.index / options_.seeds].push_back(static_cast<double>(wrong));
    }
    Table table{name, Student::parameter_count, options_.epochs, test_.size()};
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      table.rows.push_back(
          make_row(candidates[i].name, candidates[i].settings[choice[i]].describe(), errors[i], errors[0]));
    }
    print(table);
    return table;
  }

  const Options& options_;
  rt::data::Dataset train_;
  rt::data::Dataset test_;
  rt::backend::Eigen cpu_{rt::AvailableThreads{}};
  rt::Network<examples::Teacher> teacher_{rt::Seed{0}, cpu_};
};

}  // namespace loss_table

int main(int argc, char** argv) {
  try {
    examples::occupy_standard_streams();
    const loss_table::Options options = loss_table::parse_options(argc, argv);
    std::optional<examples::OutputFolder> folder;
    if (!options.out.empty()) {
      folder.emplace(options.out, std::vector<std::string>{});  // no other process writes there
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
  } catch (const rt::OptionError& error) {
    std::fprintf(stderr, "loss_table: %s (--help lists the options)\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "loss_table: %s\n", rt::printable(error.what(), 4000).c_str());
    return 1;
  }
}

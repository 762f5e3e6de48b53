// SPDX-License-Identifier: MIT
/// A teacher from elsewhere: its logits of the training images, a .npy file, are all that a student needs of it. The
/// same student learns three times, over several seeds: from the labels alone, from a teacher trained here, and from
/// the file.
///
///     own_teacher data/mnist logits.npy                    (a folder of MNIST's files; teacher.py writes such a table)
///     own_teacher data/mnist --save-views views.npy        (16 turned views of each image, for teacher.py to answer)
///
/// Of a table of views two students learn. --report PAGE.html writes a page of the errors too.

#include <array>
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

#include "common/arguments.hpp"
#include "common/comparison.hpp"
#include "common/data.hpp"
#include "common/models.hpp"
#include "common/number_text.hpp"
#include "common/page.hpp"
#include "common/program.hpp"

namespace rt = retort;

/// What the students' images are, and how all networks learn. Settings were chosen on images that were held out.
struct Plan {
  rt::data::Augmentation augmentation{};
  rt::data::Views views{};
  std::size_t teacher_epochs = 8;
  std::size_t epochs = 30;
  std::uint64_t seeds = 5;
  rt::HintonLoss of_own{.temperature = 2, .hard_weight = 0.3};
  rt::HintonLoss of_file{.temperature = 2, .hard_weight = 0.3};
};

/// For a table of views, of which a student needs more than 30 epochs.
Plan turned_views(std::size_t count) {
  return {.augmentation = {.shift = 1, .rotation = 10, .scale = 0.1, .shear = 5},
          .views = {.count = count, .seed = rt::Seed{7}},
          .teacher_epochs = 40,
          .epochs = 240,
          .seeds = 10,
          .of_own = {.temperature = 1, .hard_weight = 0.1},
          .of_file = {.temperature = 2, .hard_weight = 0.1}};
}
constexpr std::size_t saved_views = 16;

class Experiment {
 public:
  Experiment(std::pair<rt::data::Dataset, rt::data::Dataset> data, rt::data::TeacherLogitsTable table)
      : train_(std::move(data.first)), test_(std::move(data.second)), table_(std::move(table)) {
    if (table_.views() > 1) {
      plan_ = turned_views(table_.views());
    }
    table_.require_made_for(train_, plan_.augmentation, plan_.views,
                            examples::Student::output_size);  // before the work
  }

  void run(const std::optional<std::string>& page) {
    std::printf("Errors on %zu test images; the students have %llu seeds.\n", test_.size(),
                static_cast<unsigned long long>(plan_.seeds));
    const rt::data::TeacherLogitsTable own = train_own();
    const examples::Comparison small = compare<examples::Student>("784-20-20-10", own);
    std::string body = section("784-20-20-10", small);
    if (table_.views() > 1) {
      const examples::Comparison pooled = compare<examples::Pooled<64, 48>>("196-64-48-10", own);
      body += section("196-64-48-10", pooled);
    }
    if (page) {
      examples::write_page(*page, "own_teacher",
                           body + examples::section("How it was made", examples::paragraph(made)));
    }
  }

 private:
  static constexpr const char* made =
      "The students of one shape have the same images, epochs, learning rate and initial weights, and differ in what "
      "they learn from. p is that of the exact sign-flip test of the differences, seed by seed, two-sided.";

  rt::FitOptions recipe(std::size_t epochs) const {
    return {.epochs = epochs, .schedule = rt::LinearWarmup{.steps = 800, .then = rt::CosineSchedule{}}};
  }

  std::string section(const char* student, const examples::Comparison& comparison) const {
    return examples::section(
        student, comparison.markup(rt::concatenate({"Errors on ", examples::counted(test_.size(), "test image"),
                                                    " over ", examples::counted(plan_.seeds, "seed")})));
  }

  /// The answers of a teacher trained here, which sees images that change as the students' do.
  rt::data::TeacherLogitsTable train_own() const {
    rt::Network<examples::Teacher> mlp{rt::Seed{0}, cpu_};
    rt::FitOptions options = recipe(plan_.teacher_epochs);
    options.augmentation = plan_.augmentation.is_set() ? plan_.augmentation : rt::data::Augmentation{.shift = 1};
    rt::Trainer{mlp, rt::CrossEntropy{}, rt::Adam{.learning_rate = 1e-3}}.fit(train_, options);
    std::printf("%-42s %5zu\n", "teacher trained here, 784-1200-1200-10", rt::evaluate(mlp, test_).errors);
    std::fflush(stdout);
    return rt::tabulate_logits(mlp, train_, plan_.augmentation, plan_.views);
  }

  /// Trains a student with each seed from the labels and from both teachers, and prints their errors.
  template <rt::Model Student>
  examples::Comparison compare(const char* name, const rt::data::TeacherLogitsTable& own) const {
    const std::array<std::pair<const char*, rt::SweepSetting<>>, 3> kinds{
        {{"student alone", {.loss = {.hard_weight = 1}}},
         {"student of the teacher trained here", {.loss = plan_.of_own, .teacher = 0}},
         {"student of the teacher in the file", {.loss = plan_.of_file, .teacher = 1}}}};
    std::vector<rt::SweepSetting<>> settings;
    for (const auto& [kind, setting] : kinds) {
      for (std::uint64_t seed = 0; seed < plan_.seeds; ++seed) {
        settings.push_back(setting);
        settings.back().optimizer = {.learning_rate = 5e-3};
        settings.back().seed = rt::Seed{seed};
        settings.back().initial_seed = rt::Seed{2 * seed + 1};
      }
    }
    rt::SweepOptions options{.epochs = plan_.epochs,
                             .augmentation = plan_.augmentation,
                             .views = plan_.views,
                             .schedule = recipe(plan_.epochs).schedule};
    const auto results = rt::Sweep<Student>{{own, table_}, settings, cpu_}.fit(train_, options);
    examples::Comparison comparison("student alone");
    if (table_.views() > 1) {
      std::printf("%s, %zu views of each image\n", name, table_.views());
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
      const char* kind = kinds[i / plan_.seeds].first;
      comparison.add(kind, static_cast<double>(rt::evaluate(results[i].network, test_).errors));
    }
    for (const examples::Competitor& competitor : comparison.competitors()) {
      std::printf("%-42s", competitor.name.c_str());
      for (const double errors : competitor.errors) {
        std::printf(" %5.0f", errors);
      }
      std::printf("   mean %.0f", rt::statistics(competitor.errors).mean);
      if (const auto difference = comparison.difference(competitor)) {
        std::printf(", %+.1f +- %.1f, p = %.4f", difference->more.mean, difference->more.standard_deviation,
                    difference->p);
      }
      std::printf("\n");
    }
    std::fflush(stdout);
    return comparison;
  }

  rt::data::Dataset train_;
  rt::data::Dataset test_;
  rt::data::TeacherLogitsTable table_;
  Plan plan_{};
  rt::backend::Eigen cpu_{rt::AvailableThreads{}};
};

int main(int argc, char** argv) {
  constexpr const char* usage =
      "usage: own_teacher FOLDER_WITH_MNIST LOGITS.npy [--report PAGE.html], or own_teacher FOLDER_WITH_MNIST "
      "--save-views VIEWS.npy";
  try {
    examples::occupy_standard_streams();
    if (examples::has_answered(argc, argv, "own_teacher", usage)) {
      return 0;
    }
    examples::Arguments arguments(argc, argv);
    const auto views = arguments.take_value("--save-views");
    const auto page = arguments.take_value("--report");
    const auto& left = arguments.left();
    if (left.size() != (views ? 1u : 2u) || (views && page) || arguments.has_unknown_option()) {
      std::fprintf(stderr, "%s\n", usage);
      return 2;
    }
    if (page) {
      examples::require_page("--report", *page);
    }
    rt::allocate_for("the trainings", 0, [&] {
      auto data = examples::load_data(left[0], "official", 0);
      if (views) {
        const Plan plan = turned_views(saved_views);
        rt::data::save_views(*views, data.first, plan.augmentation, plan.views);
      } else {
        rt::data::TeacherLogitsTable table = rt::data::load_teacher_logits(left[1]);
        Experiment{std::move(data), std::move(table)}.run(page);
      }
    });
    rt::flush(stdout);  // what was printed to a full disk is an error too
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "own_teacher: %s\n", rt::printable(error.what(), 4000).c_str());
    return 1;
  }
}

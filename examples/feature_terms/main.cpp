// SPDX-License-Identifier: MIT
/// What a term on hidden layers adds to a student that already learns from its teacher's logits: hints, similarities of
/// samples, their relations, profiles of activity.
///
///     feature_terms data/mnist              (a folder of MNIST's files)
///     feature_terms                         (digits that the library draws itself)
///     feature_terms --quick [data/mnist]    (few images, few epochs: some seconds)
///
/// --student 196-64-48-10 trains another student than 784-20-20-10.
/// Each row has a few settings. The one whose students make the fewest errors on training images that were held out is
/// chosen, and only its students see the test images. --report PAGE.html writes a page too.

#include <algorithm>
#include <cstddef>
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

using examples::Teacher;

// The places of the ReLUs after hidden layers.
constexpr std::size_t teacher_first = 2;
constexpr std::size_t teacher_second = 5;
struct Plain {
  using Model = examples::Student;
  static constexpr const char* name = "784-20-20-10";
  static constexpr std::size_t first = 1;
  static constexpr std::size_t second = 3;
};
struct Pooled {
  using Model = examples::Pooled<64, 48>;
  static constexpr const char* name = "196-64-48-10";
  static constexpr std::size_t first = 2;
  static constexpr std::size_t second = 4;
};

struct Plan {
  std::size_t teacher_images = 60'000;
  std::size_t images = 3'000;     // from which the students learn
  std::size_t held_out = 10'000;  // on which settings are chosen
  std::size_t teacher_epochs = 4;
  std::size_t epochs = 60;
  std::size_t warmup_steps = 200;
  std::size_t views = 8;
  std::size_t seeds = 10;
};

constexpr Plan quick_plan{.teacher_images = 2'000,
                          .images = 200,
                          .held_out = 100,
                          .teacher_epochs = 12,
                          .epochs = 20,
                          .warmup_steps = 20,
                          .views = 4,
                          .seeds = 2};

/// By what a term's own weights are divided.
constexpr double divisors[]{1.0, 10.0, 1e2, 1e3, 1e4, 1e5};

template <std::size_t StudentLayer, std::size_t TeacherLayer>
rt::Relational<StudentLayer, TeacherLayer> weaker(rt::Relational<StudentLayer, TeacherLayer> term, double divisor) {
  term.distance_weight /= divisor;
  term.angle_weight /= divisor;
  return term;
}
template <typename Term>
Term weaker(Term term, double divisor) {
  term.weight /= divisor;
  return term;
}

struct Images {
  rt::data::Dataset teacher;
  rt::data::Dataset students;  // some of these
  rt::data::Dataset held_out;  // others of these
  rt::data::Dataset test;
};

Images load(const std::filesystem::path& folder, const Plan& plan) {
  auto [train, test] = examples::load_data(folder, "official", 0);
  if (train.size() > plan.teacher_images) {
    train = examples::split_off(plan.teacher_images, train).first;
  }
  if (train.size() <= plan.images + plan.held_out) {
    throw rt::OptionError(rt::concatenate(
        {rt::path_text(folder), ": ", examples::counted(train.size(), "training image"), ", expected more than ",
         plan.images + plan.held_out, ": ", plan.images, " for the students, ", plan.held_out, " held out"}));
  }
  auto [students, others] = examples::split_off(plan.images, train);
  auto [held_out, unused] = examples::split_off(plan.held_out, others);
  return {std::move(train), std::move(students), std::move(held_out), std::move(test)};
}

template <typename Student>
class Job {
 public:
  Job(Images images, const Plan& plan) : images_(std::move(images)), plan_(plan) {}

  std::string caption() const {
    using examples::counted;
    return rt::concatenate({"Errors of ", Student::name, " on ", counted(images_.test.size(), "test image"), "; ",
                            counted(images_.students.size(), "training image"), ", ", counted(plan_.epochs, "epoch"),
                            ", ", counted(plan_.seeds, "seed"), "."});
  }

  examples::Comparison run() {
    rt::FitOptions options = sweep_options().fit_options(rt::Seed{0});
    options.epochs = plan_.teacher_epochs;
    options.views = {};  // new ones in each epoch
    rt::Trainer{teacher_, rt::CrossEntropy{}, rt::Adam{}}.fit(images_.teacher, options);
    std::printf("The teacher makes %zu errors. %s\n\n%-34s %-16s  more than HintonLoss  p\n",
                rt::evaluate(teacher_, images_.test).errors, caption().c_str(), "", "errors");
    std::vector<rt::HintonLoss> losses;
    for (const double temperature : {0.5, 1.0, 2.0, 4.0}) {
      for (const double hard_weight : {0.1, 0.5, 0.9}) {
        losses.push_back({.temperature = temperature, .hard_weight = hard_weight});
      }
    }
    const rt::HintonLoss hinton = compare("HintonLoss", losses);
    compare<rt::CrossEntropy>("labels alone", {{}});
    add_to(hinton, "Hint, first layer", rt::Hint<Student::first, teacher_first>{});
    add_to(hinton, "Hint, second layer", rt::Hint<Student::second, teacher_second>{});
    add_to(hinton, "SimilarityPreserving", rt::SimilarityPreserving<Student::second, teacher_second>{});
    add_to(hinton, "Relational", rt::Relational<Student::second, teacher_second>{});
    add_to(hinton, "ActivationProfile", rt::ActivationProfile<Student::second, teacher_second>{});
    return comparison_;
  }

 private:
  using Model = typename Student::Model;

  rt::SweepOptions sweep_options() const {
    return {.epochs = plan_.epochs,
            .augmentation = {.shift = 1},
            .views = {.count = plan_.views},
            .schedule = rt::LinearWarmup{.steps = plan_.warmup_steps, .then = rt::CosineSchedule{}}};
  }

  template <typename Term>
  void add_to(const rt::HintonLoss& hinton, const char* name, const Term& term) {
    std::vector<rt::WithTerm<rt::HintonLoss, Term>> losses;
    for (const double divisor : divisors) {
      losses.push_back({hinton, weaker(term, divisor)});
    }
    compare(name, losses);
  }

  /// Trains students of all seeds with each of the losses; prints and returns the one chosen.
  template <rt::Loss L>
  L compare(const char* name, const std::vector<L>& losses) {
    std::vector<rt::SweepSetting<L>> settings;
    for (const L& loss : losses) {
      for (const rt::Seed seed : rt::consecutive_seeds(plan_.seeds)) {
        settings.push_back({.loss = loss, .optimizer = {.learning_rate = 5e-3}, .seed = seed});
      }
    }
    const auto results = sweep(settings).fit(images_.students, images_.held_out, sweep_options());
    std::vector<std::size_t> sums(losses.size());  // of errors; a student that diverged gets all wrong
    for (const auto& result : results) {
      sums[result.index / plan_.seeds] += result.has_diverged() ? images_.held_out.size() : result.evaluation->errors;
    }
    const auto chosen = static_cast<std::size_t>(std::ranges::min_element(sums) - sums.begin());
    examples::Competitor competitor{.name = name, .note = rt::describe_settings(losses[chosen])};
    for (std::size_t seed = 0; seed < plan_.seeds; ++seed) {
      const auto& result = results[chosen * plan_.seeds + seed];
      const std::size_t wrong =
          result.has_diverged() ? images_.test.size() : rt::evaluate(result.network, images_.test).errors;
      competitor.errors.push_back(static_cast<double>(wrong));
    }
    print(competitor);
    comparison_.add(std::move(competitor));
    return losses[chosen];
  }

  template <rt::Loss L>
  auto sweep(std::vector<rt::SweepSetting<L>> settings) const {
    if constexpr (L::needs_teacher) {
      return rt::Sweep<Model, rt::backend::Eigen, L, rt::Adam, float, Teacher>{teacher_, std::move(settings),
                                                                               teacher_.backend()};
    } else {
      return rt::Sweep<Model, rt::backend::Eigen, L>{std::move(settings), teacher_.backend()};
    }
  }

  void print(const examples::Competitor& competitor) const {
    const rt::Statistics errors = rt::statistics(competitor.errors);
    std::printf("%-34s %6.1f +- %5.1f", competitor.name.c_str(), errors.mean, errors.standard_deviation);
    if (const auto difference = comparison_.difference(competitor)) {
      std::printf("    %6.1f +- %5.1f    %.3f", difference->more.mean, difference->more.standard_deviation,
                  difference->p);
    }
    std::printf("\n  %s\n", competitor.note.c_str());
    rt::flush(stdout);
  }

  Images images_;
  Plan plan_;
  rt::Network<Teacher> teacher_{rt::Seed{0}, rt::backend::Eigen{rt::AvailableThreads{}}};
  examples::Comparison comparison_{"HintonLoss"};
};

template <typename Student>
void run(Job<Student> job, const std::optional<std::string>& page) {
  const examples::Comparison comparison = job.run();
  if (page) {
    examples::write_comparison_page(
        *page, "feature_terms", comparison, job.caption(),
        "Students of equal shape, images, epochs and seeds. All but those of the labels alone learn from the teacher's "
        "logits by HintonLoss, and most by a term on hidden layers too. Settings were chosen on training images that "
        "were held out. The differences are between students of equal seeds; p is that of their exact sign-flip test, "
        "two-sided.");
  }
}

int main(int argc, char** argv) {
  constexpr const char* usage =
      "usage: feature_terms [--quick] [--student 784-20-20-10|196-64-48-10] [--report PAGE.html] [FOLDER_WITH_MNIST]";
  try {
    examples::occupy_standard_streams();
    if (examples::has_answered(argc, argv, "feature_terms", usage)) {
      return 0;
    }
    examples::Arguments arguments(argc, argv);
    const bool quick = arguments.take("--quick");
    const auto page = arguments.take_value("--report");
    const std::string student = arguments.take_value("--student").value_or(Plain::name);
    const auto& left = arguments.left();
    if (left.size() > 1 || arguments.has_unknown_option() || (student != Plain::name && student != Pooled::name)) {
      std::fprintf(stderr, "%s\n", usage);
      return 2;
    }
    if (page) {
      examples::require_page("--report", *page);
    }
    rt::allocate_for("the trainings", 0, [&] {
      const Plan plan = quick ? quick_plan : Plan{};
      Images images = load(left.empty() ? "synthetic" : left[0], plan);
      if (student == Pooled::name) {
        run(Job<Pooled>(std::move(images), plan), page);
      } else {
        run(Job<Plain>(std::move(images), plan), page);
      }
    });
    rt::flush(stdout);  // what was printed to a full disk is an error too
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "feature_terms: %s\n", rt::printable(error.what(), 4000).c_str());
    return 1;
  }
}

// SPDX-License-Identifier: MIT
/// Few labels, many images: 1,000 images have a label and 59,000 have none. A large teacher learns from the labels, and
/// a small student from the teacher's answers to all images.
///
///     few_labels data/mnist              (a folder of MNIST's files)
///     few_labels                         (digits that the library draws itself)
///     few_labels --quick [data/mnist]    (fewer images, shorter trainings: some seconds)
///
/// --report PAGE.html writes a page of the errors too.

#include <cstddef>
#include <cstdio>
#include <exception>
#include <optional>
#include <retort/retort.hpp>
#include <string>

#include "common/arguments.hpp"
#include "common/comparison.hpp"
#include "common/data.hpp"
#include "common/models.hpp"
#include "common/number_text.hpp"
#include "common/page.hpp"
#include "common/program.hpp"

namespace rt = retort;

// A thousand images are too few for the wide teacher of distill_mnist.
using Teacher = rt::Sequential<rt::Dropout<0.2>, rt::Linear<784, 400>, rt::Dropout<0.5>, rt::ReLU,  //
                               rt::Linear<400, 400>, rt::Dropout<0.5>, rt::ReLU,                    //
                               rt::Linear<400, 10>>;
using Student = rt::Network<examples::Student>;

/// Chosen on training images that were held out.
struct Plan {
  std::size_t labels = 1'000;
  std::size_t label_epochs = 300;   // passes over the images with labels
  std::size_t student_epochs = 60;  // passes over all images
};

/// Prints the errors of each network at once, and keeps them.
class Results {
 public:
  explicit Results(const rt::data::Dataset& test) : test_(test) {}

  template <typename Network>
  void report(const char* name, const Network& network) {
    const rt::Evaluation result = rt::evaluate(network, test_);
    std::printf("%-40s %5zu  (%.2f %%)\n", name, result.errors, 100.0 * (1.0 - result.accuracy));
    std::fflush(stdout);
    comparison_.add(name, static_cast<double>(result.errors));
  }

  const examples::Comparison& comparison() const { return comparison_; }

 private:
  const rt::data::Dataset& test_;
  examples::Comparison comparison_{""};
};

void learn(const rt::data::Dataset& images, const rt::data::Dataset& test, const Plan& plan,
           const std::optional<std::string>& page) {
  Results results(test);
  const auto [labelled, others] = examples::split_off(plan.labels, images);
  const auto all = rt::data::join(labelled, others.without_labels());  // nobody sees the other labels any more
  std::printf("%zu of %zu images have a label. Errors on %zu test images:\n", all.labelled_count(), all.size(),
              test.size());
  const rt::backend::Eigen cpu{rt::AvailableThreads{}};
  const rt::LinearWarmup schedule{.steps = 400, .then = rt::CosineSchedule{}};
  const rt::Adam adam{.learning_rate = 3e-3};

  Student alone{rt::Seed{1}, cpu};
  rt::Trainer{alone, rt::CrossEntropy{}, adam}.fit(labelled, {.epochs = plan.label_epochs, .schedule = schedule});
  results.report("student, from the labels alone", alone);

  Student shifted{rt::Seed{1}, cpu};
  rt::Trainer{shifted, rt::CrossEntropy{}, adam}.fit(
      labelled, {.epochs = plan.label_epochs, .augmentation = {.shift = 1}, .schedule = schedule});
  results.report("the same on shifted images", shifted);

  rt::Network<Teacher> teacher{rt::Seed{0}, cpu};
  rt::Trainer{teacher, rt::CrossEntropy{}, rt::Adam{.learning_rate = 1e-3}}.fit(
      labelled, {.epochs = plan.label_epochs, .augmentation = {.shift = 2}, .schedule = schedule});
  results.report("teacher, on shifted images", teacher);

  // Without a label the loss has the soft term alone; the others have both.
  Student distilled{rt::Seed{1}, cpu};
  rt::DistillationTrainer{teacher, distilled, rt::HintonLoss{.temperature = 0.5, .hard_weight = 0.1}, adam}.fit(
      all, {.epochs = plan.student_epochs, .augmentation = {.shift = 1}, .views = {.count = 8}, .schedule = schedule});
  results.report("student, from the teacher's answers", distilled);
  if (page) {
    examples::write_comparison_page(
        *page, "few_labels", results.comparison(),
        rt::concatenate({"Errors on ", examples::counted(test.size(), "test image"), "; ",
                         examples::counted(all.labelled_count(), "image"), " of ",
                         examples::with_separators(all.size()), " with a label"}),
        "The student alone learns from the images with labels, as does the teacher. The distilled student sees all "
        "images; where one has no label, its loss is the soft term alone.");
  }
}

int main(int argc, char** argv) {
  constexpr const char* usage = "usage: few_labels [--quick] [--report PAGE.html] [FOLDER_WITH_MNIST]";
  try {
    examples::occupy_standard_streams();
    if (examples::has_answered(argc, argv, "few_labels", usage)) {
      return 0;
    }
    examples::Arguments arguments(argc, argv);
    const bool quick = arguments.take("--quick");
    const auto page = arguments.take_value("--report");
    const auto& left = arguments.left();
    if (left.size() > 1 || arguments.has_unknown_option()) {
      std::fprintf(stderr, "%s\n", usage);
      return 2;
    }
    if (page) {
      examples::require_page("--report", *page);
    }
    rt::allocate_for("the trainings", 0, [&] {
      auto [train, test] = examples::load_data(left.empty() ? "synthetic" : left[0], "official", 0);
      if (quick && train.size() > 6'000) {
        train = examples::split_off(6'000, train).first;
      }
      learn(train, test, quick ? Plan{.labels = train.size() / 20, .label_epochs = 100, .student_epochs = 30} : Plan{},
            page);
    });
    rt::flush(stdout);  // what was printed to a full disk is an error too
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "few_labels: %s\n", rt::printable(error.what(), 4000).c_str());
    return 1;
  }
}

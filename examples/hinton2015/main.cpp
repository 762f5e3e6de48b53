// SPDX-License-Identifier: MIT
/// The experiments on MNIST of Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network",
/// arXiv:1503.02531, section 3, each with the figure that the paper gives.
///
///     hinton2015 [--out FOLDER] data/mnist    (all of them: hours on a CPU; what a kill leaves in FOLDER is resumed)
///     hinton2015 --quick [data/mnist]         (few images, few epochs: do the experiments run?)
///
/// --report PAGE.html writes a page of the figures too.
///
/// What differs from the paper: Adam and a cosine schedule for hundreds of epochs in place of thousands of epochs of
/// SGD. The biases that the paper tuned on the test set are chosen without labels.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <retort/retort.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/arguments.hpp"
#include "common/chart.hpp"
#include "common/data.hpp"
#include "common/models.hpp"
#include "common/number_text.hpp"
#include "common/output_folder.hpp"
#include "common/page.hpp"
#include "common/program.hpp"
#include "common/scale.hpp"

namespace rt = retort;

using examples::Perceptron;
using Teacher = rt::Sequential<rt::Dropout<0.2>, rt::Linear<784, 1200>, rt::Dropout<0.5>, rt::ReLU,  //
                               rt::Linear<1200, 1200>, rt::Dropout<0.5>, rt::ReLU,                   //
                               rt::Linear<1200, 10>>;
using Small = rt::Network<Perceptron<800>>;

struct Plan {
  std::filesystem::path folder;  // of checkpoints, or empty
  std::size_t teacher_epochs;
  std::size_t epochs;         // of the networks of width 800
  std::size_t narrow_epochs;  // of those of widths 300 and 30
  std::size_t seeds;          // of width 30; width 300 has a third of them
  std::size_t batch_size = 100;
  std::size_t warmup_steps = 600;
};

class Experiments {
 public:
  Experiments(rt::data::Dataset train, rt::data::Dataset test, Plan plan)
      : train_(std::move(train)), test_(std::move(test)), plan_(std::move(plan)) {}

  void run() {
    std::printf("%-58s %9s %7s\n", "", "published", "ours");
    rt::Trainer{teacher_, rt::CrossEntropy{}, rt::MaxNorm{adam_}}.fit(
        train_, options("teacher", plan_.teacher_epochs, {.augmentation = {.shift = 2}}));
    report("1200-1200, dropout, bounded weights, jitter: test errors", "67", errors(teacher_));
    if (!plan_.folder.empty()) {
      rt::io::save_safetensors(teacher_, plan_.folder / "teacher.safetensors");
    }

    Small alone{rt::Seed{1}, cpu_};
    rt::Trainer{alone, rt::CrossEntropy{}, adam_}.fit(train_, options("alone", plan_.epochs));
    report("800-800, from the labels alone", "146", errors(alone));

    Small distilled{rt::Seed{1}, cpu_};
    distil(distilled, "distilled", train_);
    report("800-800, from the teacher's answers at T = 20", "74", errors(distilled));

    without_threes();
    sevens_and_eights();
    compare_temperatures<300>("any T above 8 alike", std::max<std::size_t>(plan_.seeds / 3, 1));
    compare_temperatures<30>("best: T from 2.5 to 4", plan_.seeds);
  }

  /// The page of what `run` has found. Throws retort::FileError.
  void write_report(const std::filesystem::path& page) const {
    using examples::Column;
    examples::Table table(rt::concatenate({"Test errors of ", examples::with_separators(test_.size()),
                                           " images, unless another unit is given"}),
                          {{"experiment", Column::Kind::text}, {"published"}, {"ours"}});
    for (const std::vector<std::string>& row : figures_) {
      table.add_row(row);
    }
    examples::write_page(
        page, "hinton2015",
        examples::paragraph("The experiments on MNIST of Hinton, Vinyals and Dean, \u201CDistilling the "
                            "knowledge in a neural network\u201D, arXiv:1503.02531, section 3.") +
            examples::section("Published and ours", table.markup()) +
            examples::section("Errors by the temperature that a student learns at",
                              examples::element("div", "class=\"charts\"", charts_)));
  }

 private:
  /// The teacher's answers are all that a student learns from.
  static constexpr rt::HintonLoss soft_targets{.temperature = 20, .hard_weight = 0};

  rt::Schedule schedule() const { return rt::LinearWarmup{.steps = plan_.warmup_steps, .then = rt::CosineSchedule{}}; }

  rt::FitOptions options(const char* name, std::size_t epochs, rt::FitOptions options = {}) const {
    options.epochs = epochs;
    options.batch_size = plan_.batch_size;
    options.schedule = schedule();
    if (!plan_.folder.empty()) {
      options.checkpoint =
          rt::CheckpointOptions{.path = plan_.folder / (std::string(name) + ".checkpoint"), .resume = true};
    }
    return options;
  }

  void distil(Small& student, const char* name, const rt::data::Dataset& transfer_set) const {
    rt::DistillationTrainer{teacher_, student, soft_targets, adam_}.fit(transfer_set, options(name, plan_.epochs));
  }

  void report(const char* what, const char* published, const std::string& ours) {
    std::printf("%-58s %9s %7s\n", what, published, ours.c_str());
    std::fflush(stdout);
    figures_.push_back({what, published, ours});
  }

  template <typename Network>
  std::string errors(const Network& network) const {
    return rt::to_text(rt::evaluate(network, test_).errors);
  }
  std::string error_rate(const Small& network) const {
    return rt::to_text(std::round(1000.0 * (1.0 - rt::evaluate(network, test_).accuracy)) / 10.0) + " %";
  }

  /// The samples of `data` whose labels are among `classes`, or are not.
  static rt::data::Dataset part(const rt::data::Dataset& data, std::initializer_list<std::uint32_t> classes,
                                bool among) {
    std::vector<std::uint32_t> indices;
    for (std::uint32_t i = 0; i < data.size(); ++i) {
      if ((std::ranges::find(classes, data.labels()[i]) != classes.end()) == among) {
        indices.push_back(i);
      }
    }
    return data.subset(indices);
  }

  /// Adds the same number to the biases of `classes`, so that the mean probability of these classes over all training
  /// images, whose labels it does not read, becomes `share`. Returns the number.
  double shift_biases(Small& network, std::initializer_list<std::uint32_t> classes, double share) const {
    const std::vector<float> logits = rt::predict_all(network, train_);
    const auto mean_probability = [&](double shift) {
      double sum = 0;
      for (std::size_t sample = 0; sample < train_.size(); ++sample) {
        std::array<double, 10> z;
        std::copy_n(logits.begin() + static_cast<std::ptrdiff_t>(10 * sample), 10, z.begin());
        for (const std::uint32_t k : classes) {
          z[k] += shift;
        }
        const double largest = *std::ranges::max_element(z);
        double all = 0;
        double of_classes = 0;
        for (std::uint32_t k = 0; k < 10; ++k) {
          const double weight = std::exp(z[k] - largest);
          all += weight;
          of_classes += std::ranges::find(classes, k) != classes.end() ? weight : 0;
        }
        sum += of_classes / all;
      }
      return sum / static_cast<double>(train_.size());
    };
    double low = -100;
    double high = 100;
    for (int i = 0; i < 40; ++i) {
      const double middle = (low + high) / 2;
      (mean_probability(middle) < share ? low : high) = middle;
    }
    const std::span<float> bias = network.parameter(Small::model_type::parameters.size() - 1);
    for (const std::uint32_t k : classes) {
      bias[k] += static_cast<float>(low);
    }
    return low;
  }

  void without_threes() {
    Small student{rt::Seed{1}, cpu_};
    distil(student, "without_threes", part(train_, {3}, false));
    const auto threes = part(test_, {3}, true);
    const auto errors_on_threes = [&] { return rt::to_text(rt::evaluate(student, threes).errors); };
    report("no 3 in the transfer set", "206", errors(student));
    report("  of these on threes", "133", errors_on_threes());
    const double shift = shift_biases(student, {3}, 0.1);
    report("  the bias of 3 raised, errors", "109", errors(student));
    report("  of these on threes", "14", errors_on_threes());
    report("  raised by", "3.5", rt::to_text(std::round(100 * shift) / 100));
  }

  void sevens_and_eights() {
    Small student{rt::Seed{1}, cpu_};
    distil(student, "sevens_and_eights", part(train_, {7, 8}, true));
    report("only 7 and 8 in the transfer set", "47.3 %", error_rate(student));
    const double shift = shift_biases(student, {7, 8}, 0.2);
    report("  the biases of 7 and 8 lowered", "13.2 %", error_rate(student));
    report("  lowered by", "7.6", rt::to_text(std::round(-100 * shift) / 100));
  }

  /// Mean test errors over seeds, by temperature.
  template <std::size_t Width>
  void compare_temperatures(const char* published, std::size_t seeds) {
    using Student = Perceptron<Width>;
    const rt::SweepSetting<> setting{.loss = soft_targets, .optimizer = adam_};
    const auto settings = rt::sweep_grid(setting, rt::SweepAxis{&rt::HintonLoss::temperature, {1, 2, 3, 4, 8, 20}},
                                         rt::SweepAxis{&rt::SweepSetting<>::seed, rt::consecutive_seeds(seeds, 1)});
    rt::SweepOptions sweep_options{
        .epochs = plan_.narrow_epochs, .batch_size = plan_.batch_size, .schedule = schedule()};
    const std::string width = rt::to_text(Width);
    if (!plan_.folder.empty()) {
      sweep_options.checkpoints =
          rt::SweepCheckpointOptions{.folder = plan_.folder / ("width_" + width), .resume = true};
    }
    const std::string title = rt::concatenate(
        {width, "-", width, " by T, errors over ", examples::counted(seeds, "seed"), " (", published, ")"});
    std::printf("%s:\n", title.c_str());
    const auto summaries =
        rt::summarize(rt::Sweep<Student>{teacher_, settings, cpu_}.fit(train_, test_, sweep_options));
    for (const auto& summary : summaries) {
      std::printf("  T = %-2g %5.1f +- %.1f\n", summary.setting.loss.temperature, summary.errors.mean,
                  summary.errors.standard_deviation);
    }
    std::fflush(stdout);
    examples::Line line{.name = "mean", .points = {}};
    for (const auto& summary : summaries) {
      line.points.push_back({summary.setting.loss.temperature, summary.errors.mean, summary.errors.standard_deviation});
    }
    const std::vector<double> heights = examples::heights_of({line});
    std::vector<double> temperatures;
    std::ranges::transform(line.points, std::back_inserter(temperatures), &examples::Point::x);
    charts_ += examples::figure({.title = title,
                                 .x = {"temperature", examples::Scale::with_ticks_at(temperatures)},
                                 .y = {"test errors", examples::Scale::fitting(heights)},
                                 .lines = {line},
                                 .digits = 1});
  }

  rt::data::Dataset train_;
  rt::data::Dataset test_;
  Plan plan_;
  rt::backend::Eigen cpu_{rt::AvailableThreads{}};
  rt::Adam adam_{.learning_rate = 1e-3};
  rt::Network<Teacher> teacher_{rt::Seed{0}, cpu_};
  std::vector<std::vector<std::string>> figures_{};  // rows of the page's table
  std::string charts_{};
};

int main(int argc, char** argv) {
  constexpr const char* usage =
      "usage: hinton2015 [--out FOLDER] [--report PAGE.html] FOLDER_WITH_MNIST, or hinton2015 --quick "
      "[--report PAGE.html] [FOLDER_WITH_MNIST]";
  try {
    examples::occupy_standard_streams();
    if (examples::has_answered(argc, argv, "hinton2015", usage)) {
      return 0;
    }
    examples::Arguments arguments(argc, argv);
    const bool quick = arguments.take("--quick");
    const auto out = arguments.take_value("--out");
    const auto page = arguments.take_value("--report");
    const auto& left = arguments.left();
    if (left.size() > 1 || (left.empty() && !quick) || (quick && out) || arguments.has_unknown_option()) {
      std::fprintf(stderr, "%s\n", usage);
      return 2;
    }
    if (page) {
      examples::require_page("--report", *page);
    }
    std::optional<examples::OutputFolder> folder;
    if (out) {
      folder.emplace(*out, std::vector<std::string>{});  // no other process writes there
    }
    rt::allocate_for("the trainings", 0, [&] {
      auto [train, test] = examples::load_data(left.empty() ? "synthetic" : left[0], "official", 0);
      Plan plan{.folder = out.value_or(""), .teacher_epochs = 600, .epochs = 150, .narrow_epochs = 20, .seeds = 6};
      if (quick) {
        plan = {.folder = {},
                .teacher_epochs = 10,
                .epochs = 10,
                .narrow_epochs = 5,
                .seeds = 2,
                .batch_size = 20,
                .warmup_steps = 50};
        if (train.size() > 2'000) {
          train = examples::split_off(2'000, train).first;
        }
      }
      Experiments experiments{std::move(train), std::move(test), std::move(plan)};
      experiments.run();
      if (page) {
        experiments.write_report(*page);
      }
    });
    rt::flush(stdout);  // what was printed to a full disk is an error too
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hinton2015: %s\n", rt::printable(error.what(), 4000).c_str());
    return 1;
  }
}

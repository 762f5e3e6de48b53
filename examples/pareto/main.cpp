// SPDX-License-Identifier: MIT
/// A choice of size: students of several widths, in floats and in integers of 8 and 4 bits. What does accuracy cost,
/// and which is the most accurate that fits?
///
///     pareto --budget 10000 --out out/pareto data/mnist    (five minutes of one core; the same command goes on)
///     pareto --quick [data/mnist]                          (few images, few epochs: does it run?)
///
/// All learn from one teacher in one sweep. Those of 4 bits learn through their rounding, those of 8 bits are the float
/// students, calibrated. One sixth of the training images is held out: on it students of one seed choose a setting for
/// each width, with floats and with 4 bits, and on it the student is chosen that fits. The test images are looked at
/// once, when that is done.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <limits>
#include <optional>
#include <retort/io/export_c.hpp>
#include <retort/retort.hpp>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/data.hpp"
#include "common/models.hpp"
#include "common/output_folder.hpp"
#include "common/prepare_teacher.hpp"
#include "common/program.hpp"
#include "common/students.hpp"
#include "common/training_options.hpp"
#include "options.hpp"
#include "report.hpp"
#include "students.hpp"
#include "timing.hpp"

namespace rt = retort;

namespace pareto {

using StudentLoss = rt::LossAfter<rt::HintonLoss>;
using StudentSweep = rt::Sweep<Students, rt::backend::Eigen, StudentLoss>;

/// What a student may be trained with.
struct Setting {
  double temperature;
  std::size_t parts_alone;  ///< quarters of the epochs in which it learns from the labels alone
};

constexpr std::array settings{Setting{2, 0}, Setting{2, 1}, Setting{4, 0}, Setting{4, 1}};

StudentLoss loss_of(const Setting& setting, std::size_t epochs) {
  return {{.temperature = setting.temperature, .hard_weight = 0.3}, setting.parts_alone * epochs / 4};
}

std::string description_of(const StudentLoss& loss) {
  return rt::concatenate({"T = ", loss.loss.temperature,
                          loss.epochs == 0 ? "" : rt::concatenate({", labels alone for ", loss.epochs, " epochs"})});
}

class Job {
 public:
  Job(const Options& options, const rt::data::Dataset& images, rt::data::Dataset test)
      : options_(options), parts_(rt::data::stratified_split(images, 5.0 / 6.0, rt::Seed{0})), test_(std::move(test)) {}

  void run() {
    rt::validate_in<float>(rt::Adam{.learning_rate = options_.learning_rate});  // before the teacher is trained
    if (!options_.report.empty()) {
      rt::require_writable(options_.report);
    }
    examples::prepare_teacher(teacher_, options_.teacher_file, train_,
                              {.epochs = options_.teacher_epochs,
                               .batch_size = options_.batch_size,
                               .augmentation = examples::recommended_teacher().augmentation,
                               .schedule = options_.schedule()},
                              options_.out);
    std::printf("the teacher makes %zu errors of %zu images held out\n", rt::evaluate(teacher_, held_out_).errors,
                held_out_.size());
    std::fflush(stdout);
    const std::vector<std::size_t> chosen = choose_settings();
    const auto students = train(final_settings(chosen), options_.epochs, "final");
    const Report report = ship(students);
    print(report);
    const std::string answer = choice(report, options_.out);
    std::printf("\n%s\n", answer.c_str());
    if (!options_.report.empty()) {
      write_report_page(options_.report, report, answer);
    }
  }

 private:
  /// The models that --students names, with floats and with 4 bits.
  std::vector<std::size_t> wanted_models() const {
    std::vector<std::size_t> models = Students::places();
    const std::vector<std::size_t> named = examples::places_of(student_names, options_.students);
    std::erase_if(models, [&](std::size_t model) {
      return std::ranges::find(named, model % student_names.size()) == named.end();
    });
    return models;
  }

  static std::string name_of(std::size_t model) { return student_names[model % student_names.size()]; }

  StudentSweep::Setting setting(std::size_t model, const Setting& of, std::size_t epochs, std::uint64_t seed) const {
    return {.loss = loss_of(of, epochs),
            .optimizer = {.learning_rate = options_.learning_rate},
            .seed = rt::Seed{seed},
            .model = model};
  }

  std::vector<StudentSweep::Setting> final_settings(const std::vector<std::size_t>& chosen) const {
    std::vector<StudentSweep::Setting> list;
    for (const std::size_t model : wanted_models()) {
      for (std::uint64_t seed = 0; seed < options_.seeds; ++seed) {
        list.push_back(setting(model, settings[chosen[model]], options_.epochs, seed));
      }
    }
    return list;
  }

  std::vector<StudentSweep::Result> train(std::vector<StudentSweep::Setting> list, std::size_t epochs,
                                          const char* stage) const {
    rt::SweepPrinter progress{stderr};
    rt::SweepOptions sweep_options{
        .epochs = epochs, .batch_size = options_.batch_size, .schedule = options_.schedule(), .observers = {&progress}};
    if (!options_.out.empty()) {
      sweep_options.checkpoints = rt::SweepCheckpointOptions{.folder = options_.out / stage, .resume = true};
    }
    auto results = StudentSweep{teacher_, std::move(list), teacher_.backend()}.fit(train_, sweep_options);
    for (const auto& result : results) {
      if (result.has_diverged()) {
        throw rt::DivergenceError(rt::concatenate({result.description, ": ", result.divergence}));
      }
    }
    return results;
  }

  /// Of each model the setting with the fewest errors on images held out, by its place.
  std::vector<std::size_t> choose_settings() const {
    std::vector<StudentSweep::Setting> list;
    for (const std::size_t model : wanted_models()) {
      for (const Setting& one : settings) {
        list.push_back(setting(model, one, options_.choice_epochs, 0));
      }
    }
    std::vector<std::size_t> chosen(Students::count);
    std::vector<std::size_t> fewest(Students::count, std::numeric_limits<std::size_t>::max());
    for (const auto& result : train(std::move(list), options_.choice_epochs, "choice")) {
      const std::size_t errors = examples::count_errors(result, held_out_);
      const std::size_t model = result.setting.model;
      if (errors < fewest[model]) {
        fewest[model] = errors;
        chosen[model] = result.index % settings.size();
      }
    }
    return chosen;
  }

  /// The rows of the table, with a C file for each.
  Report ship(const std::vector<StudentSweep::Result>& students) const {
    Report report{.rows = {},
                  .held_out_images = held_out_.size(),
                  .test_images = test_.size(),
                  .epochs = options_.epochs,
                  .budget = options_.budget,
                  .timed = timer_.works() ? rt::concatenate({"the C file, ", CodeTimer::flags})
                                          : "the library, for there is no C compiler here"};
    for (std::size_t first = 0; first < students.size(); first += options_.seeds) {
      const std::size_t model = students[first].setting.model;
      for (const rt::io::Form form :
           has_int4(model) ? std::vector{rt::io::Form::int4} : std::vector{rt::io::Form::float32, rt::io::Form::int8}) {
        report.rows.push_back(row(std::span(students).subspan(first, options_.seeds), form));
      }
    }
    std::ranges::sort(report.rows, {}, [](const Row& row) { return std::pair{row.bytes, row.file}; });
    return report;
  }

  static double percent(const rt::io::CodeFacts& facts) {
    return 100.0 * static_cast<double>(facts.right) / static_cast<double>(facts.samples);
  }

  /// Of students that differ in their seeds.
  Row row(std::span<const StudentSweep::Result> students, rt::io::Form form) const {
    rt::io::CodeFacts costs;  // equal for all seeds
    std::vector<std::pair<double, const StudentSweep::Result*>> by_accuracy;
    for (const auto& student : students) {
      costs = write_code(student, form, scratch_.path() / "student.h", held_out_);
      by_accuracy.emplace_back(percent(costs), &student);
    }
    // The one that is best on images held out comes last, and leaves its file.
    std::ranges::sort(by_accuracy);
    const std::string name = name_of(students.front().setting.model);
    Row row{.student = name,
            .form = std::string(costs.form),
            .setting = description_of(students.front().setting.loss),
            .file = rt::concatenate({name, "_", costs.form, ".h"}),
            .bytes = costs.constant_bytes,
            .stack = costs.scratch_bytes,
            .multiply_adds = costs.multiply_adds};
    const std::filesystem::path file = (options_.out.empty() ? scratch_.path() : options_.out) / row.file;
    std::vector<double> held_out;
    std::vector<double> test;
    for (const auto& [accuracy, student] : by_accuracy) {
      held_out.push_back(accuracy);
      test.push_back(percent(write_code(*student, form, file, test_)));
    }
    row.held_out = rt::statistics(held_out);
    row.test = rt::statistics(test);
    row.microseconds = timer_.works() ? timer_.microseconds(file) : time_library(*by_accuracy.back().second, form);
    return row;
  }

  rt::io::CodeFacts write_code(const StudentSweep::Result& student, rt::io::Form form,
                               const std::filesystem::path& path, const rt::data::Dataset& evaluation) const {
    const rt::io::ExportOptions export_options{
        .prefix = "digit",
        .form = form,
        .calibration = &train_,
        .evaluation = &evaluation,
        .recipe = rt::concatenate({student.description, ", ", options_.epochs, " epochs"})};
    return std::visit([&](const auto& network) { return rt::io::export_c(network, path, export_options); },
                      student.network);
  }

  double time_library(const StudentSweep::Result& student, rt::io::Form form) const {
    const auto time_integers = [&](const auto& network) {
      const rt::IntegerNetwork integers(network);
      std::array<std::int8_t, 10> logits;
      const rt::data::DatasetView images = held_out_.view();
      return library_microseconds(std::min<std::size_t>(images.size, 100), [&](std::size_t i) {
        integers.predict(std::span(images.bytes + i * images.features, images.features), logits);
      });
    };
    return std::visit(
        [&]<rt::Model M>(const rt::Network<M, rt::backend::Eigen>& network) {
          if constexpr (has_int4(Students::place_of<M>())) {
            return time_integers(network);
          } else {
            return form == rt::io::Form::int8
                       ? time_integers(rt::quantize<rt::Int8>(network, train_))
                       : library_microseconds(1000, [&](std::size_t /*i*/) { network.classify(any_image_); });
          }
        },
        student.network);
  }

  const Options& options_;
  std::pair<rt::data::Dataset, rt::data::Dataset> parts_;
  const rt::data::Dataset& train_ = parts_.first;
  const rt::data::Dataset& held_out_ = parts_.second;
  rt::data::Dataset test_;
  rt::Network<examples::Teacher> teacher_{rt::Seed{0}, rt::backend::Eigen{rt::AvailableThreads{}}};
  std::array<float, 784> any_image_{};
  ScratchFolder scratch_{};
  CodeTimer timer_{held_out_};
};

}  // namespace pareto

int main(int argc, char** argv) {
  try {
    examples::occupy_standard_streams();
    const pareto::Options options = pareto::parse_options(argc, argv);
    std::optional<examples::OutputFolder> folder;
    if (!options.out.empty()) {
      folder.emplace(options.out, std::vector<std::string>{"choice", "final"});  // no other process writes there
    }
    rt::allocate_for("the trainings", 0, [&] {
      auto data = examples::load_data(options.data, "official", 0);
      if (options.quick && data.first.size() > 2'000) {
        data.first = examples::split_off(2'000, data.first).first;
      }
      pareto::Job{options, data.first, std::move(data.second)}.run();
    });
    rt::flush(stdout);  // what was printed to a full disk is an error too
    return 0;
  } catch (const rt::SettingError& error) {
    std::fprintf(stderr, "pareto: %s; go on with that run's options, or name another folder with --out\n",
                 error.what());
    return 2;
  } catch (const rt::OptionError& error) {
    std::fprintf(stderr, "pareto: %s (--help lists the options)\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pareto: %s\n", rt::printable(error.what(), 4000).c_str());
    return 1;
  }
}

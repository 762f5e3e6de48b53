// SPDX-License-Identifier: MIT
/// A teacher from elsewhere: its logits of the training images, a .npy file, are all that a student needs of it. The
/// same student learns three times: from the labels alone, from a teacher trained here, and from the file.
///
///     own_teacher data/mnist logits.npy    (a folder of MNIST's files; teacher.py writes such a table)

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <retort/retort.hpp>

#include "common/data.hpp"
#include "common/models.hpp"
#include "common/program.hpp"

namespace rt = retort;

using Student = rt::Network<examples::Student>;

constexpr std::uint64_t seeds = 5;
constexpr rt::Adam adam{.learning_rate = 5e-3};
constexpr rt::HintonLoss loss{.temperature = 2, .hard_weight = 0.3};

/// Of a student's training: the same for all three.
rt::FitOptions recipe(std::uint64_t seed) {
  return {
      .epochs = 30, .seed = rt::Seed{seed}, .schedule = rt::LinearWarmup{.steps = 800, .then = rt::CosineSchedule{}}};
}

/// Trains a student with each seed by `learn` and prints their errors.
template <typename Learn>
void report(const char* name, const rt::backend::Eigen& cpu, const rt::data::Dataset& test, const Learn& learn) {
  std::printf("%-42s", name);
  std::size_t sum = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    Student student{rt::Seed{2 * seed + 1}, cpu};
    learn(student, recipe(seed));
    const std::size_t errors = rt::evaluate(student, test).errors;
    std::printf(" %5zu", errors);
    std::fflush(stdout);
    sum += errors;
  }
  std::printf("   mean %.0f\n", static_cast<double>(sum) / seeds);
}

void compare(const std::filesystem::path& folder, const std::filesystem::path& file) {
  const auto [train, test] = examples::load_data(folder, "official", 0);
  const auto table = rt::data::load_teacher_logits(file);
  table.require_made_for(train, {}, {}, examples::Student::output_size);  // before the work
  std::printf("Errors on %zu test images; the students have %llu seeds.\n", test.size(),
              static_cast<unsigned long long>(seeds));
  const rt::backend::Eigen cpu{rt::AvailableThreads{}};

  report("student alone", cpu, test, [&](Student& student, const rt::FitOptions& options) {
    rt::Trainer{student, rt::CrossEntropy{}, adam}.fit(train, options);
  });

  rt::Network<examples::Teacher> mlp{rt::Seed{0}, cpu};
  rt::FitOptions options = recipe(0);
  options.epochs = 8;
  options.augmentation = {.shift = 1};
  rt::Trainer{mlp, rt::CrossEntropy{}, rt::Adam{.learning_rate = 1e-3}}.fit(train, options);
  std::printf("%-42s %5zu\n", "teacher trained here, 784-1200-1200-10", rt::evaluate(mlp, test).errors);

  report("student of the teacher trained here", cpu, test, [&](Student& student, const rt::FitOptions& of_student) {
    rt::DistillationTrainer{mlp, student, loss, adam}.fit(train, of_student);
  });
  report("student of the teacher in the file", cpu, test, [&](Student& student, const rt::FitOptions& of_student) {
    rt::DistillationTrainer{table, student, loss, adam}.fit(train, of_student);
  });
}

int main(int argc, char** argv) {
  constexpr const char* usage = "usage: own_teacher FOLDER_WITH_MNIST LOGITS.npy";
  try {
    examples::occupy_standard_streams();
    if (examples::has_answered(argc, argv, "own_teacher", usage)) {
      return 0;
    }
    if (argc != 3) {
      std::fprintf(stderr, "%s\n", usage);
      return 2;
    }
    rt::allocate_for("the trainings", 0, [&] { compare(argv[1], argv[2]); });
    rt::flush(stdout);  // what was printed to a full disk is an error too
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "own_teacher: %s\n", rt::printable(error.what(), 4000).c_str());
    return 1;
  }
}

// SPDX-License-Identifier: MIT
/// Distils on data of one's own: features and labels from a CSV file, or from two .npy files.
///
///     custom_dataset flowers.csv            (four numbers and a class in each line, the class last: 0 to 2, or a name)
///     custom_dataset features.npy labels.npy

#include <cstdio>
#include <exception>
#include <filesystem>
#include <retort/retort.hpp>

#include "common/program.hpp"

namespace rt = retort;

// Four measurements, up to three classes: other data need other numbers here, and say so at once if they don't fit.
using Teacher = rt::Sequential<rt::Linear<4, 64>, rt::GELU, rt::Linear<64, 64>, rt::GELU, rt::Linear<64, 3>>;
using Student = rt::Sequential<rt::Linear<4, 4>, rt::ReLU, rt::Linear<4, 3>>;

void distil(const rt::data::Dataset& all) {
  // The same share of every class in both parts; and every column with mean 0 and deviation 1, as measured on the
  // samples to train on.
  const auto [raw_train, raw_test] = rt::data::stratified_split(all, 0.8, rt::Seed{0});
  const auto standardization = rt::data::Standardization::fit(raw_train);
  const rt::data::Dataset train = standardization.apply(raw_train);
  const rt::data::Dataset test = standardization.apply(raw_test);

  rt::require_writable("student.safetensors");  // before the work
  if (std::filesystem::exists("student.safetensors")) {
    std::printf("student.safetensors is there, and will be replaced\n");
  }
  rt::Network<Teacher> teacher{rt::Seed{0}};
  rt::Trainer{teacher, rt::CrossEntropy{}, rt::AdamW{.learning_rate = 3e-3}}.fit(
      train, {.epochs = 60, .batch_size = 16, .schedule = rt::CosineSchedule{}});

  rt::Network<Student> student{rt::Seed{1}};
  rt::DistillationTrainer{teacher, student, rt::HintonLoss{.temperature = 3, .hard_weight = 0.2},
                          rt::Adam{.learning_rate = 1e-2}}
      .fit(train, {.epochs = 120, .batch_size = 16, .schedule = rt::CosineSchedule{}});

  std::printf("%s\n", rt::summary<Student>().c_str());
  std::printf("teacher: %4zu of %zu held-out samples wrong\n", rt::evaluate(teacher, test).errors, test.size());
  std::printf("student: %4zu of %zu held-out samples wrong\n", rt::evaluate(student, test).errors, test.size());
  rt::io::save_safetensors(student, "student.safetensors");
  std::printf("saved to student.safetensors\n");
}

int main(int argc, char** argv) {
  constexpr const char* usage = "usage: custom_dataset DATA.csv | custom_dataset FEATURES.npy LABELS.npy";
  try {
    examples::occupy_standard_streams();
    if (examples::has_answered(argc, argv, "custom_dataset", usage)) {
      return 0;
    }
    if (argc != 2 && argc != 3) {
      std::fprintf(stderr, "%s\n", usage);
      return 2;
    }
    rt::allocate_for("the distillation", 0, [&] {
      distil(argc == 2 ? rt::data::load_csv(argv[1], {.label_column = -1, .classes = Student::output_size})
                       : rt::data::load_npy(argv[1], argv[2], {.classes = Student::output_size}));
    });
    rt::flush(stdout);  // what was printed to a full disk is an error too
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "custom_dataset: %s\n", rt::printable(error.what(), 4000).c_str());
    return 1;
  }
}

// SPDX-License-Identifier: MIT
/// From a saved student to C: writes it in floats and in integers, each as one file that needs no library, and says
/// what they cost. read_digit.c is a program with such a file.
///
///     ship_it out/student_distilled.safetensors data/mnist out/c

#include <cstdio>
#include <exception>
#include <filesystem>
#include <retort/io/export_c.hpp>
#include <retort/retort.hpp>
#include <string>
#include <utility>

#include "common/data.hpp"
#include "common/models.hpp"
#include "common/program.hpp"

namespace rt = retort;
using examples::Student;

void print_row(const std::filesystem::path& file, const rt::io::CodeFacts& facts) {
  std::printf("%-16s  %6zu  %6.2f %%  %9zu  %6zu\n", file.filename().c_str(), facts.samples - facts.right,
              100.0 * static_cast<double>(facts.right) / static_cast<double>(facts.samples), facts.constant_bytes,
              facts.scratch_bytes);
}

void ship(const char* weights, const char* folder, const std::filesystem::path& out) {
  rt::Network<Student> student{rt::Seed{0}};
  rt::io::load_safetensors(student, weights);
  auto [train, test] = examples::load_data(folder, "official", 0);
  train = rt::preprocess_for(student, std::move(train));
  test = rt::preprocess_for(student, std::move(test));
  rt::make_folder(out);
  // Integers are calibrated on the training images; the test images are only counted.
  rt::io::ExportOptions options{.prefix = "digit",
                                .calibration = &train,
                                .evaluation = &test,
                                .recipe = "Weights: " + std::filesystem::path(weights).filename().string()};
  std::printf("file              errors  accuracy  constants   stack\n");
  for (const auto& [form, name] :
       {std::pair{rt::io::Form::float32, "digit_float32.h"}, std::pair{rt::io::Form::bfloat16, "digit_bfloat16.h"},
        std::pair{rt::io::Form::int8, "digit_int8.h"}, std::pair{rt::io::Form::int4, "digit_int4.h"}}) {
    options.form = form;
    print_row(name, rt::io::export_c(student, out / name, options));
  }
}

int main(int argc, char** argv) {
  constexpr const char* usage = "usage: ship_it STUDENT.safetensors FOLDER_WITH_MNIST OUT";
  try {
    examples::occupy_standard_streams();
    if (examples::has_answered(argc, argv, "ship_it", usage)) {
      return 0;
    }
    if (argc != 4) {
      std::fprintf(stderr, "%s\n", usage);
      return 2;
    }
    rt::allocate_for("the student", 0, [&] { ship(argv[1], argv[2], argv[3]); });
    rt::flush(stdout);  // what was printed to a full disk is an error too
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ship_it: %s\n", rt::printable(error.what(), 4000).c_str());
    return 1;
  }
}

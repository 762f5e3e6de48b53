// SPDX-License-Identifier: MIT
/// From a saved student to C: writes it in floats and in integers, each as one file that needs no library, and says
/// what they cost. read_digit.c is a program with such a file. firmware/firmware.sh makes firmware of the files, and
/// runs it in emulation on test images that are written beside them, digit.inputs, whose logits are in
/// digit_int8.logits.
///
///     ship_it out/student_distilled.safetensors data/mnist out/c

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <numeric>
#include <retort/io/export_c.hpp>
#include <retort/retort.hpp>
#include <span>
#include <string>
#include <vector>

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

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  rt::AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

/// Writes the network as digit_FORM.h, and its logits for the images of digit.inputs.
template <typename Network, typename Logits>
void write_form(const Network& network, const std::string& form, const std::filesystem::path& out,
                const rt::io::ExportOptions& options, const Logits& logits) {
  const std::string name = "digit_" + form;
  print_row(name + ".h", rt::io::export_c(network, out / (name + ".h"), options));
  write_file(out / (name + ".logits"), std::as_bytes(logits));
}

void ship(const char* weights, const char* folder, const std::filesystem::path& out) {
  rt::Network<Student> student{rt::Seed{0}};
  rt::io::load_safetensors(student, weights);
  auto [train, test] = examples::load_data(folder, "official", 0);
  train = rt::preprocess_for(student, std::move(train));
  std::vector<std::uint32_t> first(std::min<std::size_t>(test.size(), 1000));
  std::iota(first.begin(), first.end(), 0u);
  const rt::data::Dataset images = test.subset(first);
  test = rt::preprocess_for(student, std::move(test));
  const std::vector<float> logits = rt::predict_all(student, test.subset(first));
  rt::make_folder(out);
  write_file(out / "digit.inputs",
             std::as_bytes(std::span(images.view().bytes, images.size() * images.feature_count())));
  rt::io::ExportOptions options{.prefix = "digit",
                                .evaluation = &test,
                                .recipe = "Weights: " + std::filesystem::path(weights).filename().string()};
  std::printf("file              errors  accuracy  constants   stack\n");
  write_form(student, "float32", out, options, std::span(logits));
  options.form = rt::io::Form::bfloat16;
  write_form(student, "bfloat16", out, options, std::span(logits));
  // Integers are calibrated on the training images; the test images are only counted.
  const auto int8 = rt::quantize<rt::Int8>(student, train);
  options.form = rt::io::Form::int8;
  write_form(int8, "int8", out, options, rt::predict_integer(int8, images).values());
  const auto int4 = rt::quantize<rt::Int4>(student, train);
  options.form = rt::io::Form::int4;
  write_form(int4, "int4", out, options, rt::predict_integer(int4, images).values());
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

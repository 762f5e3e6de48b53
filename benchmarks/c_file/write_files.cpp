// SPDX-License-Identifier: MIT
/// @file
/// write_files FOLDER
///
/// Writes the student as FOLDER/float32.h, bfloat16.h, int8.h and int4.h, whose names begin like the file's, and where
/// this build has ONNX as student.onnx; and to FOLDER/images those that the benchmark answers, 64 of 784 bytes.

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>

#include "c_file/student.hpp"
#include "retort/core/error.hpp"
#include "retort/io/export_c.hpp"
#if RETORT_HAS_ONNX
#include "retort/io/export_onnx.hpp"
#endif

int main(int argc, char** argv) {
  using namespace retort;
  if (argc != 2) {
    std::cerr << "usage: write_files FOLDER\n";
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[1];
    std::filesystem::create_directories(folder);
    const auto student = benchmarks::untrained_student();
    const data::Dataset& digits = benchmarks::digits();
    for (const auto& [name, form] : {std::pair<std::string, io::Form>{"float32", io::Form::float32},
                                     {"bfloat16", io::Form::bfloat16},
                                     {"int8", io::Form::int8},
                                     {"int4", io::Form::int4}}) {
      io::export_c(student, folder / (name + ".h"), {.prefix = name, .form = form, .calibration = &digits});
    }
#if RETORT_HAS_ONNX
    io::export_onnx(student, folder / "student.onnx");
#endif
    std::ofstream(folder / "images", std::ios::binary)
        .write(reinterpret_cast<const char*>(digits.view().bytes), std::streamsize{64} * 784);
  } catch (const Error& error) {
    std::cerr << "write_files: " << error.what() << '\n';
    return 1;
  }
}

// SPDX-License-Identifier: MIT
/// Answers questions with a saved student: prints the digits of the first images of an IDX file, and how many are
/// right. In a build with
/// onnx's protobuf schema a third argument is a file in which to write the student as ONNX.
///
///     predict out/student_distilled.safetensors data/mnist
///     predict out/student_distilled.safetensors data/mnist student.onnx

#include <cstdio>
#include <exception>
#include <retort/retort.hpp>
#include <span>
#include <vector>

#include "common/program.hpp"
#include "student.hpp"

namespace rt = retort;
using predict::Student;

void answer(const char* file, const char* folder, [[maybe_unused]] const char* onnx_file) {
  rt::Network<Student> student{rt::Seed{0}};
  rt::io::load_safetensors(student, file);  // strict: another model, a missing tensor or a NaN is an error
  // Normalised as the file says that the training images were.
  const rt::data::Dataset test = rt::preprocess_for(student, rt::data::load_mnist(folder).second);

  // One image at a time, as a program would meet them: 784 inputs.
  const rt::data::DatasetView images = test.view();
  const rt::data::GatherConstants<float> normalise(images);
  std::vector<float> pixels(Student::input_size);
  for (std::uint32_t image = 0; image < 5 && image < images.size; ++image) {
    rt::data::gather_row(images, normalise, image, pixels.data());
    const std::size_t digit = student.classify(std::span<const float, 784>(pixels));
    std::printf("image %u: %zu (it is %u)\n", image, digit, images.labels[image]);
  }

  const rt::Evaluation all = rt::evaluate(student, test);
  std::printf("all %zu images: %.2f %% right, %zu errors\n", test.size(), 100.0 * all.accuracy, all.errors);
#if RETORT_HAS_ONNX
  if (onnx_file != nullptr) {
    predict::export_student(student, onnx_file);
  }
#endif
}

int main(int argc, char** argv) {
#if RETORT_HAS_ONNX
  constexpr const char* usage = "usage: predict STUDENT.safetensors FOLDER_WITH_MNIST [STUDENT.onnx]";
  constexpr int most_arguments = 4;
#else
  constexpr const char* usage = "usage: predict STUDENT.safetensors FOLDER_WITH_MNIST";
  constexpr int most_arguments = 3;
#endif
  try {
    examples::occupy_standard_streams();
    if (examples::has_answered(argc, argv, "predict", usage)) {
      return 0;
    }
    if (argc < 3 || argc > most_arguments) {
      std::fprintf(stderr, "%s\n", usage);
      return 2;
    }
    rt::allocate_for("the predictions", 0, [&] { answer(argv[1], argv[2], argc > 3 ? argv[3] : nullptr); });
    rt::flush(stdout);  // what was printed to a full disk is an error too
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "predict: %s\n", rt::printable(error.what(), 4000).c_str());
    return 1;
  }
}

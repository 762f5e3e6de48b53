// SPDX-License-Identifier: MIT
/// Answers questions with a saved student: prints the digits of the first images of an IDX file, and how many are
/// right.
///
///     predict out/student_distilled.safetensors data/mnist

#include <cstdio>
#include <exception>
#include <retort/retort.hpp>
#include <span>
#include <vector>

#include "common/program.hpp"

namespace rt = retort;

using Student = rt::Sequential<rt::Linear<784, 20>, rt::ReLU,  //
                               rt::Linear<20, 20>, rt::ReLU,   //
                               rt::Linear<20, 10>>;

void predict(const char* file, const char* folder) {
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
}

int main(int argc, char** argv) {
  constexpr const char* usage = "usage: predict STUDENT.safetensors FOLDER_WITH_MNIST";
  try {
    examples::occupy_standard_streams();
    if (examples::has_answered(argc, argv, "predict", usage)) {
      return 0;
    }
    if (argc != 3) {
      std::fprintf(stderr, "%s\n", usage);
      return 2;
    }
    rt::allocate_for("the predictions", 0, [&] { predict(argv[1], argv[2]); });
    rt::flush(stdout);  // what was printed to a full disk is an error too
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "predict: %s\n", rt::printable(error.what(), 4000).c_str());
    return 1;
  }
}

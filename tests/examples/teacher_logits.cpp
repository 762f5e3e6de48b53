// SPDX-License-Identifier: MIT
/// teacher_logits TEACHER.safetensors FOLDER_WITH_MNIST LOGITS.npy [LAYER_NAME LAYER_NAME LAYER_NAME]
/// Writes the logits of the folder's test images, (images, 10), for comparison with another program's. The layer names
/// are those of the file where it is not an nn.Sequential's.

#include <cstdio>
#include <exception>

#include "../../examples/common/models.hpp"
#include "retort/retort.hpp"

int main(int argc, char** argv) {
  try {
    if (argc != 4 && argc != 7) {
      std::fprintf(stderr, "usage: teacher_logits TEACHER.safetensors FOLDER_WITH_MNIST LOGITS.npy [LAYER_NAME ...]\n");
      return 2;
    }
    retort::Network<examples::Teacher> teacher(retort::Seed{0});
    retort::io::load_safetensors(teacher, argv[1], {.layer_names = {argv + 4, argv + argc}});
    const auto [train, test] = retort::data::load_mnist(argv[2]);
    const retort::data::Matrix<float> logits(test.size(), examples::Teacher::output_size,
                                             retort::predict_all(teacher, test));
    retort::data::save_npy(argv[3], logits);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "teacher_logits: %s\n", error.what());
    return 1;
  }
}

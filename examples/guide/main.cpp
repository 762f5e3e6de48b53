// SPDX-License-Identifier: MIT
/// The programs of the guide (docs/guide), for the pages that have no example of their own.
///
///     guide weights_from_pytorch teacher.safetensors [data/mnist]
///     guide ship_the_student digit_int4.h [data/mnist]
///     guide temperature_and_weight|own_loss|own_layer|multi_label|regression [data/mnist]
///
/// Without a folder of MNIST's files they run on digits that the library draws itself.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iterator>
#include <retort/retort.hpp>
#include <string_view>

#include "common/data.hpp"
#include "common/program.hpp"
#include "digits.hpp"
#include "own_layer.hpp"
#include "own_loss.hpp"
#include "ship_the_student.hpp"
#include "targets.hpp"
#include "temperature_and_weight.hpp"
#include "weights_from_pytorch.hpp"

namespace rt = retort;

/// A student has 3,000 of the images to learn from. `held_out` are the test images, or 10,000 training images where
/// settings are compared ("validation").
guide::Digits load(const std::filesystem::path& folder, const char* split) {
  const auto [train, held_out] = examples::load_data(folder, split, 0);
  const double share = train.size() > 3'000 ? 3'000.5 / static_cast<double>(train.size()) : 0.5;
  return {.train = train, .few = rt::data::random_split(train, share, rt::Seed{0}).first, .held_out = held_out};
}

/// A program that takes no FILE.
struct Program {
  std::string_view name;
  const char* split;
  void (*run)(const guide::Digits&, const rt::backend::Eigen&);
};

constexpr Program programs[] = {{"temperature_and_weight", "validation", guide::temperature_and_weight},
                                {"own_loss", "validation", guide::own_loss},
                                {"own_layer", "validation", guide::own_layer},
                                {"multi_label", "official", guide::multi_label},
                                {"regression", "official", guide::regression}};

int main(int argc, char** argv) {
  constexpr const char* usage =
      "usage: guide weights_from_pytorch|ship_the_student FILE [FOLDER_WITH_MNIST], or guide PROGRAM "
      "[FOLDER_WITH_MNIST], where PROGRAM is temperature_and_weight, own_loss, own_layer, multi_label or regression";
  try {
    examples::occupy_standard_streams();
    if (examples::has_answered(argc, argv, "guide", usage)) {
      return 0;
    }
    const std::string_view name = argc > 1 ? argv[1] : "";
    const bool from_pytorch = name == "weights_from_pytorch";
    const bool takes_file = from_pytorch || name == "ship_the_student";
    const auto* program =
        std::find_if(std::begin(programs), std::end(programs), [&](const Program& each) { return each.name == name; });
    const int folder = takes_file ? 3 : 2;  // its place among the arguments
    if ((argc != folder && argc != folder + 1) || !(takes_file || program != std::end(programs))) {
      std::fprintf(stderr, "%s\n", usage);
      return 2;
    }
    rt::allocate_for("the trainings", 0, [&] {
      const rt::backend::Eigen cpu{rt::AvailableThreads{}};
      const guide::Digits digits =
          load(argc > folder ? argv[folder] : "synthetic", takes_file ? "official" : program->split);
      if (from_pytorch) {
        guide::weights_from_pytorch(digits, cpu, argv[2]);
      } else if (takes_file) {
        guide::ship_the_student(digits, cpu, argv[2]);
      } else {
        program->run(digits, cpu);
      }
    });
    rt::flush(stdout);  // what was printed to a full disk is an error too
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "guide: %s\n", rt::printable(error.what(), 4000).c_str());
    return 1;
  }
}

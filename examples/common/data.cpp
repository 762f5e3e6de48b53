// SPDX-License-Identifier: MIT
#include "common/data.hpp"

#include <utility>

#include "retort/core/error.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/data/csv_images.hpp"
#include "retort/data/mnist.hpp"
#include "retort/data/split.hpp"
#include "retort/data/synthetic_digits.hpp"

namespace examples {

namespace {

std::pair<retort::data::Dataset, retort::data::Dataset> load_official(const std::filesystem::path& folder) {
  try {
    return retort::data::load_mnist(folder);
  } catch (const retort::UnlabelledError&) {
    retort::data::load_mnist_train(folder);  // throws where it is the training images that have none
    throw retort::FormatError(folder,
                              "the test images have no labels, expected --split validation or --split random, which "
                              "take the training images alone");
  }
}

}  // namespace

std::pair<retort::data::Dataset, retort::data::Dataset> load_data(const std::filesystem::path& folder,
                                                                  const std::string& split, std::uint64_t seed) {
  const auto synthetic = [] {
    return retort::data::random_split(retort::data::synthetic_digits(70'000, retort::Seed{0}), 6.0 / 7.0,
                                      retort::Seed{0});
  };
  if (split == "official") {
    return folder == "synthetic" ? synthetic() : load_official(folder);
  }
  // The test images may be missing, or have no labels, as in Kaggle's folders.
  const retort::data::Dataset train =
      folder == "synthetic" ? synthetic().first : retort::data::load_mnist_train(folder);
  if (split == "random") {
    return retort::data::random_split(train, 0.8, retort::Seed{seed});
  }
  // "validation": the same images for every seed, so that a teacher trained once has never seen them.
  return retort::data::random_split(train, 5.0 / 6.0, retort::Seed{0});
}

std::string describe_input(const retort::data::Dataset& data) {
  const retort::data::Normalization normalization = data.normalization();
  return "pixels / 255, minus " + retort::to_text(normalization.mean) + ", divided by " +
         retort::to_text(normalization.standard_deviation);
}

}  // namespace examples

// SPDX-License-Identifier: MIT
#include "common/data.hpp"

#include <numeric>
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

std::pair<retort::data::Dataset, retort::data::Dataset> synthetic() {
  return retort::data::random_split(retort::data::synthetic_digits(70'000, retort::Seed{0}), 6.0 / 7.0,
                                    retort::Seed{0});
}

/// How the training images are split in two where the test images are left alone.
struct RandomSplit {
  double fraction;
  retort::Seed seed;
};

RandomSplit random_split_of(const std::string& split, std::uint64_t seed) {
  if (split == "random") {
    return {0.8, retort::Seed{seed}};
  }
  // "validation": the same images for every seed, so that a teacher trained once has never seen them.
  return {5.0 / 6.0, retort::Seed{0}};
}

}  // namespace

std::pair<retort::data::Dataset, retort::data::Dataset> load_data(const std::filesystem::path& folder,
                                                                  const std::string& split, std::uint64_t seed) {
  if (split == "official") {
    return folder == "synthetic" ? synthetic() : load_official(folder);
  }
  // The test images may be missing, or have no labels, as in Kaggle's folders.
  const auto [fraction, split_seed] = random_split_of(split, seed);
  return retort::data::random_split(load_training_images(folder), fraction, split_seed);
}

retort::data::Dataset load_training_images(const std::filesystem::path& folder) {
  return folder == "synthetic" ? synthetic().first : retort::data::load_mnist_train(folder);
}

retort::data::Dataset load_test_images(const std::filesystem::path& folder) {
  return load_data(folder, "official", 0).second;
}

std::vector<std::uint32_t> training_rows(std::size_t images, const std::string& split, std::uint64_t seed) {
  if (split == "official") {
    std::vector<std::uint32_t> rows(images);
    std::iota(rows.begin(), rows.end(), 0u);
    return rows;
  }
  const auto [fraction, split_seed] = random_split_of(split, seed);
  return retort::data::random_split_indices(images, fraction, split_seed).first;
}

std::pair<retort::data::Dataset, retort::data::Dataset> split_off(std::size_t count,
                                                                  const retort::data::Dataset& images) {
  const double share = (static_cast<double>(count) + 0.5) / static_cast<double>(images.size());
  return retort::data::stratified_split(images, share, retort::Seed{0});
}

std::string describe_input(const retort::data::Dataset& data) {
  const retort::data::Normalization normalization = data.normalization();
  return "pixels / 255, minus " + retort::to_text(normalization.mean) + ", divided by " +
         retort::to_text(normalization.standard_deviation);
}

}  // namespace examples

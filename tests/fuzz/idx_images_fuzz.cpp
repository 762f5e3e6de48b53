// SPDX-License-Identifier: MIT
/// Pairs of IDX files, images and labels: what loads, saves and loads equal.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/mnist.hpp"

namespace {

retort::data::Dataset load(const std::filesystem::path& images, const std::filesystem::path& labels) {
  return retort::data::load_idx_images(images, labels, {.size_limit = retort::fuzz::size_limit});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using retort::data::Dataset;
  const auto [first, second] = retort::fuzz::split(retort::fuzz::text_of(data, size));
  const std::filesystem::path images = retort::fuzz::input_file("images", first);
  const std::filesystem::path labels = retort::fuzz::input_file("labels", second);
  const std::optional<Dataset> dataset = retort::fuzz::accepted([&] { return load(images, labels); });
  if (dataset && dataset->features().index() == 0) {
    retort::data::save_idx_images(*dataset, images, labels);
    const Dataset again = load(images, labels);
    retort::fuzz::require(again.features() == dataset->features() && again.labels() == dataset->labels() &&
                              again.image() == dataset->image(),
                          "images save and load equal");
  }
  return 0;
}

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  using namespace std::string_literals;
  const std::string images = "\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02\xFF\0\x80\x01"s;
  return {
      {"two_images", joined(images, "\0\0\x08\x01\0\0\0\x02\x09\0"s)},
      {"label_beyond_the_classes", joined(images, "\0\0\x08\x01\0\0\0\x02\x0A\0"s)},
      {"a_label_too_few", joined(images, "\0\0\x08\x01\0\0\0\x01\x09"s)},
      {"int32_labels", joined(images, "\0\0\x0C\x02\0\0\0\x02\0\0\0\x01\0\0\0\x05\0\0\0\x06"s)},
      {"no_labels", joined(images, "")},
  };
}

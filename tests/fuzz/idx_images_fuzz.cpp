// SPDX-License-Identifier: MIT
/// Pairs of IDX files, images and labels, under options that the first byte chooses: what loads, saves and loads equal,
/// and as a split of EMNIST it is the same images on their side.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/emnist.hpp"
#include "retort/data/mnist.hpp"
#include "retort/data/mnist_options.hpp"

namespace {

using retort::data::Dataset;
using retort::data::MnistOptions;
using retort::fuzz::accepted;
using retort::fuzz::input_file;
using retort::fuzz::require;

bool are_equal(const Dataset& left, const Dataset& right) {
  return left.features() == right.features() && left.labels() == right.labels() && left.image() == right.image();
}

void check(const std::filesystem::path& images, const std::filesystem::path& labels, const MnistOptions& options) {
  const std::optional<Dataset> dataset =
      accepted([&] { return retort::data::load_idx_images(images, labels, options); });
  if (dataset) {
    retort::data::save_idx_images(*dataset, images, labels);
    require(are_equal(retort::data::load_idx_images(images, labels), *dataset), "images save and load equal");
  }
}

void check_emnist(std::string_view images, std::string_view labels, bool letters) {
  const std::string_view split = letters ? "letters" : "mnist";
  std::filesystem::path images_path;
  std::filesystem::path labels_path;
  for (const std::string_view part : {"test", "train"}) {
    const std::string stem = retort::concatenate({"emnist-", split, "-", part});
    images_path = input_file(stem + "-images-idx3-ubyte", images);
    labels_path = input_file(stem + "-labels-idx1-ubyte", labels);
  }
  const auto both = accepted([&] {
    return retort::data::load_emnist(images_path.parent_path(),
                                     letters ? retort::data::EmnistSplit::letters : retort::data::EmnistSplit::mnist,
                                     {.size_limit = retort::fuzz::size_limit});
  });
  const std::optional<Dataset> alone = accepted([&] {
    return retort::data::load_idx_images(images_path, labels_path,
                                         {.classes = letters ? 26u : 10u,
                                          .first_label = letters ? 1u : 0u,
                                          .transposed = true,
                                          .size_limit = retort::fuzz::size_limit});
  });
  require(both.has_value() == alone.has_value(), "EMNIST's files load where a pair of them does");
  if (both) {
    require(are_equal(both->first, *alone) && are_equal(both->second, *alone), "EMNIST's images are transposed");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto [images, labels] = retort::fuzz::split(retort::fuzz::text_of(data + 1, size - 1));
  const unsigned choice = data[0];
  const auto has = [&](unsigned bit) { return (choice >> bit & 1u) != 0; };
  if (has(2)) {
    check_emnist(images, labels, has(1));
  } else {
    check(input_file("images", images), input_file("labels", labels),
          {.first_label = has(1) ? 1u : 0u, .transposed = has(0), .size_limit = retort::fuzz::size_limit});
  }
  return 0;
}

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  using namespace std::string_literals;
  const std::string images = "\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02\xFF\0\x80\x01"s;
  const std::string labels = "\0\0\x08\x01\0\0\0\x02\x09\x01"s;
  const std::string plain(1, '\0');  // the options' defaults
  return {
      {"two_images", plain + joined(images, labels)},
      {"transposed", "\x01" + joined(images, labels)},
      {"labels_from_1", "\x02" + joined(images, labels)},
      {"emnist", "\x04" + joined(images, labels)},
      {"emnist_letters", "\x06" + joined(images, labels)},
      {"label_beyond_the_classes", plain + joined(images, "\0\0\x08\x01\0\0\0\x02\x0A\0"s)},
      {"label_below_the_first", "\x02" + joined(images, "\0\0\x08\x01\0\0\0\x02\x09\0"s)},
      {"a_label_too_few", plain + joined(images, "\0\0\x08\x01\0\0\0\x01\x09"s)},
      {"int8_labels", plain + joined(images, "\0\0\x09\x01\0\0\0\x02\x07\xFF"s)},
      {"int16_labels", plain + joined(images, "\0\0\x0B\x01\0\0\0\x02\0\x07\xFF\xFE"s)},
      {"int32_labels", plain + joined(images, "\0\0\x0C\x02\0\0\0\x02\0\0\0\x01\0\0\0\x05\0\0\0\x06"s)},
      {"no_labels", plain + joined(images, "")},
  };
}

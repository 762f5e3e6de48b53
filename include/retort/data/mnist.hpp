// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// MNIST, and every dataset that comes as pairs of IDX files: Fashion-MNIST, KMNIST, EMNIST, QMNIST, one's own.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/gzip.hpp"
#include "retort/data/idx.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/message.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

struct MnistOptions {
  std::uint32_t classes = 10;
  Normalization normalization{.mean = 0.5, .standard_deviation = 0.5};
  std::uint64_t size_limit = default_size_limit;  // bytes of one decompressed file
};

/// The images (count, rows, columns) of one IDX file with the labels (count) of another. Throws FileError, FormatError
/// naming the file at fault (counts that differ, a label that is not below options.classes), OptionError.
[[gnu::cold]] inline Dataset load_idx_images(const std::filesystem::path& images_path,
                                             const std::filesystem::path& labels_path,
                                             const MnistOptions& options = {}) {
  IdxArray<3> images = read_idx<3>(images_path, options.size_limit);  // (count, rows, columns)
  const std::vector<std::uint8_t> labels = read_idx<1>(labels_path, options.size_limit).elements;  // (count)
  const auto [count, rows, columns] = images.extents;
  if (labels.size() != count) {
    throw FormatError(labels_path, concatenate({"number of labels: ", labels.size(), ", expected ", count, " as in ",
                                                images_path.filename().string()}));
  }
  const auto wrong =
      std::find_if(labels.begin(), labels.end(), [&](std::uint8_t label) { return label >= options.classes; });
  if (wrong != labels.end()) {
    throw FormatError(labels_path, concatenate({"label of sample ", wrong - labels.begin(), ": ", *wrong,
                                                ", expected less than ", options.classes}));
  }
  Matrix<std::uint8_t> features(count, rows * columns, std::move(images.elements));
  Labels classes(labels.begin(), labels.end());
  return {std::move(features), std::move(classes), options.classes, ImageShape{rows, columns}, options.normalization};
}

namespace detail {

// The published names have a hyphen before "idx"; some archives unpack with a dot.
[[gnu::cold]] inline std::filesystem::path find_idx(const std::filesystem::path& folder, std::string_view subject,
                                                    std::string_view kind) {
  std::string looked_for;
  for (const char separator : {'-', '.'}) {
    for (const std::string_view suffix : {"", ".gz"}) {
      const std::string name = concatenate({subject, separator, kind, suffix});
      std::error_code unreadable;
      if (std::filesystem::exists(folder / name, unreadable)) {
        return folder / name;
      }
      looked_for += concatenate({looked_for.empty() ? "" : ", ", name});
    }
  }
  throw FileError(folder, concatenate({"has none of ", looked_for}));
}

}  // namespace detail

/// {train, test} from a folder that holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
/// t10k-labels-idx1-ubyte, each plain or with .gz, also spelled with a dot before "idx". Any count and image extents,
/// the same extents in both parts. Throws as `load_idx_images`, and FileError naming the folder and the names looked
/// for.
[[gnu::cold]] inline std::pair<Dataset, Dataset> load_mnist(const std::filesystem::path& folder,
                                                            const MnistOptions& options = {}) {
  std::error_code unreadable;
  if (!std::filesystem::is_directory(folder, unreadable)) {
    throw FileError(folder,
                    "no such folder, expected one with train-images-idx3-ubyte, train-labels-idx1-ubyte, "
                    "t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or .gz");
  }
  const std::filesystem::path train_images = detail::find_idx(folder, "train-images", "idx3-ubyte");
  const std::filesystem::path train_labels = detail::find_idx(folder, "train-labels", "idx1-ubyte");
  const std::filesystem::path test_images = detail::find_idx(folder, "t10k-images", "idx3-ubyte");
  const std::filesystem::path test_labels = detail::find_idx(folder, "t10k-labels", "idx1-ubyte");
  Dataset train = load_idx_images(train_images, train_labels, options);
  Dataset test = load_idx_images(test_images, test_labels, options);
  if (train.image() != test.image()) {
    const auto text = [](ImageShape image) { return detail::extents_text(std::array{image.rows, image.columns}); };
    throw FormatError(test_images, concatenate({"image extents: ", text(test.image()), ", expected ",
                                                text(train.image()), " as in ", train_images.filename().string()}));
  }
  return {std::move(train), std::move(test)};
}

/// Writes a dataset of byte images as a pair of IDX files that `load_idx_images` reads. Throws ShapeError when the
/// samples are no byte images or a label exceeds 255; FileError.
inline void save_idx_images(const Dataset& dataset, const std::filesystem::path& images_path,
                            const std::filesystem::path& labels_path) {
  const auto* bytes = std::get_if<Matrix<std::uint8_t>>(&dataset.features());
  if (bytes == nullptr || dataset.image() == ImageShape{}) {
    throw ShapeError("save_idx_images: the samples are no byte images");
  }
  std::vector<std::uint8_t> labels;
  labels.reserve(dataset.size());
  for (const std::uint32_t label : dataset.labels()) {
    if (label > 255) {
      throw ShapeError(concatenate({"save_idx_images: label ", label, ", expected at most 255"}));
    }
    labels.push_back(static_cast<std::uint8_t>(label));
  }
  write_idx(images_path, std::array{dataset.size(), dataset.image().rows, dataset.image().columns}, bytes->values());
  write_idx(labels_path, std::array{dataset.size()}, labels);
}

/// Writes the four files of `load_mnist`, uncompressed, into an existing folder.
inline void save_mnist(const Dataset& train, const Dataset& test, const std::filesystem::path& folder) {
  save_idx_images(train, folder / "train-images-idx3-ubyte", folder / "train-labels-idx1-ubyte");
  save_idx_images(test, folder / "t10k-images-idx3-ubyte", folder / "t10k-labels-idx1-ubyte");
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data

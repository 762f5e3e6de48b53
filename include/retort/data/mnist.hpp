// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// MNIST, and every dataset in its form, pairs of IDX files or tables of pixels: Fashion-MNIST, KMNIST, QMNIST, one's
/// own. EMNIST is in data/emnist.hpp.

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
#include "retort/core/out_of_memory.hpp"
#include "retort/core/text.hpp"
#include "retort/data/csv_images.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/idx.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/message.hpp"
#include "retort/data/mnist_options.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// The images (count, rows, columns) of one IDX file with the labels of another: (count), or the first column of
/// (count, fields), as in QMNIST. Throws FileError, FormatError naming the file at fault (counts that differ, a label
/// that is below options.first_label or not below it + options.classes), OptionError. Memory: both files, four bytes a
/// label, and the images again if they are transposed.
[[gnu::cold]] inline Dataset load_idx_images(const std::filesystem::path& images_path,
                                             const std::filesystem::path& labels_path,
                                             const MnistOptions& options = {}) {
  IdxArray<3> images = read_idx<3>(images_path, options.size_limit, options.expansion_limit);  // (count, rows, columns)
  const detail::IdxLabels labels(labels_path, options.size_limit, options.expansion_limit);
  auto [count, rows, columns] = images.extents;
  if (labels.size() != count) {
    throw FormatError(labels_path, concatenate({"number of labels: ", labels.size(), ", expected ", count, " as in ",
                                                path_text(images_path.filename())}));
  }
  Labels classes;
  allocate_for(labels_path.native(), count * sizeof(classes.front()), [&] { classes.resize(count); });
  const std::int64_t first = options.first_label;
  const std::int64_t end = first + std::int64_t{options.classes};
  for (std::size_t sample = 0; sample < count; ++sample) {
    const std::int64_t label = labels[sample];
    if (label < first || label >= end) {
      throw FormatError(labels_path, concatenate({"label of sample ", sample, ": ", label,
                                                  label < first ? ", expected at least " : ", expected less than ",
                                                  label < first ? first : end}));
    }
    classes[sample] = static_cast<std::uint32_t>(label - first);
  }
  if (options.transposed) {
    images.elements = detail::transposed_images(images.elements, rows, columns);
    std::swap(rows, columns);
  }
  Matrix<std::uint8_t> features(count, rows * columns, std::move(images.elements));
  return {std::move(features), std::move(classes), options.classes, ImageShape{rows, columns}, options.normalization};
}

namespace detail {

/// A part of a dataset on disk: a pair of IDX files, or one table.
struct ImageFiles {
  std::filesystem::path images{};  // empty where there is none
  std::filesystem::path labels{};  // empty for a table
};

// The published names have a hyphen before "idx"; some archives unpack to a dot there, or to a folder of the file's
// name.
[[gnu::cold]] inline std::filesystem::path find_idx(const std::filesystem::path& folder, std::string_view subject,
                                                    std::string_view kind) {
  std::error_code unreadable;
  const auto find = [&](const std::filesystem::path& within) {
    for (const char separator : {'-', '.'}) {
      for (const std::string_view suffix : {"", ".gz"}) {
        std::filesystem::path candidate = within / concatenate({subject, separator, kind, suffix});
        if (std::filesystem::exists(candidate, unreadable) && !std::filesystem::is_directory(candidate, unreadable)) {
          return candidate;
        }
      }
    }
    return std::filesystem::path();
  };
  std::filesystem::path found = find(folder);
  for (const char separator : {'-', '.'}) {
    if (found.empty()) {
      found = find(folder / concatenate({subject, separator, kind}));
    }
  }
  return found;
}

// The pair of IDX files with that stem, if its images are there. Throws FileError if the labels are missing.
[[gnu::cold]] inline ImageFiles find_idx_pair(const std::filesystem::path& folder, std::string_view stem) {
  ImageFiles files{.images = find_idx(folder, concatenate({stem, "-images"}), "idx3-ubyte")};
  if (files.images.empty()) {
    return files;
  }
  const std::string subject = concatenate({stem, "-labels"});
  for (const std::string_view kind : {"idx1-ubyte", "idx2-int"}) {
    if (files.labels.empty()) {
      files.labels = find_idx(folder, subject, kind);
    }
  }
  if (files.labels.empty()) {
    throw FileError(folder,
                    concatenate({"has ", files.images.filename().string(), ", but none of ", subject, "-idx1-ubyte, ",
                                 subject, "-idx1-ubyte.gz, ", subject, ".idx1-ubyte, ", subject, "-idx2-int"}));
  }
  return files;
}

// The table with that stem, if it is there.
[[gnu::cold]] inline ImageFiles find_table(const std::filesystem::path& folder, std::string_view stem) {
  std::error_code unreadable;
  for (const std::string_view suffix : {".csv", ".csv.gz"}) {
    std::filesystem::path path = folder / concatenate({stem, suffix});
    if (std::filesystem::exists(path, unreadable)) {
      return {.images = std::move(path)};
    }
  }
  return {};
}

// The stems of the parts of one dataset's files: IDX, or tables. EMNIST's stems are not among them: its files have each
// image column by column.
struct MnistStems {
  bool table = false;
  std::string_view train{};
  std::string_view test{};
};
inline constexpr MnistStems mnist_stems[] = {{false, "train", "t10k"},
                                             {false, "train", "test"},
                                             {false, "qmnist-train", "qmnist-test"},
                                             {true, "train", "test"},
                                             {true, "mnist_train", "mnist_test"},
                                             {true, "fashion-mnist_train", "fashion-mnist_test"}};

[[gnu::cold]] inline ImageFiles find_part(const std::filesystem::path& folder, bool table, std::string_view stem) {
  return table ? find_table(folder, stem) : find_idx_pair(folder, stem);
}

// The names that find_part looks for.
[[gnu::cold]] inline std::string part_names(bool table, std::string_view stem) {
  return table ? concatenate({stem, ".csv, ", stem, ".csv.gz"})
               : concatenate({stem, "-images-idx3-ubyte, ", stem, "-images-idx3-ubyte.gz, ", stem,
                              "-images.idx3-ubyte, ", stem, "-images.idx3-ubyte.gz"});
}

struct MnistTrainFiles {
  ImageFiles files;
  MnistStems stems;
};

[[gnu::cold]] inline MnistTrainFiles find_mnist_train(const std::filesystem::path& folder) {
  std::error_code unreadable;
  if (!std::filesystem::is_directory(folder, unreadable)) {
    throw FileError(folder,
                    "no such folder, expected one with train-images-idx3-ubyte, train-labels-idx1-ubyte, "
                    "t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or .gz, or with train.csv and test.csv");
  }
  for (const MnistStems& stems : mnist_stems) {
    ImageFiles files = find_part(folder, stems.table, stems.train);
    if (!files.images.empty()) {
      return {std::move(files), stems};
    }
  }
  throw FileError(folder, concatenate({"has none of ", part_names(false, "train"), ", train.csv, mnist_train.csv"}));
}

// The test files next to these training files, from the same dataset.
[[gnu::cold]] inline ImageFiles find_mnist_test(const std::filesystem::path& folder, const MnistTrainFiles& train) {
  std::string names;
  for (const MnistStems& stems : mnist_stems) {
    if (stems.table == train.stems.table && stems.train == train.stems.train) {
      ImageFiles files = find_part(folder, stems.table, stems.test);
      if (!files.images.empty()) {
        return files;
      }
      names += concatenate({names.empty() ? "" : ", ", part_names(stems.table, stems.test)});
    }
  }
  throw FileError(folder, concatenate({"has ", path_text(train.files.images.filename()), ", but none of ", names}));
}

[[gnu::cold]] inline Dataset load_images(const ImageFiles& files, const MnistOptions& options) {
  return files.labels.empty() ? load_csv_images(files.images, options)
                              : load_idx_images(files.images, files.labels, options);
}

}  // namespace detail

/// {train, test} from a folder with
/// - train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each plain or
///   with .gz, also spelled with a dot before "idx", or in a folder of its own name, as Kaggle's copy has them;
/// - QMNIST's files, qmnist-train-images-idx3-ubyte, qmnist-train-labels-idx2-int and so on;
/// - Kaggle's tables train.csv and test.csv, mnist_train.csv and mnist_test.csv, fashion-mnist_train.csv and so on,
///   which load_csv_images reads.
/// If there are several, it takes the first of these, and the test part of the same dataset or none. Any count and
/// image extents, the same extents in both parts. Throws like `load_idx_images` and `load_csv_images`, and FileError
/// naming the folder and the names looked for.
[[gnu::cold]] inline std::pair<Dataset, Dataset> load_mnist(const std::filesystem::path& folder,
                                                            const MnistOptions& options = {}) {
  const detail::MnistTrainFiles train_files = detail::find_mnist_train(folder);
  const detail::ImageFiles test_files = detail::find_mnist_test(folder, train_files);
  Dataset train = detail::load_images(train_files.files, options);
  Dataset test = detail::load_images(test_files, options);
  if (train.image() != test.image()) {
    throw FormatError(test_files.images, concatenate({"image extents: ", detail::image_text(test.image()),
                                                      ", expected ", detail::image_text(train.image()), " as in ",
                                                      path_text(train_files.files.images.filename())}));
  }
  return {std::move(train), std::move(test)};
}

/// The training part alone, from a folder whose test part is missing or has no labels, like that of Kaggle's Digit
/// Recognizer. Throws like `load_mnist`.
[[gnu::cold]] inline Dataset load_mnist_train(const std::filesystem::path& folder, const MnistOptions& options = {}) {
  return detail::load_images(detail::find_mnist_train(folder).files, options);
}

/// Writes a dataset of byte images as a pair of IDX files that `load_idx_images` reads. Throws ShapeError if the
/// samples are no byte images of one channel or a label exceeds 255; Error for a dataset that was moved from;
/// FileError.
inline void save_idx_images(const Dataset& dataset, const std::filesystem::path& images_path,
                            const std::filesystem::path& labels_path) {
  dataset.require_samples();
  const auto* bytes = std::get_if<Matrix<std::uint8_t>>(&dataset.features());
  if (bytes == nullptr || dataset.image() == ImageShape{} || dataset.image().channels != 1) {
    throw ShapeError("save_idx_images: the samples are no byte images of one channel");
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

/// Writes the four files that `load_mnist` reads, uncompressed, into an existing folder.
inline void save_mnist(const Dataset& train, const Dataset& test, const std::filesystem::path& folder) {
  save_idx_images(train, folder / "train-images-idx3-ubyte", folder / "train-labels-idx1-ubyte");
  save_idx_images(test, folder / "t10k-images-idx3-ubyte", folder / "t10k-labels-idx1-ubyte");
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data

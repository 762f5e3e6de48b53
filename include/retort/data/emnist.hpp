// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// EMNIST: handwritten letters and digits (Cohen, Afshar, Tapson and van Schaik, "EMNIST: an extension of MNIST to
/// handwritten letters", arXiv:1702.05373).

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/csv_images.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/mnist.hpp"
#include "retort/data/mnist_options.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// EMNIST's six splits, with their classes.
enum class EmnistSplit {
  balanced,  // 47: digits, capitals, and small letters that do not look like their capitals; equally many of each
  byclass,   // 62: digits, capitals, small letters
  bymerge,   // the 47 of balanced, in their natural numbers
  digits,    // 10
  letters,   // 26, small and capital together
  mnist,     // 10
};

namespace detail {

struct EmnistSplitFacts {
  std::string_view name;     // part of the files' names
  std::string_view classes;  // a character each
  std::uint32_t first_label = 0;
};

inline constexpr std::string_view emnist_merged = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt";

// In the order of EmnistSplit.
inline constexpr EmnistSplitFacts emnist_splits[] = {
    {"balanced", emnist_merged},
    {"byclass", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"},
    {"bymerge", emnist_merged},
    {"digits", "0123456789"},
    {"letters", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1},
    {"mnist", "0123456789"},
};

[[gnu::cold]] inline Dataset load_emnist_part(const std::filesystem::path& folder, const EmnistSplitFacts& split,
                                              std::string_view part, const MnistOptions& options) {
  const std::string stem = concatenate({"emnist-", split.name, "-", part});
  std::vector<std::string> names;
  for (const char letter : split.classes) {
    names.emplace_back(1, letter);
  }
  // Where the archives put the files.
  for (const std::string_view within : {"", "gzip", "emnist_source_files"}) {
    const std::filesystem::path place = within.empty() ? folder : folder / within;
    ImageFiles files = find_idx_pair(place, stem);
    if (files.images.empty()) {
      files = find_table(place, stem);
    }
    if (!files.images.empty()) {
      return load_images(files, options).with_class_names(std::move(names));
    }
  }
  throw FileError(folder, concatenate({"has none of ", stem, "-images-idx3-ubyte, ", stem, "-images-idx3-ubyte.gz, ",
                                       stem, ".csv, nor have its folders gzip and emnist_source_files"}));
}

}  // namespace detail

/// {train, test} of one of the splits, from a folder that holds emnist-SPLIT-train-images-idx3-ubyte,
/// emnist-SPLIT-train-labels-idx1-ubyte, emnist-SPLIT-test-images-idx3-ubyte and emnist-SPLIT-test-labels-idx1-ubyte,
/// plain or with .gz, or the tables emnist-SPLIT-train.csv and emnist-SPLIT-test.csv; its folder gzip or
/// emnist_source_files may hold them instead. The files hold each image column by column; here they stand upright, as
/// in MNIST. The letters' labels, from 1 to 26 in the files, become 0 to 25. Classes are named by their characters. The
/// split sets the classes, first_label and transposed of `options`. Throws like `load_idx_images` and
/// `load_csv_images`, and FileError naming the folder and the names looked for.
[[gnu::cold]] inline std::pair<Dataset, Dataset> load_emnist(const std::filesystem::path& folder, EmnistSplit split,
                                                             const MnistOptions& options = {}) {
  const detail::EmnistSplitFacts& facts = detail::emnist_splits[static_cast<std::size_t>(split)];
  MnistOptions own = options;
  own.classes = static_cast<std::uint32_t>(facts.classes.size());
  own.first_label = facts.first_label;
  own.transposed = true;
  Dataset train = detail::load_emnist_part(folder, facts, "train", own);
  Dataset test = detail::load_emnist_part(folder, facts, "test", own);
  return {std::move(train), std::move(test)};
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the programs on MNIST learn from.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "retort/data/dataset.hpp"

namespace examples {

/// The training samples and those that results are reported on. `folder` is one that retort::data::load_mnist reads (or
/// load_mnist_train, where the split takes no test images), or "synthetic" for the built-in digits; `split` is random
/// (80/20 of the training images, by the seed), official, or validation (50,000/10,000 of the training images, the same
/// for every seed). Throws retort::FileError and retort::FormatError.
std::pair<retort::data::Dataset, retort::data::Dataset> load_data(const std::filesystem::path& folder,
                                                                  const std::string& split, std::uint64_t seed);

/// All training samples of the folder, in their files' order. Throws as load_data does.
retort::data::Dataset load_training_images(const std::filesystem::path& folder);

/// The folder's test samples. Throws as load_data does for the official split.
retort::data::Dataset load_test_images(const std::filesystem::path& folder);

/// Which of them load_data's training samples are, where there are so many.
std::vector<std::uint32_t> training_rows(std::size_t images, const std::string& split, std::uint64_t seed);

/// `count` of the images, with each class's share of them, always the same ones; and the rest. Precondition: there are
/// more.
std::pair<retort::data::Dataset, retort::data::Dataset> split_off(std::size_t count,
                                                                  const retort::data::Dataset& images);

/// How pixels become inputs, in words: for the files of networks trained on them.
std::string describe_input(const retort::data::Dataset& data);

}  // namespace examples

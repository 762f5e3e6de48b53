// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A labelled dataset in memory.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/fingerprint.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/message.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// One row a sample, (size, features): bytes as an image file holds them, or real numbers.
using Features = std::variant<Matrix<std::uint8_t>, Matrix<float>>;

/// One class a sample, (size).
using Labels = std::vector<std::uint32_t>;

/// Samples and their labels, checked once when the dataset is made and constant from then on: at least one sample and
/// one feature, as many labels as samples, each label below `classes()`, no NaN and no infinity, image extents whose
/// product is the number of features. Features stay raw; the batch gather normalises them.
class Dataset {
 private:
  /// What std::visit does, which takes a compiler longer.
  template <typename Function>
  auto visit(const Function& function) const {
    const auto* bytes = std::get_if<Matrix<std::uint8_t>>(&features_);
    return bytes != nullptr ? function(*bytes) : function(*std::get_if<Matrix<float>>(&features_));
  }

 public:
  /// Throws ShapeError for counts, extents, labels and features that break these rules, OptionError for `classes` 0
  /// or a normalization outside its range. `image` is 0 x 0 where the features are no image.
  Dataset(Features features, Labels labels, std::uint32_t classes, ImageShape image = {},
          Normalization normalization = {})
      : features_(std::move(features)),
        labels_(std::move(labels)),
        classes_(classes),
        image_(image),
        normalization_(normalization) {
    validate_shapes();
    validate_labels();
    validate_numbers();
    validate_normalization();
  }

  std::size_t size() const { return labels_.size(); }
  std::size_t feature_count() const {
    return visit([](const auto& values) { return values.columns(); });
  }
  const Features& features() const { return features_; }
  const Labels& labels() const { return labels_; }
  std::uint32_t classes() const { return classes_; }
  ImageShape image() const { return image_; }
  Normalization normalization() const { return normalization_; }

  /// The same samples under another normalization. Throws OptionError.
  Dataset with_normalization(Normalization normalization) const& {
    return Dataset(*this).with_normalization(normalization);
  }
  Dataset with_normalization(Normalization normalization) && {
    normalization_ = normalization;
    validate_normalization();
    return std::move(*this);
  }

  /// The samples at `indices`, in that order; an index may come twice. Throws ShapeError for an index that is not below
  /// size(), or for none.
  [[gnu::cold]] Dataset subset(std::span<const std::uint32_t> indices) const {
    const auto outside =
        std::find_if(indices.begin(), indices.end(), [this](std::uint32_t index) { return index >= size(); });
    if (outside != indices.end()) {
      throw ShapeError(concatenate({"subset: index ", *outside, ", expected less than ", size()}));
    }
    Features features = visit([&]<typename Values>(const Values& values) -> Features {
      Values rows(indices.size(), values.columns());
      for (std::size_t row = 0; row < indices.size(); ++row) {
        std::copy_n(values.row(indices[row]).data(), values.columns(), rows.row(row).data());
      }
      return rows;
    });
    Labels labels(indices.size());
    for (std::size_t row = 0; row < indices.size(); ++row) {
      labels[row] = labels_[indices[row]];
    }
    return {std::move(features), std::move(labels), classes_, image_, normalization_};
  }

  /// Plain pointers into this dataset, valid while it lives and is neither moved from nor assigned to.
  DatasetView view() const& {
    DatasetView result;
    if (const auto* bytes = std::get_if<Matrix<std::uint8_t>>(&features_)) {
      result.bytes = bytes->data();
    } else {
      result.reals = std::get<Matrix<float>>(features_).data();
    }
    result.labels = labels_.data();
    result.size = size();
    result.features = feature_count();
    result.image = image_;
    result.normalization = normalization_;
    return result;
  }
  DatasetView view() const&& = delete;  // its pointers would outlive the samples

  /// Equal for equal samples, labels, classes, extents and normalization; so a file made from this dataset (a table of
  /// logits, a checkpoint) can tell whether it meets the same one again. The same number on every little-endian
  /// machine.
  std::uint64_t fingerprint() const {
    Fingerprint print;
    for (const std::uint64_t number :
         {std::uint64_t{features_.index()}, std::uint64_t{size()}, std::uint64_t{feature_count()},
          std::uint64_t{classes_}, std::uint64_t{image_.rows}, std::uint64_t{image_.columns},
          std::bit_cast<std::uint64_t>(normalization_.mean),
          std::bit_cast<std::uint64_t>(normalization_.standard_deviation)}) {
      print.add(std::span{&number, 1});
    }
    visit([&](const auto& values) { print.add(values.values()); });
    return print.add(std::span{labels_}).value();
  }

 private:
  [[gnu::cold]] void validate_shapes() const {
    const std::size_t rows = visit([](const auto& values) { return values.rows(); });  // samples
    const std::size_t columns = feature_count();
    if (rows == 0 || columns == 0) {
      throw ShapeError(
          concatenate({"dataset: features of ", detail::extents_text(std::initializer_list<std::size_t>{rows, columns}),
                       ", expected at least one sample and one feature"}));
    }
    if (rows > std::numeric_limits<std::uint32_t>::max()) {
      throw ShapeError(concatenate({"dataset: ", rows, " samples, expected less than 2^32"}));
    }
    if (rows != size()) {
      throw ShapeError(
          concatenate({"dataset: the number of labels is ", size(), ", expected ", rows, ", one for each sample"}));
    }
    const bool is_image = image_ != ImageShape{};
    // Divided, not multiplied: the product of two hostile extents may wrap around to the right number.
    if (is_image && (image_.rows == 0 || columns % image_.rows != 0 || columns / image_.rows != image_.columns)) {
      throw ShapeError(concatenate(
          {"dataset: images of ", detail::extents_text(std::initializer_list<std::size_t>{image_.rows, image_.columns}),
           " for ", columns, " features, expected extents with that product"}));
    }
  }

  [[gnu::cold]] void validate_labels() const {
    if (classes_ == 0) {
      throw OptionError("classes: 0, expected at least 1");
    }
    const auto wrong =
        std::find_if(labels_.begin(), labels_.end(), [this](std::uint32_t label) { return label >= classes_; });
    if (wrong != labels_.end()) {
      throw ShapeError(concatenate({"dataset: label ", *wrong, " of sample ", wrong - labels_.begin(),
                                    ", expected less than ", classes_, ", the number of classes"}));
    }
  }

  [[gnu::cold]] void validate_numbers() const {
    if (const auto* reals = std::get_if<Matrix<float>>(&features_)) {
      const std::span<const float> values = reals->values();
      const auto wrong = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
      if (wrong != values.end()) {
        const auto position = static_cast<std::size_t>(wrong - values.begin());
        throw ShapeError(concatenate({"dataset: feature ", position % feature_count(), " of sample ",
                                      position / feature_count(), " is ", *wrong, ", expected a finite number"}));
      }
    }
  }

  // The gather computes x * scale + offset in the network's type, so both must be finite in float.
  [[gnu::cold]] void validate_normalization() const {
    const auto [mean, deviation] = normalization_;
    const auto is_float = [](double value) {
      return std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max());
    };
    if (!is_float(mean)) {
      throw OptionError(concatenate({"normalization: mean ", mean, ", expected a finite number"}));
    }
    if (!(deviation > 0) || !is_float(deviation) || !is_float(1 / deviation) || !is_float(mean / deviation)) {
      throw OptionError(concatenate({"normalization: standard deviation ", deviation,
                                     ", expected a finite number above 0 by which float can divide the mean"}));
    }
  }

  Features features_;
  Labels labels_;
  std::uint32_t classes_;
  ImageShape image_;
  Normalization normalization_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A dataset in memory: samples, and labels for all of them, for some or for none; or targets in place of labels.

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
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"
#include "retort/core/utf8.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/message.hpp"
#include "retort/data/standardization.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// One row a sample, (size, features): bytes as an image file holds them, or real numbers.
using Features = std::variant<Matrix<std::uint8_t>, Matrix<float>>;

/// One class a sample, or `unlabelled`, (size).
using Labels = std::vector<std::uint32_t>;

/// Samples and their labels, checked once when the dataset is made and constant from then on: at least one sample and
/// one feature, as many labels as samples, each label below `classes()` or `unlabelled`, no NaN and no infinity, image
/// extents whose product is the number of features. For losses of targets (loss/loss.hpp) there are real numbers in
/// place of labels: with_targets. Features stay raw; the batch gather normalises them. A dataset that was moved from
/// has no samples: it can be destroyed and assigned to; every use of its samples throws Error.
class Dataset {
 private:
  /// Does the work of std::visit, which takes longer to compile.
  template <typename Function>
  auto visit(const Function& function) const {
    const auto* bytes = std::get_if<Matrix<std::uint8_t>>(&features_);
    return bytes != nullptr ? function(*bytes) : function(*std::get_if<Matrix<float>>(&features_));
  }

 public:
  /// Throws ShapeError for counts, extents, labels and features that break these rules, OptionError for `classes` 0 or
  /// a normalization outside its range. `image` is 0 x 0 if the features are no image.
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

  /// Samples without labels, as for a teacher to answer. `classes()` is 0: no label says how many there are.
  explicit Dataset(Features features, ImageShape image = {}, Normalization normalization = {})
      : Dataset(with_no_labels(std::move(features), 0, image, normalization)) {}

  std::size_t size() const { return labels_.size(); }
  /// How many samples have a label.
  std::size_t labelled_count() const {
    return size() - static_cast<std::size_t>(std::count(labels_.begin(), labels_.end(), unlabelled));
  }
  std::size_t feature_count() const {
    return visit([](const auto& values) { return values.columns(); });
  }
  const Features& features() const { return features_; }
  const Labels& labels() const { return labels_; }
  /// Each label is below it. 0 if that is not known, where no sample has a label.
  std::uint32_t classes() const { return classes_; }
  /// (size, target_count); 0 x 0 if the samples have none.
  const Matrix<float>& targets() const { return targets_; }
  bool has_targets() const { return targets_.columns() > 0; }
  /// How many targets each sample has.
  std::size_t target_count() const { return targets_.columns(); }
  ImageShape image() const { return image_; }
  Normalization normalization() const { return normalization_; }

  /// A name for each class, in the order of the classes; empty if the classes are their numbers.
  const std::vector<std::string>& class_names() const { return class_names_; }
  /// The standardization that was applied to the features; empty if they are raw.
  const Standardization& standardization() const { return standardization_; }

  /// Throws Error if the dataset was moved from.
  [[gnu::cold]] void require_samples() const {
    if (labels_.empty()) {
      throw Error("dataset: its samples were moved to another dataset, expected one that still has its own");
    }
  }

  /// The same samples with another normalization. Throws OptionError.
  Dataset with_normalization(Normalization normalization) const& {
    return Dataset(*this).with_normalization(normalization);
  }
  Dataset with_normalization(Normalization normalization) && {
    normalization_ = normalization;
    validate_normalization();
    return std::move(*this);
  }

  /// The same samples with a row of targets each, in place of labels, classes and their names: real numbers, or for
  /// yes/no questions 0 and 1. Throws ShapeError unless they are finite, and one row of at least one for each sample.
  Dataset with_targets(Matrix<float> targets) const& { return Dataset(*this).with_targets(std::move(targets)); }
  [[gnu::cold]] Dataset with_targets(Matrix<float> targets) && {
    require_samples();
    if (targets.rows() != size() || targets.columns() == 0) {
      const std::size_t extents[] = {targets.rows(), targets.columns()};
      throw ShapeError(concatenate({"dataset: targets of ", detail::extents_text(extents),
                                    ", expected a row for each of ", size(), " samples, of at least one target"}));
    }
    require_finite(targets, "target");
    targets_ = std::move(targets);
    std::fill(labels_.begin(), labels_.end(), unlabelled);
    classes_ = 0;
    class_names_.clear();
    return std::move(*this);
  }

  /// The same samples without their labels or targets; the number of classes and their names stay.
  Dataset without_labels() const& { return Dataset(*this).without_labels(); }
  Dataset without_labels() && {
    std::fill(labels_.begin(), labels_.end(), unlabelled);
    targets_ = {};
    return std::move(*this);
  }

  /// The same samples with these names for their classes; an empty list takes the names away. Throws OptionError unless
  /// there is one name for each class, in UTF-8, all different and none empty.
  Dataset with_class_names(std::vector<std::string> names) const& {
    return Dataset(*this).with_class_names(std::move(names));
  }
  [[gnu::cold]] Dataset with_class_names(std::vector<std::string> names) && {
    if (!names.empty() && names.size() != classes_) {
      throw OptionError(concatenate({"class_names: ", names.size(), " names, expected ", classes_, ", one a class"}));
    }
    std::vector<std::size_t> order;  // by the names' bytes
    order.reserve(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty()) {
        throw OptionError(concatenate({"class_names: the name of class ", i, " is empty"}));
      }
      if (!internal::is_utf8(names[i])) {
        throw OptionError(
            concatenate({"class_names: the name of class ", i, " is ", in_quotes(names[i]), ", expected UTF-8"}));
      }
      order.push_back(i);
    }
    std::sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
      const int compared = names[left].compare(names[right]);
      return compared != 0 ? compared < 0 : left < right;
    });
    const auto same = std::adjacent_find(
        order.begin(), order.end(), [&](std::size_t left, std::size_t right) { return names[left] == names[right]; });
    if (same != order.end()) {
      throw OptionError(concatenate({"class_names: ", in_quotes(names[same[0]]), " is the name of class ", same[0],
                                     " and of class ", same[1], ", expected different names"}));
    }
    class_names_ = std::move(names);
    return std::move(*this);
  }

  /// The samples at `indices`, in that order; an index may come twice. Throws ShapeError for an index that is not below
  /// size(), or for no index.
  [[gnu::cold]] Dataset subset(std::span<const std::uint32_t> indices) const {
    require_samples();
    const auto outside =
        std::find_if(indices.begin(), indices.end(), [this](std::uint32_t index) { return index >= size(); });
    if (outside != indices.end()) {
      throw ShapeError(concatenate({"subset: index ", *outside, ", expected less than ", size()}));
    }
    const auto rows_of = [&]<typename Values>(const Values& values) {
      Values rows(indices.size(), values.columns());
      for (std::size_t row = 0; row < indices.size(); ++row) {
        std::copy_n(values.row(indices[row]).data(), values.columns(), rows.row(row).data());
      }
      return rows;
    };
    Features features = visit([&](const auto& values) -> Features { return rows_of(values); });
    Labels labels(indices.size());
    for (std::size_t row = 0; row < indices.size(); ++row) {
      labels[row] = labels_[indices[row]];
    }
    Dataset result{std::move(features), std::move(labels), classes_, image_, normalization_};
    result.class_names_ = class_names_;
    result.standardization_ = standardization_;
    if (has_targets()) {
      result.targets_ = rows_of(targets_);
    }
    return result;
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
    result.targets = has_targets() ? targets_.data() : nullptr;
    result.target_count = target_count();
    result.size = size();
    result.features = feature_count();
    result.image = image_;
    result.normalization = normalization_;
    return result;
  }
  DatasetView view() const&& = delete;  // its pointers would outlive the samples

  /// Equal for equal samples, labels, targets, classes, names, extents, normalization and standardization; so a file
  /// made from this dataset (a table of logits, a checkpoint) can recognise it. The same number on every little-endian
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
    if (const std::uint64_t channels = image_.channels; channels != 1) {
      print.add(std::span{&channels, 1});
    }
    visit([&](const auto& values) { print.add(values.values()); });
    for (const std::string& name : class_names_) {
      const std::uint64_t length = name.size();
      print.add(std::span{&length, 1}).add(std::span<const char>{name});
    }
    print.add(std::span<const double>{standardization_.means});
    print.add(std::span<const double>{standardization_.deviations});
    if (const std::uint64_t count = target_count(); count > 0) {
      print.add(std::span{&count, 1}).add(targets_.values());
    }
    return print.add(std::span{labels_}).value();
  }

 private:
  friend struct Standardization;
  friend Dataset join(const Dataset& first, const Dataset& second);

  static Dataset with_no_labels(Features features, std::uint32_t classes, ImageShape image,
                                Normalization normalization) {
    const std::size_t rows = std::holds_alternative<Matrix<float>>(features) ? std::get<Matrix<float>>(features).rows()
                                                                             : std::get<0>(features).rows();
    return {std::move(features), Labels(rows, unlabelled), classes, image, normalization};
  }

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
    if (image_ != ImageShape{} && !image_.has(columns)) {
      throw ShapeError(concatenate({"dataset: images of ", detail::image_text(image_), " for ", columns,
                                    " features, expected extents with that product"}));
    }
  }

  [[gnu::cold]] void validate_labels() const {
    if (classes_ == 0 && labelled_count() > 0) {
      throw OptionError("classes: 0, expected at least 1");
    }
    const auto wrong = std::find_if(labels_.begin(), labels_.end(),
                                    [this](std::uint32_t label) { return label >= classes_ && label != unlabelled; });
    if (wrong != labels_.end()) {
      throw ShapeError(concatenate({"dataset: label ", *wrong, " of sample ", wrong - labels_.begin(),
                                    ", expected less than ", classes_, ", the number of classes"}));
    }
  }

  [[gnu::cold]] void validate_numbers() const {
    if (const auto* reals = std::get_if<Matrix<float>>(&features_)) {
      require_finite(*reals, "feature");
    }
  }

  [[gnu::cold]] static void require_finite(const Matrix<float>& numbers, const char* name) {
    const std::span<const float> values = numbers.values();
    const auto wrong = std::find_if(values.begin(), values.end(), [](const float& value) { return !is_finite(value); });
    if (wrong != values.end()) {
      const auto position = static_cast<std::size_t>(wrong - values.begin());
      throw ShapeError(concatenate({"dataset: ", name, " ", position % numbers.columns(), " of sample ",
                                    position / numbers.columns(), " is ", *wrong, ", expected a finite number"}));
    }
  }

  // The gather computes x * scale + offset in the network's type, so both must be finite in float.
  [[gnu::cold]] void validate_normalization() const {
    const auto [mean, deviation] = normalization_;
    if (!internal::is_finite_float(mean)) {
      throw OptionError(concatenate({"normalization: mean ", mean, ", expected a finite number"}));
    }
    if (!internal::is_finite_float(deviation) || deviation <= 0 || !internal::is_finite_float(1 / deviation) ||
        !internal::is_finite_float(mean / deviation)) {
      throw OptionError(concatenate({"normalization: standard deviation ", deviation,
                                     ", expected a finite number above 0 by which float can divide the mean"}));
    }
  }

  Features features_;
  Labels labels_;
  std::uint32_t classes_;
  ImageShape image_;
  Normalization normalization_;
  std::vector<std::string> class_names_{};
  Standardization standardization_{};
  Matrix<float> targets_{};  // 0 x 0, or a row for each sample
};

namespace detail {

/// Throws OptionError.
[[gnu::cold]] inline void require_not_standardized(const Dataset& dataset) {
  if (!dataset.standardization().empty()) {
    throw OptionError("standardization: the dataset is standardised already, expected raw features");
  }
}

/// Throws OptionError for a dataset with targets. `owner` needs classes.
[[gnu::cold]] inline void require_no_targets(const Dataset& dataset, const char* owner) {
  if (dataset.has_targets()) {
    throw OptionError(concatenate({owner, ": the dataset has targets and no classes, expected labels"}));
  }
}

}  // namespace detail

[[gnu::cold]] inline Standardization Standardization::fit(const Dataset& training) {
  training.require_samples();
  detail::require_not_standardized(training);
  return training.visit([](const auto& values) {
    const std::size_t columns = values.columns();
    const auto samples = static_cast<double>(values.rows());
    const auto first = values.row(0);
    std::vector<bool> constant(columns, true);
    Standardization result{std::vector<double>(columns), std::vector<double>(columns)};
    for (std::size_t row = 0; row < values.rows(); ++row) {
      for (std::size_t column = 0; column < columns; ++column) {
        result.means[column] += static_cast<double>(values(row, column));
        constant[column] = constant[column] && values(row, column) == first[column];
      }
    }
    for (double& mean : result.means) {
      mean /= samples;
    }
    for (std::size_t row = 0; row < values.rows(); ++row) {
      for (std::size_t column = 0; column < columns; ++column) {
        const double difference = static_cast<double>(values(row, column)) - result.means[column];
        result.deviations[column] += difference * difference;
      }
    }
    for (std::size_t column = 0; column < columns; ++column) {
      if (constant[column]) {  // exactly, however the sums were rounded
        result.means[column] = static_cast<double>(first[column]);
        result.deviations[column] = 1;
      } else {
        result.deviations[column] = std::sqrt(result.deviations[column] / samples);
      }
    }
    return result;
  });
}

[[gnu::cold]] inline Dataset Standardization::apply(const Dataset& dataset) const {
  validate();
  dataset.require_samples();
  detail::require_not_standardized(dataset);
  if (means.size() != dataset.feature_count()) {
    throw ShapeError(concatenate(
        {"standardization: of ", means.size(), " columns, the dataset has ", dataset.feature_count(), " features"}));
  }
  Matrix<float> features = dataset.visit([this](const auto& values) {
    Matrix<float> result(values.rows(), values.columns());
    for (std::size_t row = 0; row < values.rows(); ++row) {
      for (std::size_t column = 0; column < values.columns(); ++column) {
        const double value = (static_cast<double>(values(row, column)) - means[column]) / deviations[column];
        if (!internal::is_finite_float(value)) {
          throw ShapeError(concatenate({"standardization: feature ", column, " of sample ", row, " becomes ", value,
                                        ", expected a number within float's range"}));
        }
        result(row, column) = static_cast<float>(value);
      }
    }
    return result;
  });
  Dataset result{std::move(features), dataset.labels_, dataset.classes_, dataset.image_};
  result.class_names_ = dataset.class_names_;
  result.standardization_ = *this;
  result.targets_ = dataset.targets_;
  return result;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A teacher that is a table of its logits. data/teacher_logits.hpp reads and writes such tables.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/fingerprint.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/inputs_fingerprint.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/message.hpp"
#include "retort/data/probability_rows.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

namespace detail {

/// How often rows of logits have their highest value at the label of their sample.
struct LabelAgreement {
  std::size_t samples = 0;
  bool is_chance = false;  // rows in a random order would do as well, though those of a good teacher would not
};

/// `logits` (labels.size(), classes), of which those without a label say nothing. Precondition: each label is below
/// `classes`. Compares with the mean and the deviation over all orders of the rows (Hoeffding, "A combinatorial central
/// limit theorem", 1951).
inline LabelAgreement agreement_with(const Labels& labels, const float* logits, std::size_t classes) {
  const auto samples = static_cast<double>(
      labels.size() - static_cast<std::size_t>(std::count(labels.begin(), labels.end(), unlabelled)));
  std::vector<double> labelled(classes);  // the share of each class among the labels
  std::vector<double> answered(classes);  // and among the answers
  LabelAgreement result;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == unlabelled) {
      continue;
    }
    const float* const row = logits + i * classes;
    const auto answer = static_cast<std::size_t>(std::max_element(row, row + classes) - row);
    labelled[labels[i]] += 1 / samples;
    answered[answer] += 1 / samples;
    result.samples += answer == labels[i] ? 1u : 0u;
  }
  double mean = 0;
  double most = 0;
  for (std::size_t k = 0; k < classes; ++k) {
    mean += labelled[k] * answered[k];
    most += std::min(labelled[k], answered[k]);
  }
  double variance = 0;  // of one sample
  for (std::size_t k = 0; k < classes; ++k) {
    for (std::size_t l = 0; l < classes; ++l) {
      const double difference = (k == l ? 1 : 0) - answered[k] - labelled[l] + mean;
      variance += labelled[k] * answered[l] * difference * difference;
    }
  }
  const double beyond_chance = mean + 4 * std::sqrt(variance / std::max(samples - 1, 1.0)) + 1e-9;
  result.is_chance = most > beyond_chance && static_cast<double>(result.samples) / samples < beyond_chance;
  return result;
}

}  // namespace detail

/// A teacher's logits for every sample of a training set, or for every sample of each of its views (Views). A
/// DistillationTrainer takes it in place of a teacher network, so a teacher may come from anywhere.
class TeacherLogitsTable {
 public:
  /// `logits` (views * samples, classes): row v * data.size() + i answers sample i of `data` in view v; without an
  /// augmentation there is one view. The table then knows its inputs by their fingerprint. Throws ShapeError for
  /// another number of rows and for a logit that is no finite number, OptionError for an augmentation without views.
  explicit TeacherLogitsTable(Matrix<float> logits, const Dataset& data, const Augmentation& augmentation = {},
                              Views views = {})
      : TeacherLogitsTable({}, std::move(logits), augmentation.is_set() ? views.count : 1,
                           detail::inputs_fingerprint(data, augmentation, views)) {
    require_shape(data, augmentation, views, classes());
    if (logits_.rows() != views_ * data.size()) {
      throw ShapeError(concatenate(
          {name(), ": ", logits_.rows(), " rows, expected ", views_, " views of ", data.size(), " samples"}));
    }
    require_finite();
  }

  std::size_t views() const { return views_; }
  std::size_t samples() const { return views_ == 0 ? 0 : logits_.rows() / views_; }  ///< of the training set
  std::size_t classes() const { return logits_.columns(); }
  /// (views * samples, classes)
  const Matrix<float>& logits() const { return logits_; }

  /// Of the training set and its views; nothing for a table that was read from a file without it.
  std::optional<std::uint64_t> inputs_fingerprint() const { return inputs_fingerprint_; }

  /// Equal for equal logits of equal extents.
  std::uint64_t fingerprint() const {
    const std::uint64_t extents[] = {views(), samples(), classes()};
    return Fingerprint{}.add(std::span<const std::uint64_t>(extents)).add(logits_.values()).value();
  }

  /// The temperature at which its probabilities are the mean of several teachers' (ensemble_logits); nothing for one
  /// teacher's logits, which have no temperature of their own.
  std::optional<double> temperature() const { return temperature_; }

  /// The same table, taken for the logits of one teacher, whatever its numbers are made of: neither rows that look like
  /// probabilities nor the temperature of an ensemble is a reason to refuse it.
  TeacherLogitsTable as_logits() const& { return TeacherLogitsTable(*this).as_logits(); }
  TeacherLogitsTable as_logits() && {
    is_taken_for_logits_ = true;
    temperature_.reset();
    return std::move(*this);
  }

  /// The answers to `data`, sample i of which is this table's sample indices[i]; the result knows them for its inputs.
  /// Throws OptionError for a table of several views, as a subset's views are others; ShapeError for an index that is
  /// not below samples(), and for `data` of another size.
  [[gnu::cold]] TeacherLogitsTable subset(std::span<const std::uint32_t> indices, const Dataset& data) const {
    if (views_ != 1) {
      throw OptionError(concatenate({name(), ": a subset of ", views_, " views, expected a table of one"}));
    }
    Matrix<float> logits(indices.size(), classes());
    for (std::size_t i = 0; i < indices.size(); ++i) {
      if (indices[i] >= samples()) {
        throw ShapeError(concatenate({name(), ": index ", indices[i], ", expected less than ", samples()}));
      }
      std::ranges::copy(logits_.row(indices[i]), logits.row(i).begin());
    }
    TeacherLogitsTable result(std::move(logits), data);
    result.path_ = path_;
    result.is_taken_for_logits_ = is_taken_for_logits_;
    result.temperature_ = temperature_;
    return result;
  }

  /// Its file, and how it is compared with the training set.
  [[gnu::cold]] std::string describe() const {
    return concatenate({name(), inputs_fingerprint_ ? ", with a fingerprint of its inputs"
                                                    : ", without a fingerprint of its inputs: only the labels tell "
                                                      "whether its rows are in the training set's order"});
  }

  /// Throws OptionError for probabilities in place of logits, as scikit-learn's predict_proba gives them: where each
  /// row is nowhere below 0 and adds up to 1 within 1e-3, of two classes or more. as_logits() lets such a table pass. A
  /// training asks this of a table for a loss of classes; one for targets may hold such numbers.
  [[gnu::cold]] void require_logits() const { require_logits(name()); }

  /// Throws OptionError for a mean of several teachers' probabilities at a temperature other than all from `lowest` to
  /// `highest`, at which `reader`, a loss's description, takes them. See require_temperature_for.
  [[gnu::cold]] void require_mean_at(double lowest, double highest, const std::string& reader) const {
    const auto is_its_own = [&](double temperature) {
      return std::abs(temperature - *temperature_) <= 1e-9 * *temperature_;  // 1 / (1 / T) is hardly ever T
    };
    if (!temperature_ || (is_its_own(lowest) && is_its_own(highest))) {
      return;
    }
    refuse_mean_for(reader, lowest == highest
                                ? concatenate({"reads it at ", lowest, ", expected a mean at this temperature"})
                                : concatenate({"reads it at temperatures from ", lowest, " to ", highest,
                                               ", expected one teacher's logits"}));
  }

  /// Throws OptionError: `reader`, a loss's description, does not take the mean of several teachers, for this reason.
  [[noreturn, gnu::cold]] void refuse_mean_for(const std::string& reader, const std::string& reason) const {
    throw OptionError(concatenate({name(), ": the mean of several teachers' probabilities at temperature ",
                                   temperature_.value_or(1.0), ", and the loss ", reader, " ", reason,
                                   " (as_logits() takes it for one teacher's)"}));
  }

  /// Throws ShapeError unless the table has the extents that a training on `data` by a student of `classes` classes
  /// needs; OptionError for new views in every epoch, which no table can answer, for other inputs than the table's, and
  /// where `data` has classes for probabilities (require_logits).
  /// A table without their fingerprint is refused if its answers agree with the labels no more than in a random order:
  /// by less than four standard deviations, where right answers could. Without any label nothing tells.
  [[gnu::cold]] void require_made_for(const Dataset& data, const Augmentation& augmentation, Views views,
                                      std::size_t classes) const {
    require_shape(data, augmentation, views, classes);
    if (data.classes() > 0) {
      require_logits();
    }
    if (inputs_fingerprint_) {
      if (*inputs_fingerprint_ != detail::inputs_fingerprint(data, augmentation, views)) {
        throw OptionError(concatenate({name(),
                                       ": made for other inputs, expected the training set's samples in their "
                                       "order, with its labels, normalization and views"}));
      }
      return;
    }
    for (std::size_t view = 0; view < views_; ++view) {
      const auto agreement =
          detail::agreement_with(data.labels(), logits_.row(view * data.size()).data(), logits_.columns());
      if (agreement.is_chance) {
        throw OptionError(concatenate(
            {name(), ": view ", view, " agrees with ", agreement.samples, " of ", data.labelled_count(),
             " labels, as a random order would, expected row i to answer sample i (TeacherLogitsTable(logits, data) "
             "vouches for the order)"}));
      }
    }
  }

 private:
  friend TeacherLogitsTable load_teacher_logits(const std::filesystem::path&, std::uint64_t);
  friend TeacherLogitsTable ensemble_logits(const std::vector<TeacherLogitsTable>&, double, std::vector<double>);

  /// Not checked; `path` is empty if it comes from no file.
  TeacherLogitsTable(std::filesystem::path path, Matrix<float> logits, std::size_t views,
                     std::optional<std::uint64_t> inputs_fingerprint)
      : path_(std::move(path)), logits_(std::move(logits)), views_(views), inputs_fingerprint_(inputs_fingerprint) {}

  [[gnu::cold]] void require_finite() const {
    const std::span<const float> values = logits_.values();
    const auto wrong = std::find_if(values.begin(), values.end(), [](const float& value) { return !is_finite(value); });
    if (wrong == values.end()) {
      return;
    }
    const auto element = static_cast<std::size_t>(wrong - values.begin());
    const std::size_t row = element / classes();
    const std::string view = views_ > 1 ? concatenate({" of view ", row / samples()}) : "";
    throw ShapeError(concatenate({name(), ": row ", row % samples(), view, ", class ", element % classes(), ": ",
                                  *wrong, ", expected a finite number within float's range"}));
  }

  [[gnu::cold]] void require_logits(const std::string& owner) const {
    if (!is_taken_for_logits_ && detail::are_probabilities(logits_)) {
      throw OptionError(concatenate({owner,
                                     ": rows are probabilities, none below 0 and with the sum 1, expected logits: save "
                                     "numpy.log of them (as_logits() takes them as they are)"}));
    }
  }

  /// Of a table in a list, `owner`, that is averaged at a temperature: throws OptionError unless it has logits of one
  /// teacher, or is itself a mean at that temperature.
  [[gnu::cold]] void require_part_of_mean(const std::string& owner, double temperature) const {
    require_logits(owner);
    if (temperature_ && *temperature_ != temperature) {
      throw OptionError(concatenate({owner, ": the mean of several teachers' probabilities at temperature ",
                                     *temperature_, ", expected ", temperature, ", at which they are averaged here"}));
    }
  }

  [[gnu::cold]] std::string name() const { return path_.empty() ? "teacher logits" : path_text(path_); }

  /// "table 1 (b.npy)".
  [[gnu::cold]] std::string name_in_list(std::size_t index) const {
    return concatenate({"table ", index, path_.empty() ? "" : concatenate({" (", path_text(path_), ")"})});
  }

  /// Of two tables in a list: throws ShapeError for other extents than the earlier one's, OptionError for other inputs.
  [[gnu::cold]] void require_same_inputs(const TeacherLogitsTable& earlier, std::size_t index,
                                         std::size_t earlier_index) const {
    const std::string self = concatenate({"ensemble_logits: ", name_in_list(index)});
    const std::string other = earlier.name_in_list(earlier_index);
    const std::size_t expected[] = {earlier.views_, earlier.samples(), earlier.classes()};
    const std::size_t found[] = {views_, samples(), classes()};
    if (!std::ranges::equal(found, expected)) {
      throw ShapeError(concatenate({self, ": logits of ", detail::extents_text(found), ", expected ",
                                    detail::extents_text(expected), " as in ", other, ": views, samples, classes"}));
    }
    if (inputs_fingerprint_ && earlier.inputs_fingerprint_) {
      if (*inputs_fingerprint_ != *earlier.inputs_fingerprint_) {
        throw OptionError(concatenate({self, ": made for other inputs than ", other, ", expected the same"}));
      }
      return;
    }
    for (std::size_t view = 0; view < views_; ++view) {
      Labels answers(samples());
      for (std::size_t i = 0; i < samples(); ++i) {
        const std::span<const float> row = earlier.logits_.row(view * samples() + i);
        answers[i] = static_cast<std::uint32_t>(std::max_element(row.begin(), row.end()) - row.begin());
      }
      const auto agreement = detail::agreement_with(answers, logits_.row(view * samples()).data(), classes());
      if (agreement.is_chance) {
        throw OptionError(
            concatenate({self, ": view ", view, " agrees with ", agreement.samples, " of ", samples(), " answers in ",
                         other, ", as a random order would, expected row i of both to answer sample i"}));
      }
    }
  }

  [[gnu::cold]] void require_shape(const Dataset& data, const Augmentation& augmentation, Views views,
                                   std::size_t classes) const {
    if (augmentation.is_set() && views.count == 0) {
      throw OptionError(concatenate({name(), ": views.count is 0, new views in every epoch, expected ",
                                     std::max<std::size_t>(views_, 1), ", those that the table answers"}));
    }
    const std::size_t expected[] = {augmentation.is_set() ? views.count : 1, data.size(), classes};
    const std::size_t found[] = {views_, samples(), this->classes()};
    if (!std::ranges::equal(found, expected)) {
      throw ShapeError(concatenate({name(), ": logits of ", detail::extents_text(found), ", expected ",
                                    detail::extents_text(expected), ": views, training samples, classes"}));
    }
    if (classes < data.classes()) {
      throw ShapeError(concatenate({name(), ": ", classes, " classes, expected the ", data.classes(), " of the data"}));
    }
  }

  std::filesystem::path path_;  // empty if it comes from no file
  Matrix<float> logits_;
  std::size_t views_;
  std::optional<std::uint64_t> inputs_fingerprint_;
  std::optional<double> temperature_{};
  bool is_taken_for_logits_ = false;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Several teachers as one: a table of logits made of several.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/teacher_logits_table.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

namespace detail {

/// The weights divided by their sum, equal ones if there are none. Throws OptionError for weights that are no such.
[[gnu::cold]] inline std::vector<double> ensemble_weights(std::size_t tables, std::vector<double> weights) {
  if (weights.empty()) {
    weights.assign(tables, 1);
  }
  if (weights.size() != tables) {
    throw OptionError(
        concatenate({"ensemble_logits: ", weights.size(), " weights, expected one for each of ", tables, " tables"}));
  }
  double sum = 0;
  for (std::size_t i = 0; i < tables; ++i) {
    require_in(allowed::at_least_zero, "ensemble_logits", concatenate({"weight ", i}), weights[i]);
    sum += weights[i];
  }
  require_in(allowed::above_zero, "ensemble_logits", "the sum of the weights", sum);
  for (double& weight : weights) {
    weight /= sum;
  }
  return weights;
}

/// One teacher's answer to a sample, as log-probabilities times T but for a constant that is the same for all
/// teachers, -T log(classes). What is left of it is about as large as the logits, at any temperature.
class ScaledLogProbabilities {
 public:
  ScaledLogProbabilities(std::span<const float> logits, double temperature)
      : logits_(logits), largest_(double{*std::max_element(logits.begin(), logits.end())}) {
    double sum = 0;
    for (const float logit : logits) {
      sum += std::expm1((double{logit} - largest_) / temperature);
    }
    normalizer_ = temperature * std::log1p(sum / static_cast<double>(logits.size()));
  }

  double operator[](std::size_t k) const { return double{logits_[k]} - largest_ - normalizer_; }
  /// What the logits have more, all classes alike.
  double offset() const { return largest_ + normalizer_; }

 private:
  std::span<const float> logits_;
  double largest_;
  double normalizer_;
};

/// T log(sum_i weights_i exp(values_i / T)), of which a weight is above 0. Weights add up to 1.
inline double log_mean_exp(std::span<const double> weights, std::span<const double> values, double temperature) {
  double largest = std::numeric_limits<double>::lowest();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    largest = weights[i] > 0 ? std::max(largest, values[i]) : largest;
  }
  double mean = 0;   // above 0: the largest value adds its weight
  double below = 0;  // mean - 1, without its rounding
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) {
      mean += weights[i] * std::exp((values[i] - largest) / temperature);
      below += weights[i] * std::expm1((values[i] - largest) / temperature);
    }
  }
  return largest + temperature * (below > -0.5 ? std::log1p(below) : std::log(mean));
}

}  // namespace detail

/// One table of several teachers' logits z_i for the same samples, which a student learns from as from one teacher
/// whose probabilities at temperature T are the weighted mean of theirs:
///
///   z = T log(sum_i w_i softmax(z_i / T)) + c,  softmax(z / T) = sum_i w_i softmax(z_i / T)
///
/// with weights w_i divided by their sum (equal without `weights`), and c such that one table alone gives its own
/// logits. This is the arithmetic mean of Hinton, Vinyals and Dean (arXiv:1503.02531, section 5): probabilities are
/// averaged, not logits, so T is that of the loss. `ensemble_logits({a, b, c}, 4)`. The result keeps T, in its file
/// too, and a training with a loss of another temperature refuses it (require_temperature_for). It is for teachers of
/// classes: real outputs, or yes/no answers, are averaged otherwise.
///
/// Computed in double; a logit beyond float's range becomes the last number in it. The result knows its inputs if every
/// table does. Throws OptionError for no table, a temperature or a weight out of range, and two tables of different
/// inputs: by their fingerprints, or where one has none, if they answer alike no more often than in a random order (see
/// TeacherLogitsTable::require_made_for); for a table of probabilities (require_logits); and for one that is a mean at
/// another temperature. Throws ShapeError for tables of different extents.
[[gnu::cold]] inline TeacherLogitsTable ensemble_logits(const std::vector<TeacherLogitsTable>& tables,
                                                        double temperature, std::vector<double> weights = {}) {
  if (tables.empty()) {
    throw OptionError("ensemble_logits: no table, expected one or more");
  }
  require_in(allowed::above_zero, "ensemble_logits", "temperature", temperature);
  weights = detail::ensemble_weights(tables.size(), std::move(weights));
  const TeacherLogitsTable& first = tables.front();
  bool all_know = true;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    tables[i].require_part_of_mean(concatenate({"ensemble_logits: ", tables[i].name_in_list(i)}), temperature);
    for (std::size_t earlier = 0; earlier < i; ++earlier) {
      tables[i].require_same_inputs(tables[earlier], i, earlier);
    }
    all_know = all_know && tables[i].inputs_fingerprint();
  }

  Matrix<float> logits(first.logits().rows(), first.classes());
  std::vector<detail::ScaledLogProbabilities> answers;
  answers.reserve(tables.size());
  std::vector<double> values(tables.size());
  for (std::size_t row = 0; row < logits.rows(); ++row) {
    answers.clear();
    double offset = 0;
    for (std::size_t i = 0; i < tables.size(); ++i) {
      answers.emplace_back(tables[i].logits().row(row), temperature);
      offset += weights[i] * answers[i].offset();
    }
    for (std::size_t k = 0; k < logits.columns(); ++k) {
      for (std::size_t i = 0; i < tables.size(); ++i) {
        values[i] = answers[i][k];
      }
      constexpr double largest = std::numeric_limits<float>::max();
      const double logit = detail::log_mean_exp(weights, values, temperature) + offset;
      logits(row, k) = static_cast<float>(std::clamp(logit, -largest, largest));
    }
  }
  TeacherLogitsTable result({}, std::move(logits), first.views(), all_know ? first.inputs_fingerprint() : std::nullopt);
  result.is_taken_for_logits_ = true;  // computed from logits
  const auto counts = [](double weight) { return weight > 0; };
  if (std::ranges::count_if(weights, counts) > 1) {
    result.temperature_ = temperature;
  } else {
    const auto only = std::ranges::find_if(weights, counts) - weights.begin();
    result.temperature_ = tables[static_cast<std::size_t>(only)].temperature();
  }
  return result;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data

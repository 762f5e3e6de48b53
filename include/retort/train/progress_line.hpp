// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Progress in words, as many as a line has room for.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "retort/core/console.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/loss/metric.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/observer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::detail {

/// `value` with `decimals` digits after the point: "0.1234".
[[gnu::cold, gnu::noinline]] inline std::string fixed_text(double value, int decimals) {
  std::array<char, 400> text{};  // the largest double has 309 digits before the point
  const int length = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return {text.data(), static_cast<std::size_t>(length)};
}

/// A part of a line. Fields of rank 0 are always shown; each other rank needs the ranks before it.
struct LineField {
  std::string text;  // empty: not shown
  std::size_t rank;
};

/// The fields in their order, two blanks between them, of as many ranks as fit into `columns`.
[[gnu::cold]] inline std::string fitted_line(std::span<const LineField> fields, std::size_t columns) {
  std::string line;
  for (std::size_t rank = 0; rank < fields.size(); ++rank) {
    std::string longer;
    for (const LineField& field : fields) {
      if (field.rank <= rank && !field.text.empty()) {
        longer += concatenate({longer.empty() ? "" : "  ", field.text});
      }
    }
    if (rank > 0 && internal::columns_of(longer) > columns) {
      break;
    }
    line = std::move(longer);
  }
  return line;
}

/// "0:14 left", or nothing if that is not known.
[[gnu::cold]] inline std::string left_text(double seconds_left) {
  return seconds_left >= 0.0 ? concatenate({internal::clock_text(seconds_left), " left"}) : std::string();
}

/// "accuracy 97.32 %", "exact match 91.20 %", "RMSE 0.0213", or nothing where no sample has a label.
[[gnu::cold]] inline std::string metric_text(Metric metric, std::optional<double> value) {
  if (!value) {
    return {};
  }
  if (metric != Metric::rmse) {
    return concatenate({metric_name(metric), " ", fixed_text(100.0 * *value, 2), " %"});
  }
  std::array<char, 32> text{};  // in the units of the targets, whatever their size
  const int length = std::snprintf(text.data(), text.size(), "%.4g", *value);
  return concatenate({metric_name(metric), " ", std::string_view(text.data(), static_cast<std::size_t>(length))});
}
/// "errors 268", or nothing where none are counted.
[[gnu::cold]] inline std::string errors_text(const EpochMetrics& metrics) {
  const std::optional<std::size_t> errors =
      metrics.validation && metrics.metric != Metric::rmse ? metrics.validation->errors : metrics.errors;
  return errors ? concatenate({"errors ", *errors}) : std::string();
}
/// "4.82 s", "epoch 3/5".
[[gnu::cold]] inline std::string seconds_text(double seconds) { return concatenate({fixed_text(seconds, 2), " s"}); }
[[gnu::cold]] inline std::string epoch_text(std::size_t epoch, std::size_t epochs) {
  return concatenate({"epoch ", epoch, "/", epochs});
}

/// A finished epoch; the first six fields are its record. `seconds_left` is below 0 if it is not known.
[[gnu::cold]] inline std::array<LineField, 8> epoch_fields(std::string_view label, const EpochMetrics& metrics,
                                                           std::size_t epochs, double seconds_left) {
  return {{{std::string(label), 0},
           {epoch_text(metrics.epoch, epochs), 0},
           {concatenate({"loss ", fixed_text(metrics.loss, 4)}), 1},
           {metric_text(metrics.metric, metric_value(metrics)), 0},
           {errors_text(metrics), 2},
           {seconds_text(metrics.seconds), 3},
           {concatenate({fixed_text(metrics.samples_per_second, 0), " samples/s"}), 5},
           {metrics.epoch < epochs ? left_text(seconds_left) : "", 4}}};
}

/// An epoch under way, with a bar, or a percentage if the bar would be shorter than ten columns; cut to `columns` if
/// even that is too long.
[[gnu::cold]] inline std::string batch_line(std::string_view label, const BatchProgress& progress, double seconds_left,
                                            std::size_t columns) {
  constexpr std::size_t shortest = 10;
  constexpr std::size_t longest = 30;
  constexpr std::size_t frame = 4;  // two blanks before the bar, and its brackets
  const std::size_t batches = std::max<std::size_t>(progress.batches, 1);
  const std::size_t batch = std::min(progress.batch, batches);
  const std::string head = concatenate({label, "  ", epoch_text(progress.epoch, progress.epochs)});
  const std::string left = left_text(seconds_left);
  const std::string loss = concatenate({"loss ", fixed_text(progress.mean_loss, 4)});
  for (const bool with_loss : {true, false}) {
    const std::string tail =
        concatenate({with_loss ? "  " : "", with_loss ? loss : "", left.empty() ? "" : "  ", left});
    const std::size_t taken = internal::columns_of(head) + internal::columns_of(tail) + frame;
    if (taken + shortest <= columns) {
      const std::size_t width = std::min(longest, columns - taken);
      const std::size_t filled = batch * width / batches;
      return concatenate({head, "  [", std::string(filled, '='), std::string(width - filled, ' '), "]", tail});
    }
  }
  const std::array<LineField, 3> fields{{{head, 0}, {concatenate({100 * batch / batches, " %"}), 1}, {left, 2}}};
  std::string line = fitted_line(fields, columns);
  while (internal::columns_of(line) > columns) {
    line.pop_back();
  }
  return line;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::detail

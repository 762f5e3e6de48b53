// SPDX-License-Identifier: MIT
#include "report_page.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "common/chart.hpp"
#include "common/number_text.hpp"
#include "common/page.hpp"
#include "common/scale.hpp"
#include "common/students.hpp"
#include "retort/core/statistics.hpp"
#include "retort/core/text.hpp"

namespace sweep {

namespace {

using examples::Column;
using examples::counted;
using examples::figure;
using examples::fixed;
using examples::paragraph;
using examples::Scale;
using examples::section;
using examples::with_separators;
using retort::to_text;

// So that the page of a sweep of any size can be looked at.
constexpr std::size_t most_rows = 250;
constexpr std::size_t most_charts = 4;
constexpr std::size_t most_lines = 6;

bool learns_from_labels_alone(const retort::SweepSetting<>& setting) { return setting.loss.hard_weight == 1.0; }

std::string mean_and_deviation(const retort::Statistics& statistics, double factor, int digits) {
  return fixed(factor * statistics.mean, digits) + " \u00B1 " + fixed(factor * statistics.standard_deviation, digits);
}

std::vector<Column> setting_columns(bool several_students) {
  std::vector<Column> columns{{"temperature"}, {"hard weight"}, {"learning rate"}};
  if (several_students) {
    columns.insert(columns.begin(), {"student"});
  }
  return columns;
}

std::vector<std::string> setting_cells(const retort::SweepSetting<>& setting, bool several_students) {
  std::vector<std::string> cells{to_text(setting.loss.temperature), to_text(setting.loss.hard_weight),
                                 to_text(setting.optimizer.learning_rate)};
  if (several_students) {
    cells.insert(cells.begin(), student_names[setting.model]);
  }
  return cells;
}

/// A table of settings with further columns; `cells` are a summary's in them, none for one that has no row.
std::string setting_table(const SweepReport& report, const std::string& caption, const std::vector<Column>& further,
                          const auto& cells) {
  const bool several_students = has_several_students(report.summaries);
  std::vector<Column> columns = setting_columns(several_students);
  columns.insert(columns.end(), further.begin(), further.end());
  examples::Table table(caption, columns);
  std::size_t rows = 0;
  for (const Summary& summary : report.summaries) {
    const std::vector<std::string> own = cells(summary);
    if (!own.empty() && ++rows <= most_rows) {
      std::vector<std::string> row = setting_cells(summary.setting, several_students);
      row.insert(row.end(), own.begin(), own.end());
      table.add_row(row);
    }
  }
  if (rows == 0) {
    return "";
  }
  return table.markup() + (rows > most_rows ? paragraph(with_separators(rows - most_rows) +
                                                        " settings more are in the program's own table.")
                                            : std::string());
}

std::string result_table(const SweepReport& report) {
  return setting_table(report,
                       "Means and standard deviations over the seeds; errors of " + with_separators(report.held_out) +
                           " images held out",
                       {{"seeds"}, {"accuracy, %"}, {"errors"}, {"training a student, s", Column::Kind::seconds}},
                       [](const Summary& summary) -> std::vector<std::string> {
                         if (summary.errors.count == 0) {
                           return {seeds_text(summary), "diverged", "diverged", "diverged"};
                         }
                         return {seeds_text(summary), mean_and_deviation(summary.accuracy, 100.0, 2),
                                 mean_and_deviation(summary.errors, 1.0, 1), fixed(summary.seconds.mean, 2)};
                       });
}

/// Distilled minus alone, of each seed for which both were trained, by the description of the distilled one's setting.
std::map<std::string, std::vector<double>> paired_differences(const SweepReport& report) {
  const auto pair_of = [](const retort::SweepSetting<>& setting) {
    return std::tuple{setting.model, setting.optimizer.learning_rate, setting.seed.value};
  };
  const auto errors_of = [](const StudentRun& run) { return static_cast<double>(run.evaluation->errors); };
  std::map<std::tuple<std::size_t, double, std::uint64_t>, double> alone;
  for (const StudentRun& run : report.runs) {
    if (run.evaluation && learns_from_labels_alone(run.setting)) {
      alone[pair_of(run.setting)] = errors_of(run);
    }
  }
  std::map<std::string, std::vector<double>> result;
  for (const StudentRun& run : report.runs) {
    const auto found = alone.find(pair_of(run.setting));
    if (run.evaluation && !learns_from_labels_alone(run.setting) && found != alone.end()) {
      result[run.setting.describe()].push_back(errors_of(run) - found->second);
    }
  }
  return result;
}

std::string paired_section(const SweepReport& report) {
  const auto differences = paired_differences(report);
  const std::string table = setting_table(
      report, "Errors of the distilled student minus those of the student alone (hard weight 1) of the same seed",
      {{"pairs"}, {"difference in errors"}, {"fewer in"}, {"p"}},
      [&](const Summary& summary) -> std::vector<std::string> {
        const auto found = differences.find(summary.setting.describe());
        if (found == differences.end()) {
          return {};
        }
        const std::vector<double>& values = found->second;
        const auto fewer = std::ranges::count_if(values, [](double difference) { return difference < 0.0; });
        return {to_text(values.size()), mean_and_deviation(retort::statistics(values), 1.0, 1),
                retort::concatenate({fewer, " of ", values.size()}),
                values.size() > 20 ? "" : fixed(retort::sign_flip_p_value(values), 4)};
      });
  return table.empty()
             ? ""
             : section("Against the student alone, pair by pair",
                       table + paragraph("p is that of the exact sign-flip test of the differences, two-sided, "
                                         "for up to 20 pairs."));
}

/// Each once, in the order of the options.
std::vector<double> distinct(const std::vector<double>& values) {
  std::vector<double> result;
  for (const double value : values) {
    if (std::ranges::find(result, value) == result.end()) {
      result.push_back(value);
    }
  }
  return result;
}

/// A line for each hard weight, of this student's settings with this learning rate.
std::vector<examples::Line> lines_of(const Options& options, const SweepReport& report, std::size_t model,
                                     double learning_rate) {
  std::vector<examples::Line> lines;
  for (const double hard_weight : distinct(options.hard_weights)) {
    examples::Line line{.name = "weight " + to_text(hard_weight) + (hard_weight == 1.0 ? ", alone" : ""),
                        .points = {},
                        .style = lines.size()};
    for (const Summary& summary : report.summaries) {
      const auto& setting = summary.setting;
      if (summary.errors.count > 0 && setting.model == model && setting.loss.hard_weight == hard_weight &&
          setting.optimizer.learning_rate == learning_rate) {
        // Without soft targets the same student stands for all temperatures.
        for (const double temperature :
             hard_weight == 1.0 ? distinct(options.temperatures) : std::vector{setting.loss.temperature}) {
          line.points.push_back({temperature, summary.errors.mean, summary.errors.standard_deviation});
        }
      }
    }
    std::ranges::sort(line.points, {}, &examples::Point::x);
    if (!line.points.empty() && lines.size() < most_lines) {
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

std::string charts(const Options& options, const SweepReport& report) {
  std::string figures;
  std::size_t drawn = 0;
  for (const std::size_t model : examples::places_of(student_names, options.students)) {
    const std::string student =
        has_several_students(report.summaries) ? std::string(student_names[model]) + ", " : std::string();
    for (const double learning_rate : distinct(options.learning_rates)) {
      const std::vector<examples::Line> lines = lines_of(options, report, model, learning_rate);
      if (!lines.empty() && ++drawn <= most_charts) {
        figures += figure(
            {.title = "Errors by temperature, " + student + "learning rate " + to_text(learning_rate),
             .x = {"temperature", Scale::with_ticks_at(options.temperatures)},
             .y = {"errors of " + with_separators(report.held_out) + " images", Scale::fitting(heights_of(lines))},
             .lines = lines,
             .digits = 1});
      }
    }
  }
  if (figures.empty()) {
    return paragraph("Every student diverged.");
  }
  return examples::element("div", "class=\"charts\"", figures) +
         paragraph(
             "Points are means over the seeds, bars one standard deviation up and down. The weight is that of the "
             "labels; with 1 a student learns from them alone, whatever the temperature." +
             std::string(drawn > most_charts || options.hard_weights.size() > most_lines
                             ? " The first charts and weights are drawn; the table has all."
                             : ""));
}

}  // namespace

void write_report_page(const Options& options, const SweepReport& report) {
  const std::string teacher =
      options.teacher_file.empty() ? "trained for it" : "loaded from " + options.teacher_file.string();
  const std::string about = retort::concatenate(
      {counted(report.runs.size(), "student"), " of a teacher that makes ", with_separators(report.teacher_errors),
       " errors and was ", teacher, ". Images from ", options.data.string(), ", ", options.split, " split; ",
       counted(options.student.epochs, "epoch"), " in batches of ", options.batch_size, "; seeds ", options.first_seed,
       " to ", options.first_seed + options.seeds - 1, "."});
  examples::write_page(options.report, retort::concatenate({"sweep, ", counted(report.summaries.size(), "setting")}),
                       paragraph(about) + section("By temperature", charts(options, report)) + paired_section(report) +
                           section("Every setting", result_table(report)));
}

}  // namespace sweep

// SPDX-License-Identifier: MIT
#include "report_page.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/chart.hpp"
#include "common/number_text.hpp"
#include "common/page.hpp"
#include "common/scale.hpp"
#include "common/training_options.hpp"
#include "mistakes.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/size.hpp"
#include "retort/core/text.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/train/metrics.hpp"

namespace distill_mnist {

namespace {

using examples::Column;
using examples::element;
using examples::figure;
using examples::fixed;
using examples::Line;
using examples::Scale;
using examples::section;
using examples::with_separators;

/// The networks; a teacher that is a table is none of them.
std::vector<const ReportRow*> rows_of(const Report& report) {
  std::vector<const ReportRow*> rows{&report.alone, &report.distilled};
  if (report.teacher) {
    rows.insert(rows.begin(), &*report.teacher);
  }
  return rows;
}

/// "distilled" for "student distilled": what a chart has room for.
std::string short_name(const ReportRow& row) { return row.name.substr(row.name.rfind(' ') + 1); }

std::string result_table(const Report& report) {
  examples::Table table("Errors of " + with_separators(report.held_out) + " images held out, after the last epoch",
                        {{"model", Column::Kind::text},
                         {"errors"},
                         {"accuracy, %"},
                         {"cross-entropy, nats"},
                         {"parameters"},
                         {"bytes of its file"},
                         {"epochs"},
                         {"training, s", Column::Kind::seconds}});
  for (const ReportRow* row : rows_of(report)) {
    const bool trained = !row->history.empty();
    table.add_row(
        {row->name, with_separators(row->evaluation.errors), fixed(100.0 * row->evaluation.accuracy, 2),
         fixed(row->evaluation.loss, 4), with_separators(row->parameters), with_separators(retort::to_size(row->bytes)),
         trained ? with_separators(row->history.size()) : "loaded", trained ? fixed(row->seconds, 2) : "loaded"});
  }
  return table.markup();
}

/// A line for each model of what `value` finds in an epoch; `final_value` is that of a model which was loaded.
std::vector<Line> lines_of(const Report& report, const auto& value, const auto& final_value) {
  std::vector<Line> lines;
  std::size_t style = report.teacher ? 0 : 1;  // a student's lines look the same with a teacher and without
  for (const ReportRow* row : rows_of(report)) {
    Line line{.name = short_name(*row), .points = {}, .level = final_value(*row), .style = style++};
    for (const retort::EpochMetrics& metrics : row->history) {
      line.points.push_back({static_cast<double>(metrics.epoch), value(metrics)});
    }
    if (!line.points.empty() || line.level) {
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

std::string curves(const Report& report) {
  std::size_t epochs = 0;
  for (const ReportRow* row : rows_of(report)) {
    epochs = std::max(epochs, row->history.size());
  }
  const examples::Side by_epoch{"epoch", Scale::counting_to(epochs)};
  using Metrics = retort::EpochMetrics;
  using Level = std::optional<double>;

  const auto accuracies = lines_of(
      report, [](const Metrics& metrics) { return 100.0 * metrics.validation->accuracy; },
      [](const ReportRow& row) { return Level(100.0 * row.evaluation.accuracy); });
  // Half an image: no error at all lies beyond one error.
  const double least_missing = 50.0 / static_cast<double>(report.held_out);
  const auto losses = lines_of(
      report, [](const Metrics& metrics) { return metrics.validation->loss; },
      [](const ReportRow& row) { return Level(row.evaluation.loss); });
  const auto trained =
      lines_of(report, [](const Metrics& metrics) { return metrics.loss; }, [](const ReportRow&) { return Level(); });
  return element("div", "class=\"charts\"",
                 figure({.title = "Accuracy on the images held out",
                         .x = by_epoch,
                         .y = {"accuracy, %", Scale::towards_hundred(heights_of(accuracies), least_missing)},
                         .lines = accuracies,
                         .digits = 2}) +
                     figure({.title = "Cross-entropy on the images held out",
                             .x = by_epoch,
                             .y = {"cross-entropy, nats", Scale::fitting(heights_of(losses))},
                             .lines = losses,
                             .digits = 3}) +
                     figure({.title = "Trained loss, each model's own",
                             .x = by_epoch,
                             .y = {"trained loss", Scale::fitting(heights_of(trained))},
                             .lines = trained,
                             .digits = 3})) +
         examples::paragraph(
             std::string("Dots carry a model's last value on to the side. The trained losses are not of one kind: ") +
             (report.teacher ? "teacher and student alone minimise" : "the student alone minimises") +
             " the cross-entropy of the labels, the distilled student " + report.loss + ".");
}

/// How one of the networks was trained: a cell of each row of the settings' table.
std::vector<std::string> settings_of(const Options& options, const examples::TrainingOptions& training,
                                     std::size_t images, const std::string& loss) {
  return {with_separators(images),
          with_separators(std::min(options.batch_size, images)),
          loss,
          retort::describe_settings(options.adam_for(training)),
          training.schedule_with_warmup().describe(),
          training.augmentation.is_set() ? retort::describe_settings(training.augmentation) : "none"};
}

std::string settings_table(const Options& options, const Report& report) {
  const bool trained = report.teacher && !report.teacher->history.empty();
  const std::string labels = retort::describe_settings(retort::CrossEntropy{});
  std::vector<Column> columns{{"setting", Column::Kind::text}};
  std::vector<std::vector<std::string>> networks;
  const auto add = [&](const ReportRow& row, std::vector<std::string> settings) {
    columns.push_back({row.name, Column::Kind::text});
    networks.push_back(std::move(settings));
  };
  if (trained) {
    add(*report.teacher, settings_of(options, options.teacher, report.training_images, labels));
  }
  add(report.alone, settings_of(options, options.student, report.student_images, labels));
  add(report.distilled, settings_of(options, options.student, report.student_images, report.loss));

  examples::Table table("How each was trained", columns);
  std::size_t place = 0;
  for (const char* name : {"training images", "batch", "loss", "optimizer", "schedule", "augmentation"}) {
    std::vector<std::string> row{name};
    for (const std::vector<std::string>& settings : networks) {
      row.push_back(settings[place]);
    }
    table.add_row(row);
    ++place;
  }
  if (trained) {
    return table.markup();
  }
  return table.markup() + examples::paragraph(report.teacher
                                                  ? "The teacher was loaded from " + options.teacher_file.string() + "."
                                                  : "The teacher is " + report.teacher_table + ".");
}

}  // namespace

void write_report_page(const Options& options, const Report& report, const retort::data::Dataset& held_out) {
  const std::string data =
      retort::concatenate({with_separators(report.student_images), " of ", with_separators(report.training_images),
                           " training images for the students; images from ", options.data.string(), ", ",
                           options.split, " split. One run is one seed."});
  examples::write_page(
      options.report, retort::concatenate({"distill_mnist, recipe ", report.recipe, ", seed ", options.seed}),
      element("p", "class=\"lead\"", examples::escaped(comparison(report))) + examples::paragraph(data) +
          section("Result", result_table(report)) + section("By epoch", curves(report)) +
          section("Settings", settings_table(options, report) +
                                  (report.deviation.empty() ? "" : examples::paragraph(report.deviation))) +
          mistakes(report, held_out));
}

}  // namespace distill_mnist

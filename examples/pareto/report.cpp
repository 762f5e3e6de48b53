// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "common/chart.hpp"
#include "common/number_text.hpp"
#include "common/page.hpp"
#include "common/scale.hpp"
#include "retort/core/text.hpp"

namespace pareto {

namespace {

using examples::counted;
using examples::fixed;
using examples::with_separators;
using retort::concatenate;

std::string mean_and_deviation(const retort::Statistics& statistics) {
  return fixed(statistics.mean, 2) + " \u00B1 " + fixed(statistics.standard_deviation, 2);
}

std::string caption(const Report& report) {
  return concatenate({"Means and standard deviations over ", counted(report.rows.front().held_out.count, "seed"), "; ",
                      with_separators(report.held_out_images), " training images held out, ",
                      with_separators(report.test_images), " test images"});
}

std::string table_of(const Report& report) {
  using examples::Column;
  examples::Table table(caption(report), {{"student", Column::Kind::text},
                                          {"form", Column::Kind::text},
                                          {"bytes"},
                                          {"stack"},
                                          {"multiply-adds"},
                                          {"held out, %"},
                                          {"test, %"},
                                          {"\u00B5s", Column::Kind::seconds},
                                          {"chosen setting", Column::Kind::text}});
  for (const Row& row : report.rows) {
    table.add_row({row.student + (is_worth_its_bytes(report, row) ? " *" : ""), row.form, with_separators(row.bytes),
                   with_separators(row.stack), with_separators(row.multiply_adds), mean_and_deviation(row.held_out),
                   mean_and_deviation(row.test), fixed(row.microseconds, 2), row.setting});
  }
  return table.markup();
}

/// The accuracy on test images by a cost, a line for each form.
template <typename Cost>
std::string chart(const Report& report, const char* title, const char* unit, const Cost& cost) {
  std::vector<examples::Line> lines;
  std::vector<double> costs;
  for (const char* form : {"float32", "int8", "int4"}) {
    examples::Line line{.name = form, .points = {}, .style = lines.size(), .joined = false};
    for (const Row& row : report.rows) {
      if (row.form == form) {
        line.points.push_back({cost(row), row.test.mean, row.test.standard_deviation});
        costs.push_back(cost(row));
      }
    }
    std::ranges::sort(line.points, {}, &examples::Point::x);
    lines.push_back(std::move(line));
  }
  using examples::Scale;
  return examples::figure({.title = title,
                           .x = {unit, Scale::fitting(costs)},
                           .y = {"test images right, %", Scale::fitting(heights_of(lines))},
                           .lines = lines});
}

std::string charts(const Report& report) {
  return chart(report, "Accuracy by size", "bytes of constants",
               [](const Row& row) { return static_cast<double>(row.bytes); }) +
         chart(report, "Accuracy by work", "multiply-adds a sample",
               [](const Row& row) { return static_cast<double>(row.multiply_adds); }) +
         chart(report, "Accuracy by time", "\u00B5s a sample", [](const Row& row) { return row.microseconds; });
}

}  // namespace

bool is_worth_its_bytes(const Report& report, const Row& row) {
  return std::ranges::none_of(report.rows, [&](const Row& other) {
    const bool dearer = other.bytes > row.bytes || other.held_out.mean < row.held_out.mean;
    return !dearer && (other.bytes < row.bytes || other.held_out.mean > row.held_out.mean);
  });
}

std::string choice(const Report& report, const std::filesystem::path& folder) {
  const Row* best = nullptr;
  for (const Row& row : report.rows) {
    if (row.bytes <= report.budget && (best == nullptr || row.held_out.mean > best->held_out.mean)) {
      best = &row;
    }
  }
  if (best == nullptr) {
    const Row& smallest = report.rows.front();
    return concatenate({"Nothing fits ", with_separators(report.budget), " bytes: the smallest, ", smallest.student,
                        " in ", smallest.form, ", has ", with_separators(smallest.bytes), "."});
  }
  return concatenate({"Within ", with_separators(report.budget), " bytes: ", best->student, " in ", best->form, ", ",
                      with_separators(best->bytes), " bytes, ", fixed(best->test.mean, 2), " % of the test images",
                      folder.empty() ? "" : ", " + (folder / best->file).string(), "."});
}

void print(const Report& report) {
  std::printf("\n%s\n%zu epochs; us a sample: %s; *: no smaller one is as accurate on images held out\n\n",
              caption(report).c_str(), report.epochs, report.timed.c_str());
  std::printf("%-14s  %-7s  %7s  %5s  %6s  %15s  %15s  %6s  %s\n", "student", "form", "bytes", "stack", "mul-ad",
              "held out, %", "test, %", "us", "chosen setting");
  for (const Row& row : report.rows) {
    std::printf("%-12s %c  %-7s  %7zu  %5zu  %6zu  %6.2f +- %5.2f  %6.2f +- %5.2f  %6.2f  %s\n", row.student.c_str(),
                is_worth_its_bytes(report, row) ? '*' : ' ', row.form.c_str(), row.bytes, row.stack, row.multiply_adds,
                row.held_out.mean, row.held_out.standard_deviation, row.test.mean, row.test.standard_deviation,
                row.microseconds, row.setting.c_str());
  }
}

void write_report_page(const std::filesystem::path& path, const Report& report, const std::string& choice) {
  examples::write_page(
      path, "pareto",
      examples::paragraph(choice) +
          examples::section("What accuracy costs", examples::element("div", "class=\"charts\"", charts(report))) +
          examples::section(
              "Every width and form",
              table_of(report) +
                  examples::paragraph(concatenate(
                      {"* No smaller one is as accurate on images held out. Bytes are constants: weights, biases and "
                       "factors; code is not counted. The stack is that of activations. Time: ",
                       report.timed, ". ", report.epochs, " epochs."}))));
}

}  // namespace pareto

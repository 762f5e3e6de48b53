// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the students cost and how good they are, on the terminal and as a page.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "retort/core/statistics.hpp"

namespace pareto {

/// The students of one width and form.
struct Row {
  std::string student;
  std::string form;     ///< "float32", "int8" or "int4"
  std::string setting;  ///< the chosen one
  std::string file;     ///< its name; of the seed with the fewest errors on held-out images
  std::size_t bytes = 0;
  std::size_t stack = 0;
  std::size_t multiply_adds = 0;
  double microseconds = 0.0;
  retort::Statistics held_out{};  ///< accuracy in percent, over the seeds
  retort::Statistics test{};
};

struct Report {
  std::vector<Row> rows;  ///< by rising bytes
  std::size_t held_out_images = 0;
  std::size_t test_images = 0;
  std::size_t epochs = 0;
  std::size_t budget = 0;
  std::string timed;  ///< what the microseconds are those of
};

/// Whether no smaller row, and none as small, is as accurate on held-out images: those to choose from.
bool is_worth_its_bytes(const Report& report, const Row& row);

/// The most accurate on held-out images of those within the budget, as a sentence. `folder` has the files; empty: they
/// are not kept.
std::string choice(const Report& report, const std::filesystem::path& folder);

void print(const Report& report);

/// Throws retort::FileError.
void write_report_page(const std::filesystem::path& path, const Report& report, const std::string& choice);

}  // namespace pareto

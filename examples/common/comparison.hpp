// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Networks compared by their errors over seeds: what programs print of it, and show on a page.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "retort/core/statistics.hpp"

namespace examples {

/// The errors that networks trained in one way make, one number for each seed.
struct Competitor {
  std::string name;
  std::vector<double> errors{};
  std::string note{};  ///< such as its setting
};

/// How many more errors a competitor makes than the one it is measured by, seed by seed.
struct Difference {
  retort::Statistics more;
  double p = 1.0;  ///< of the exact sign-flip test of these differences, two-sided
};

/// Its competitors are in the order in which they were first named.
class Comparison {
 public:
  /// The competitor named `baseline` is what the others are measured by.
  explicit Comparison(std::string baseline) : baseline_(std::move(baseline)) {}

  /// Notes the errors of the next seed.
  void add(std::string_view name, double errors);
  void add(Competitor competitor) { competitors_.push_back(std::move(competitor)); }

  const std::vector<Competitor>& competitors() const { return competitors_; }

  /// None for the baseline itself, and for what does not have as many seeds, two or more.
  std::optional<Difference> difference(const Competitor& competitor) const;

  /// A drawing with a row for each competitor, and a table.
  std::string markup(const std::string& caption) const;

 private:
  std::string baseline_;
  std::vector<Competitor> competitors_{};
};

/// A page of one comparison. `made` says how. Throws retort::FileError.
void write_comparison_page(const std::filesystem::path& path, std::string_view program, const Comparison& comparison,
                           const std::string& caption, std::string_view made);

}  // namespace examples

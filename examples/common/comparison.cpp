// SPDX-License-Identifier: MIT
#include "common/comparison.hpp"

#include <algorithm>
#include <utility>

#include "common/number_text.hpp"
#include "common/page.hpp"
#include "common/scale.hpp"
#include "common/svg.hpp"
#include "retort/core/text.hpp"

namespace examples {

namespace {

constexpr double row_height = 34.0;  // a name, and the dots below it
constexpr double margin = 8.0;

std::string mean_and_deviation(const retort::Statistics& statistics) {
  const std::string mean = fixed(statistics.mean, statistics.count == 1 ? 0 : 1);
  return statistics.count == 1 ? mean : mean + " \u00B1 " + fixed(statistics.standard_deviation, 1);
}

/// A dot for each seed; of several also the mean with its deviation.
std::string drawing(const std::vector<Competitor>& competitors) {
  const bool several = std::ranges::any_of(competitors, [](const auto& each) { return each.errors.size() > 1; });
  const std::string title = several ? "Errors of each seed, with means and standard deviations" : "Errors";
  std::vector<double> all;
  for (const Competitor& competitor : competitors) {
    const auto [count, mean, deviation] = retort::statistics(competitor.errors);
    all.insert(all.end(), competitor.errors.begin(), competitor.errors.end());
    all.insert(all.end(), {mean - deviation, mean + deviation});
  }
  const Scale scale = Scale::fitting(all);
  const auto x = [&](double value) { return margin + scale.place(value) * (svg::width - 2 * margin); };
  const double bottom = row_height * static_cast<double>(competitors.size()) + margin;
  std::string markup;
  double free = 0.0;  // where the next label may begin
  for (const Tick& tick : scale.ticks()) {
    const double half = 0.5 * svg::letter_width * static_cast<double>(tick.label.size());
    if (x(tick.value) - half >= free && x(tick.value) + half <= svg::width) {
      markup += svg::straight("grid", x(tick.value), margin, x(tick.value), bottom + 4.0) +
                svg::words("tick middle", x(tick.value), bottom + 18.0, tick.label);
      free = x(tick.value) + half + svg::letter_width;
    }
  }
  std::string summary = title + ". Means:";
  for (std::size_t i = 0; i < competitors.size(); ++i) {
    const auto [name, errors, note] = competitors[i];
    const retort::Statistics statistics = retort::statistics(errors);
    const double top = margin + row_height * static_cast<double>(i);
    std::string dots;
    for (const double value : errors) {
      dots += svg::dot(x(value), top + 22.0, errors.size() > 1 ? 2.0 : 4.0);
    }
    if (errors.size() > 1) {
      dots += svg::error_bar(x(statistics.mean - statistics.standard_deviation), top + 22.0,
                             x(statistics.mean + statistics.standard_deviation), top + 22.0) +
              svg::straight("mean", x(statistics.mean), top + 15.0, x(statistics.mean), top + 29.0);
    }
    const std::string label = name + ": " + mean_and_deviation(statistics);
    markup += svg::words("", margin, top + 11.0, label) + element("g", "class=\"s1\"", dots);
    summary += (i == 0 ? " " : ", ") + label;
  }
  return svg::figure(title, summary, bottom + 24.0, markup);
}

}  // namespace

void Comparison::add(std::string_view name, double errors) {
  auto place = std::ranges::find(competitors_, name, &Competitor::name);
  if (place == competitors_.end()) {
    place = competitors_.insert(place, {.name = std::string(name)});
  }
  place->errors.push_back(errors);
}

std::optional<Difference> Comparison::difference(const Competitor& competitor) const {
  const auto baseline = std::ranges::find(competitors_, baseline_, &Competitor::name);
  if (baseline == competitors_.end() || competitor.name == baseline_ || competitor.errors.size() < 2 ||
      competitor.errors.size() != baseline->errors.size()) {
    return std::nullopt;
  }
  std::vector<double> more(competitor.errors.size());
  std::ranges::transform(competitor.errors, baseline->errors, more.begin(), [](double x, double y) { return x - y; });
  return Difference{retort::statistics(more), retort::sign_flip_p_value(more)};
}

std::string Comparison::markup(const std::string& caption) const {
  const bool with_notes = std::ranges::any_of(competitors_, [](const auto& each) { return !each.note.empty(); });
  const bool with_differences =
      std::ranges::any_of(competitors_, [&](const auto& each) { return difference(each).has_value(); });
  std::vector<Column> columns{{"network", Column::Kind::text}, {"errors"}};
  if (with_differences) {
    columns.insert(columns.end(), {{"fewest"}, {"more than " + baseline_}, {"p"}});
  }
  if (with_notes) {
    columns.push_back({"setting", Column::Kind::text});
  }
  Table table(caption, columns);
  for (const Competitor& competitor : competitors_) {
    std::vector<std::string> cells{competitor.name, mean_and_deviation(retort::statistics(competitor.errors))};
    if (with_differences) {
      const std::optional<Difference> found = difference(competitor);
      cells.insert(cells.end(), {fixed(std::ranges::min(competitor.errors), 0),
                                 found ? mean_and_deviation(found->more) : "", found ? fixed(found->p, 4) : ""});
    }
    if (with_notes) {
      cells.push_back(competitor.note);
    }
    table.add_row(cells);
  }
  return element("div", "class=\"charts\"", drawing(competitors_)) + table.markup();
}

void write_comparison_page(const std::filesystem::path& path, std::string_view program, const Comparison& comparison,
                           const std::string& caption, std::string_view made) {
  write_page(path, program,
             section("Test errors", comparison.markup(caption)) + section("How it was made", paragraph(made)));
}

}  // namespace examples

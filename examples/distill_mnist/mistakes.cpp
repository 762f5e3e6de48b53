// SPDX-License-Identifier: MIT
#include "mistakes.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "answers.hpp"
#include "common/number_text.hpp"
#include "common/page.hpp"
#include "common/picture.hpp"
#include "retort/core/text.hpp"
#include "retort/data/matrix.hpp"

namespace distill_mnist {

namespace {

using examples::element;
using examples::fixed;
using examples::section;
using examples::with_separators;
using retort::concatenate;

constexpr std::size_t most_images = 12;
constexpr std::size_t most_pairs = 5;

std::string percent(double probability) { return fixed(100.0 * probability, 1) + " %"; }

/// A cell, shaded by the share of its count in the largest of its kind.
std::string cell(std::size_t count, bool right, std::size_t largest) {
  if (count == 0) {
    return element("td", right ? "" : "class=\"none\"", "0");
  }
  const double share = std::sqrt(static_cast<double>(count) / static_cast<double>(largest));
  return element(
      "td", concatenate({"class=\"", right ? "right" : "wrong", "\" style=\"--share:", fixed(0.6 * share, 2), "\""}),
      with_separators(count));
}

std::string matrix_table(const ConfusionMatrix& counts) {
  std::size_t most_right = 1;
  std::size_t most_wrong = 1;
  for (std::size_t label = 0; label < classes; ++label) {
    for (std::size_t k = 0; k < classes; ++k) {
      std::size_t& most = k == label ? most_right : most_wrong;
      most = std::max(most, counts[label][k]);
    }
  }
  std::string headings = element("th", "scope=\"col\"", "label");
  std::string rows;
  for (std::size_t label = 0; label < classes; ++label) {
    headings += element("th", "scope=\"col\"", retort::to_text(label));
    std::string row = element("th", "scope=\"row\"", retort::to_text(label));
    for (std::size_t k = 0; k < classes; ++k) {
      row += cell(counts[label][k], k == label, k == label ? most_right : most_wrong);
    }
    rows += element("tr", "", row);
  }
  return element("table", "class=\"matrix\"",
                 element("caption", "", "Images by their label (rows) and the distilled student's answer (columns)") +
                     element("thead", "", element("tr", "", headings)) + element("tbody", "", rows));
}

/// "Most often it takes 4 for 9 (31 times), ...".
std::string frequent_mistakes(const ConfusionMatrix& counts) {
  using Pair = std::tuple<std::size_t, std::size_t, std::size_t>;  // count, label, answer
  std::vector<Pair> pairs;
  for (std::size_t label = 0; label < classes; ++label) {
    for (std::size_t k = 0; k < classes; ++k) {
      if (k != label && counts[label][k] > 0) {
        pairs.emplace_back(counts[label][k], label, k);
      }
    }
  }
  if (pairs.empty()) {
    return "It makes no mistake.";
  }
  std::ranges::sort(pairs, [](const Pair& a, const Pair& b) {
    return std::get<0>(a) != std::get<0>(b) ? std::get<0>(a) > std::get<0>(b) : a < b;
  });
  std::string text = "Most often it takes";
  for (std::size_t i = 0; i < std::min(pairs.size(), most_pairs); ++i) {
    const auto& [count, label, taken_for] = pairs[i];
    text += concatenate({i == 0 ? " " : ", ", label, " for ", taken_for, " (", with_separators(count),
                         count == 1 ? " time)" : " times)"});
  }
  return text + ".";
}

/// "teacher 4 (98.1 %)".
std::string says(const char* who, const Probabilities& probabilities) {
  const std::size_t most = answer(probabilities);
  return concatenate({who, " ", most, " (", percent(probabilities[most]), ")"});
}

/// What the networks say, each if it is one.
std::string all_say(const std::optional<Probabilities>& teacher, const Probabilities& student) {
  return (teacher ? says("teacher", *teacher) + ", " : "") + says("student", student);
}

/// The networks' probabilities of each digit, side by side; the label is marked.
std::string bars(const std::optional<Probabilities>& teacher, const Probabilities& student, std::size_t label) {
  constexpr double bar_width = 8.0;
  constexpr double group_width = 22.0;
  constexpr double full = 80.0;
  std::string svg = element(
      "title", "", concatenate({"Probabilities of the digits: ", all_say(teacher, student), "; label ", label}));
  const auto rectangle = [&](const char* style, double x, double probability) {
    const double height = full * probability;
    if (height >= 0.1) {
      svg += concatenate({"<rect class=\"bar ", style, "\" x=\"", x, "\" y=\"", fixed(full - height, 1), "\" width=\"",
                          bar_width, "\" height=\"", fixed(height, 1), "\"/>\n"});
    }
  };
  svg += "<path class=\"grid\" d=\"M0 0.5H220M0 40H220M0 80H220\"/>\n";
  for (std::size_t k = 0; k < classes; ++k) {
    const double x = group_width * static_cast<double>(k);
    if (teacher) {
      rectangle("s0", x + 2.0, (*teacher)[k]);
    }
    rectangle("s2", x + 2.0 + bar_width, student[k]);
    svg += element("text",
                   concatenate({"class=\"middle", k == label ? " strong" : "", "\" x=\"", x + 2.0 + bar_width,
                                "\" y=\"", full + 15.0, "\""}),
                   retort::to_text(k));
  }
  return element("svg", "viewBox=\"0 0 220 100\" role=\"img\"", svg);
}

std::string image_item(const Report& report, const retort::data::Dataset& images, std::size_t image) {
  const std::size_t label = images.labels()[image];
  const std::optional<Probabilities> teacher =
      report.teacher ? std::optional(probabilities_of(report.teacher->logits, image)) : std::nullopt;
  const Probabilities student = probabilities_of(report.distilled.logits, image);
  std::string picture;
  if (const auto* bytes = std::get_if<retort::data::Matrix<std::uint8_t>>(&images.features())) {
    picture = concatenate({"<img alt=\"image ", image, ", label ", label, "\" src=\"",
                           examples::picture_address(bytes->row(image), images.image().rows, images.image().columns),
                           "\"/>\n"});
  }
  return element(
      "li", "",
      element("figure", "",
              picture + bars(teacher, student, label) +
                  element("figcaption", "",
                          concatenate({"image ", image, ": label ", label, ", ", all_say(teacher, student)}))));
}

}  // namespace

std::string mistakes(const Report& report, const retort::data::Dataset& held_out) {
  const std::vector<float>& logits = report.distilled.logits;
  const ConfusionMatrix counts = confusion_matrix(logits, held_out.labels());
  std::string body =
      section("What the distilled student confuses", examples::scrolling("Confusion matrix", matrix_table(counts)) +
                                                         examples::paragraph(frequent_mistakes(counts)));
  std::string items;
  for (const std::size_t image : worst_mistakes(logits, held_out.labels(), most_images)) {
    items += image_item(report, held_out, image);
  }
  if (!items.empty()) {
    body += section("Its worst mistakes",
                    element("p", "",
                            "The images held out to whose label the distilled student gives the least probability. "
                            "Bars: the probability of each digit, from 0 to 100 %, by" +
                                std::string(report.teacher ? "<span class=\"key s0\"></span>the teacher and" : "") +
                                "<span class=\"key s2\"></span>the distilled student; the label is underlined.") +
                        element("ul", "class=\"digits\"", items));
  }
  return body;
}

}  // namespace distill_mnist

// SPDX-License-Identifier: MIT
#include "common/svg.hpp"

#include "common/number_text.hpp"
#include "common/page.hpp"
#include "retort/core/text.hpp"

namespace examples::svg {

using retort::concatenate;

std::string number(double value) { return fixed(value, 1); }

std::string straight(std::string_view kind, double x1, double y1, double x2, double y2) {
  return concatenate({"<line class=\"", kind, "\" x1=\"", number(x1), "\" y1=\"", number(y1), "\" x2=\"", number(x2),
                      "\" y2=\"", number(y2), "\"/>\n"});
}

std::string words(std::string_view kind, double x, double y, std::string_view text) {
  return element("text", concatenate({"class=\"", kind, "\" x=\"", number(x), "\" y=\"", number(y), "\""}),
                 escaped(text));
}

std::string error_bar(double x1, double y1, double x2, double y2) {
  const auto path = [](double first_x, double first_y, double last_x, double last_y) {
    return concatenate({"M", number(first_x), " ", number(first_y), "L", number(last_x), " ", number(last_y)});
  };
  const double foot_x = x1 == x2 ? 3.0 : 0.0;
  const double foot_y = 3.0 - foot_x;
  return concatenate({"<path class=\"spread\" d=\"", path(x1, y1, x2, y2),
                      path(x1 - foot_x, y1 - foot_y, x1 + foot_x, y1 + foot_y),
                      path(x2 - foot_x, y2 - foot_y, x2 + foot_x, y2 + foot_y), "\"/>\n"});
}

std::string dot(double x, double y, double radius) {
  return concatenate(
      {"<circle class=\"dot\" cx=\"", number(x), "\" cy=\"", number(y), "\" r=\"", number(radius), "\"/>\n"});
}

std::string figure(std::string_view title, std::string_view summary, double height, std::string_view content) {
  const std::string view = concatenate({"viewBox=\"0 0 ", width, " ", height, "\" role=\"img\""});
  return element("figure", "",
                 concatenate({"\n", element("figcaption", "", escaped(title)),
                              element("svg", view, element("title", "", escaped(summary)) + std::string(content))}));
}

}  // namespace examples::svg

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What drawings are made of, as SVG within a page.

#include <string>
#include <string_view>

namespace examples::svg {

/// Of every drawing, in the units of its numbers.
inline constexpr double width = 420.0;
/// A letter is about as wide at most.
inline constexpr double letter_width = 7.5;

std::string number(double value);

/// A line of a kind that page_style.hpp has.
std::string straight(std::string_view kind, double x1, double y1, double x2, double y2);

/// `text`, whatever is in it, at the foot of its first letter.
std::string words(std::string_view kind, double x, double y, std::string_view text);

/// An upright or level line with feet across its ends.
std::string error_bar(double x1, double y1, double x2, double y2);

std::string dot(double x, double y, double radius);

/// A figure with `title` as its caption; `summary` says to a screen reader what the markup `content` shows.
std::string figure(std::string_view title, std::string_view summary, double height, std::string_view content);

}  // namespace examples::svg

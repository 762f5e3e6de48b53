// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The forms of values in an error's one line.

#include <array>
#include <string>
#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data::detail {

using retort::in_quotes;

/// "28 x 28" from two or more extents.
template <typename Extents>
std::string extents_text(const Extents& extents) {
  std::string text;
  for (const auto extent : extents) {
    text += concatenate({text.empty() ? "" : " x ", extent});
  }
  return text;
}

/// "28 x 28", with channels "3 x 32 x 32".
inline std::string image_text(const ImageShape& image) {
  const std::string extents = extents_text(std::array{image.rows, image.columns});
  return image.channels == 1 ? extents : concatenate({image.channels, " x ", extents});
}

/// "0x08".
inline std::string hex_text(unsigned byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  return {'0', 'x', digits[byte >> 4 & 15u], digits[byte & 15u]};
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data::detail

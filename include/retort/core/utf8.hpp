// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Text in UTF-8, character by character.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// The beginning of a text: a character of `bytes` bytes, or that many bytes that belong to none.
struct Utf8Character {
  std::uint32_t code;
  std::size_t bytes;
  bool valid;
};

/// Precondition: `text` is not empty. The Unicode Standard, table 3-7: neither overlong forms nor surrogates.
[[gnu::cold]] inline Utf8Character first_character(std::string_view text) {
  constexpr std::uint32_t replacement = 0xFFFD;
  const auto byte = [&](std::size_t index) { return std::uint32_t{static_cast<unsigned char>(text[index])}; };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) {
    return {lead, 1, true};
  }
  if (lead < 0xC2 || lead > 0xF4) {
    return {replacement, 1, false};
  }
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  std::uint32_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  std::uint32_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  std::uint32_t code = lead & (0x7Fu >> length);
  for (std::size_t index = 1; index < length; ++index) {
    if (index == text.size() || byte(index) < low || byte(index) > high) {
      return {replacement, index, false};
    }
    code = code << 6 | (byte(index) & 0x3Fu);
    low = 0x80;
    high = 0xBF;
  }
  return {code, length, true};
}

[[gnu::cold]] inline bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    if (!character.valid) {
      return false;
    }
    text.remove_prefix(character.bytes);
  }
  return true;
}

/// "\u00e9": the escape of JSON, which people can read too; two of them from U+10000 on.
[[gnu::cold]] inline void append_unicode_escape(std::string& text, std::uint32_t code) {
  if (code >= 0x10000) {
    append_unicode_escape(text, 0xD800 + ((code - 0x10000) >> 10));
    code = 0xDC00 + ((code - 0x10000) & 0x3FFu);
  }
  text += "\\u";
  for (const int shift : {12, 8, 4, 0}) {
    text += "0123456789abcdef"[code >> shift & 15u];
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

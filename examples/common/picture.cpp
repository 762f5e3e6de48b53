// SPDX-License-Identifier: MIT
#include "common/picture.hpp"

#include <initializer_list>
#include <string_view>

namespace examples {

namespace {

void append_bytes(std::string& text, std::size_t value, int bytes) {
  for (int byte = 0; byte < bytes; ++byte) {  // the lowest first
    text += static_cast<char>(value >> (8 * byte) & 0xFFu);
  }
}

/// RFC 4648.
std::string base64(std::string_view bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = at; i < at + 3; ++i) {
      group = group << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += at + i > bytes.size() ? '=' : letters[group >> (18 - 6 * i) & 63u];
    }
  }
  return text;
}

}  // namespace

std::string picture_address(std::span<const std::uint8_t> pixels, std::size_t rows, std::size_t columns) {
  constexpr std::size_t greys = 16;
  constexpr std::size_t header = 14 + 40;  // BITMAPFILEHEADER and BITMAPINFOHEADER
  const std::size_t row_bytes = (columns + 7) / 8 * 4;
  std::string file = "BM";
  append_bytes(file, header + 4 * greys + rows * row_bytes, 4);
  append_bytes(file, 0, 4);
  append_bytes(file, header + 4 * greys, 4);
  append_bytes(file, 40, 4);
  append_bytes(file, columns, 4);
  append_bytes(file, rows, 4);
  append_bytes(file, 1, 2);  // planes
  append_bytes(file, 4, 2);  // bits a pixel
  for (const std::size_t field :
       {std::size_t{0}, rows * row_bytes, std::size_t{2835}, std::size_t{2835}, greys, greys}) {
    append_bytes(file, field,
                 4);  // not compressed, bytes of pixels, 72 dots an inch both ways, colours, important ones
  }
  for (std::size_t grey = 0; grey < greys; ++grey) {
    append_bytes(file, grey * 0x111111u, 4);
  }
  for (std::size_t row = rows; row-- > 0;) {  // from the bottom
    std::string line(row_bytes, '\0');
    for (std::size_t column = 0; column < columns; ++column) {
      const unsigned grey = (pixels[row * columns + column] * 15u + 127u) / 255u;
      line[column / 2] =
          static_cast<char>(static_cast<unsigned char>(line[column / 2]) | grey << (column % 2 == 0 ? 4u : 0u));
    }
    file += line;
  }
  return "data:image/bmp;base64," + base64(file);
}

}  // namespace examples

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Small pictures within a page.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace examples {

/// The address of a picture for `<img src="...">` that holds the picture itself: a BMP of sixteen greys. `pixels` are
/// from 0, black, to 255, row by row from the top. Precondition: rows * columns of them.
std::string picture_address(std::span<const std::uint8_t> pixels, std::size_t rows, std::size_t columns);

}  // namespace examples

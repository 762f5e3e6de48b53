// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Numbers as people read them.

#include <cstddef>
#include <string>
#include <string_view>

namespace examples {

/// 2395210 as "2,395,210".
std::string with_separators(std::size_t number);

/// 1 and "seed" as "1 seed", 2395 as "2,395 seeds".
std::string counted(std::size_t number, std::string_view thing);

/// 0.12345 with 2 digits behind the point as "0.12".
std::string fixed(double value, int digits);

}  // namespace examples

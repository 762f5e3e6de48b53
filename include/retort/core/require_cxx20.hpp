// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Every header that includes no other header of the library includes this one, so that a compiler told to use an older
/// standard reads nothing of the library.

#if __cplusplus < 202002L
#error "retort needs C++20: compile with -std=c++20 (CMake: cxx_std_20; Meson: cpp_std=c++20) or newer"
// An #error alone does not stop a compiler, and thousands of errors would follow it; a missing file does.
#include "the error above stops here"
#endif

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The first words of the library: every header that includes no other of it includes this one, so that nothing of it
/// is read by a compiler that is told to use an older standard.

#if __cplusplus < 202002L
#error "retort needs C++20: compile with -std=c++20 (CMake: cxx_std_20; Meson: cpp_std=c++20) or newer"
// An #error alone does not stop a compiler, and thousands of errors would follow it; a file that is not there does.
#include "the error above stops here"
#endif

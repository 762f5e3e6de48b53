// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Throws one of the library's exceptions in a shared object of which nothing else is visible.

#include <string>

enum class Thrown {
  error,
  file,
  format,
  shape,
  option,
  divergence,
  device,
  json,
  stopped,
  setting,
  unlabelled,
  memory
};

[[gnu::visibility("default")]] void throw_error(Thrown which);

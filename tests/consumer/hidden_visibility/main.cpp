// SPDX-License-Identifier: MIT
// Catches in the program what a shared object threw, by its own type and by that of all.

#include <cstdio>
#include <exception>
#include <new>

#include "errors.hpp"
#include "retort/core/error.hpp"
#include "retort/core/json.hpp"
#include "retort/core/out_of_memory.hpp"
#include "retort/data/csv_images.hpp"
#include "retort/train/checkpoint.hpp"

namespace {

int failures = 0;

template <typename Expected, typename Base = retort::Error>
void check(Thrown which, const char* name) {
  try {
    throw_error(which);
  } catch (const Expected&) {
  } catch (const std::exception& other) {
    std::printf("%s is not caught as itself: %s\n", name, other.what());
    ++failures;
  }
  try {
    throw_error(which);
  } catch (const Base&) {
  } catch (const std::exception& other) {
    std::printf("%s is not caught as what it derives from: %s\n", name, other.what());
    ++failures;
  }
}

}  // namespace

int main() {
  check<retort::Error>(Thrown::error, "Error");
  check<retort::FileError>(Thrown::file, "FileError");
  check<retort::FormatError>(Thrown::format, "FormatError");
  check<retort::ShapeError>(Thrown::shape, "ShapeError");
  check<retort::OptionError>(Thrown::option, "OptionError");
  check<retort::DivergenceError>(Thrown::divergence, "DivergenceError");
  check<retort::DeviceError>(Thrown::device, "DeviceError");
  check<retort::JsonError>(Thrown::json, "JsonError");
  check<retort::StoppedError>(Thrown::stopped, "StoppedError");
  check<retort::SettingError, retort::OptionError>(Thrown::setting, "SettingError");
  check<retort::UnlabelledError, retort::FormatError>(Thrown::unlabelled, "UnlabelledError");
  check<retort::OutOfMemoryError, std::bad_alloc>(Thrown::memory, "OutOfMemoryError");
  return failures == 0 ? 0 : 1;
}

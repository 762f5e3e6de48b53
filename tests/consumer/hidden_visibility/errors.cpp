// SPDX-License-Identifier: MIT
#include "errors.hpp"

#include "retort/core/error.hpp"
#include "retort/core/json.hpp"
#include "retort/core/out_of_memory.hpp"
#include "retort/data/csv_images.hpp"
#include "retort/train/checkpoint.hpp"

void throw_error(Thrown which) {
  switch (which) {
    case Thrown::error:
      throw retort::Error("an error");
    case Thrown::file:
      throw retort::FileError("file", "cannot be read");
    case Thrown::format:
      throw retort::FormatError("file", "is none");
    case Thrown::shape:
      throw retort::ShapeError("a shape");
    case Thrown::option:
      throw retort::OptionError("an option");
    case Thrown::divergence:
      throw retort::DivergenceError("a divergence");
    case Thrown::device:
      throw retort::DeviceError("a device");
    case Thrown::json:
      throw retort::JsonError(3, "the end");
    case Thrown::stopped:
      throw retort::StoppedError("stopped as asked");
    case Thrown::setting:
      throw retort::SettingError("made with another seed", "seed");
    case Thrown::unlabelled:
      throw retort::UnlabelledError("file", "has no labels");
    case Thrown::memory:
      throw retort::OutOfMemoryError("logits", 12);
  }
}

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The exceptions of the library. Whatever a user or a file can get wrong at run time throws one of these; `what()` is
/// one line that names the file, field or option and what was expected. Mistakes that types can catch do not compile
/// instead.

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"

namespace retort {

/// The base of every exception the library throws on purpose. Whatever a message was put together from, `what()` is
/// printable(), of at most 4,000 characters.
class Error : public std::runtime_error {
 public:
  [[gnu::cold, gnu::noinline]] explicit Error(std::string_view message)
      : std::runtime_error(printable(message, 4000)) {}
};

/// `path` as messages name it: printable, and cut where it is longer than any path that a system opens is likely to be.
[[gnu::cold, gnu::noinline]] inline std::string path_text(const std::filesystem::path& path) {
  return printable(path.string(), 1000);
}

/// A file or folder that cannot be opened, read, written or replaced: `what()` is "PATH: reason".
class FileError : public Error {
 public:
  [[gnu::cold, gnu::noinline]] FileError(const std::filesystem::path& path, const std::string& reason)
      : Error(concatenate({path_text(path), ": ", reason})) {}
};

/// A file whose bytes are not what its format requires: `what()` is "PATH: field, what stands there, what was
/// expected".
class FormatError : public Error {
 public:
  [[gnu::cold, gnu::noinline]] FormatError(const std::filesystem::path& path, const std::string& reason)
      : Error(concatenate({path_text(path), ": ", reason})) {}
};

/// Sizes known only at run time (a span, a dataset's feature count) that do not fit the model.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A hyperparameter or option outside its range: `what()` names it, its value and the range.
class OptionError : public Error {
 public:
  using Error::Error;
};

/// A training whose loss, on samples held out too, parameters or running statistics are no longer finite numbers, or
/// that ends with some that no file may hold: `what()` says after which epoch, and names the first.
class DivergenceError : public Error {
 public:
  using Error::Error;
};

/// A training that was asked to stop, and did: `what()` says after which epoch.
class StoppedError : public Error {
 public:
  using Error::Error;
};

/// A device that is absent, too old, out of memory or failing: `what()` says what failed, where and what to do.
class DeviceError : public Error {
 public:
  using Error::Error;
};

}  // namespace retort

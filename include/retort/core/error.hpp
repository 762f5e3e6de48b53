// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The exceptions of the library. Whatever a user or a file can get wrong at run time throws one of these; `what()` is
/// one line that names the file, field or option and what was expected. Mistakes that types can catch do not compile.
///
/// An exception thrown in one file or shared object is caught in another, so all of them share its type: it lies
/// outside of the inline namespace of core/instruction_set.hpp, and is visible where the program hides the rest. Its
/// constructors are compiled for each file's own instruction set.

#include <stdexcept>
#include <string>
#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"

namespace retort {  // for every instruction set

/// The base of every exception that the library throws on purpose. Whatever its parts, `what()` is printable() and has
/// at most 4,000 characters.
class [[gnu::visibility("default")]] Error : public std::runtime_error {
 public:
  RETORT_ERROR_CONSTRUCTOR explicit Error(std::string_view message) : std::runtime_error(printable(message, 4000)) {}
};

/// A file or folder that cannot be opened, read, written or replaced: `what()` is "PATH: reason".
class [[gnu::visibility("default")]] FileError : public Error {
 public:
  /// `path` is a std::filesystem::path or text.
  template <typename Path>
  RETORT_ERROR_CONSTRUCTOR FileError(const Path& path, std::string_view reason)
      : Error(concatenate({path_text(path), ": ", reason})) {}
};

/// A file whose bytes break the rules of its format: `what()` is "PATH: field, what stands there, what was expected".
class [[gnu::visibility("default")]] FormatError : public Error {
 public:
  /// `path` is a std::filesystem::path or text.
  template <typename Path>
  RETORT_ERROR_CONSTRUCTOR FormatError(const Path& path, std::string_view reason)
      : Error(concatenate({path_text(path), ": ", reason})) {}
};

/// Sizes known only at run time (a span, a dataset's feature count) that do not fit the model.
class [[gnu::visibility("default")]] ShapeError : public Error {
 public:
  RETORT_ERROR_CONSTRUCTOR explicit ShapeError(std::string_view message) : Error(message) {}
};

/// A hyperparameter or option outside its range: `what()` names it, its value and the range.
class [[gnu::visibility("default")]] OptionError : public Error {
 public:
  RETORT_ERROR_CONSTRUCTOR explicit OptionError(std::string_view message) : Error(message) {}
};

/// A training whose loss (also on held-out samples), parameters or running statistics are no longer finite numbers, or
/// that ends with numbers that no file may hold: `what()` says after which epoch, and names the first.
class [[gnu::visibility("default")]] DivergenceError : public Error {
 public:
  RETORT_ERROR_CONSTRUCTOR explicit DivergenceError(std::string_view message) : Error(message) {}
};

/// A training that stopped because it was asked to: `what()` says after which epoch.
class [[gnu::visibility("default")]] StoppedError : public Error {
 public:
  RETORT_ERROR_CONSTRUCTOR explicit StoppedError(std::string_view message) : Error(message) {}
};

/// A device that is absent, too old, out of memory or failing: `what()` says what failed, where and what to do.
class [[gnu::visibility("default")]] DeviceError : public Error {
 public:
  RETORT_ERROR_CONSTRUCTOR explicit DeviceError(std::string_view message) : Error(message) {}
};

}  // namespace retort

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The exceptions of the library. Whatever a user or a file can get wrong at run time throws one of these; `what()` is
/// one line that names the file, field or option and what was expected. Mistakes that types can catch do not compile
/// instead.
///
/// An exception thrown in one file or shared object is caught in another, so its type is one for all of them: outside
/// of the inline namespace of core/instruction_set.hpp, and visible where the program hides the rest. What its
/// constructors do is each file's own.

#include <filesystem>
#include <stdexcept>
#include <string>

#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"

namespace retort {  // for every instruction set

/// The base of every exception the library throws on purpose.
class [[gnu::visibility("default")]] Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A file or folder that cannot be opened, read, written or replaced: `what()` is "PATH: reason".
class [[gnu::visibility("default")]] FileError : public Error {
 public:
  [[gnu::abi_tag(RETORT_INSTRUCTION_SET_NAME), gnu::cold, gnu::noinline]] FileError(const std::filesystem::path& path,
                                                                                    const std::string& reason)
      : Error(concatenate({path.string(), ": ", reason})) {}
};

/// A file whose bytes are not what its format requires: `what()` is "PATH: field, what stands there, what was
/// expected".
class [[gnu::visibility("default")]] FormatError : public Error {
 public:
  [[gnu::abi_tag(RETORT_INSTRUCTION_SET_NAME), gnu::cold, gnu::noinline]] FormatError(const std::filesystem::path& path,
                                                                                      const std::string& reason)
      : Error(concatenate({path.string(), ": ", reason})) {}
};

/// Sizes known only at run time (a span, a dataset's feature count) that do not fit the model.
class [[gnu::visibility("default")]] ShapeError : public Error {
 public:
  using Error::Error;
};

/// A hyperparameter or option outside its range: `what()` names it, its value and the range.
class [[gnu::visibility("default")]] OptionError : public Error {
 public:
  using Error::Error;
};

/// A training whose loss, on samples held out too, or parameters are no longer finite numbers: `what()` says after
/// which epoch.
class [[gnu::visibility("default")]] DivergenceError : public Error {
 public:
  using Error::Error;
};

/// A device that is absent, too old, out of memory or failing: `what()` says what failed, where and what to do.
class [[gnu::visibility("default")]] DeviceError : public Error {
 public:
  using Error::Error;
};

}  // namespace retort

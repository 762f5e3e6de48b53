// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A value, or the reason why there is none: for programs with exceptions and without.

#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include "retort/core/instruction_set.hpp"
#include "retort/predict/message.hpp"
#ifdef __cpp_exceptions
#include "retort/core/error.hpp"
#endif

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Why a file's weights cannot be used: "SOURCE: reason".
class [[nodiscard]] Fault {
 public:
  enum class Kind { format, file };

  /// `source` is cut at 150 characters; an empty one is named ''.
  [[gnu::cold]] Fault(Kind kind, std::string_view source, const Message& reason) : kind_(kind) {
    message_.add(source.empty() ? "''" : std::string_view(source.data(), source.size() < 150 ? source.size() : 150));
    source_size_ = message_.text().size();
    message_.add(": ").add(reason.text());
  }

  Kind kind() const { return kind_; }
  const char* c_str() const { return message_.c_str(); }
  // Without substr, which can throw: a program for a microcontroller would contain what throwing takes.
  std::string_view source() const { return {message_.c_str(), source_size_}; }
  std::string_view reason() const {
    std::string_view text = message_.text();
    text.remove_prefix(source_size_ + 2);
    return text;
  }

 private:
  Message message_;
  std::size_t source_size_ = 0;
  Kind kind_;
};

namespace internal {

/// Throws FileError or FormatError; without exceptions ends the program.
[[noreturn, gnu::cold, gnu::noinline]] inline void give_up([[maybe_unused]] const Fault& fault) {
#ifdef __cpp_exceptions
  if (fault.kind() == Fault::Kind::file) {
    throw FileError(fault.source(), fault.reason());
  }
  throw FormatError(fault.source(), fault.reason());
#else
  std::abort();
#endif
}

}  // namespace internal

/// A T, or a Fault. It is true if there is a T.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor): to return one
  Result(const Fault& fault) : fault_(fault) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return value_.has_value(); }
  /// Precondition: there is one.
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

  /// Precondition: there is no T.
  const Fault& fault() const { return *fault_; }
  /// One sentence, "SOURCE: reason"; empty if there is a T.
  const char* error() const { return fault_ ? fault_->c_str() : ""; }

  /// The T. If there is none, throws FileError or FormatError with that sentence, and ends the program where there are
  /// no exceptions.
  T& value() & {
    require();
    return *value_;
  }
  T value() && {
    require();
    return std::move(*value_);
  }

 private:
  void require() const {
    if (!value_) {
      internal::give_up(*fault_);
    }
  }

  std::optional<T> value_;
  std::optional<Fault> fault_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET

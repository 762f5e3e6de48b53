// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Numbers from text, independent of the locale and exact: a decimal becomes the nearest number of its type.

#include <locale.h>  // NOLINT(modernize-deprecated-headers): newlocale is POSIX's, and not in <clocale>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#ifdef __APPLE__
#include <xlocale.h>
#endif

#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail {

/// Whether the standard library reads this type: libc++ reads no float or double before LLVM 20.
template <typename Number>
concept HasFromChars = requires(const char* text, Number& value) { std::from_chars(text, text, value); };

/// The C locale in this thread, while it lives.
class ScopedCLocale {
 public:
  ScopedCLocale() : locale_(newlocale(LC_ALL_MASK, "C", nullptr)), before_(uselocale(locale_)) {}
  ~ScopedCLocale() {
    uselocale(before_);
    if (locale_ != nullptr) {
      freelocale(locale_);
    }
  }
  ScopedCLocale(const ScopedCLocale&) = delete;
  ScopedCLocale& operator=(const ScopedCLocale&) = delete;

 private:
  locale_t locale_;
  locale_t before_;
};

/// `parse_number` by the C library's strtof or strtod, if std::from_chars does not read such numbers.
template <std::floating_point Number>
[[gnu::cold]] bool parse_by_strtod(std::string_view text, Number& value) {
  // strtod also takes blanks, a plus sign and hexadecimal digits.
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || digits.find_first_of("xX") != std::string_view::npos ||
      std::string_view{"0123456789.iInN"}.find(digits.front()) == std::string_view::npos) {
    return false;
  }
  const std::string terminated{text};
  const ScopedCLocale c_locale;
  const int errno_before = errno;
  errno = 0;
  char* end = nullptr;
  Number number{};
  if constexpr (std::is_same_v<Number, float>) {
    number = std::strtof(terminated.c_str(), &end);
  } else {
    number = std::strtod(terminated.c_str(), &end);
  }
  // A number too small to be normal is out of strtod's range too, though it has a nearest one.
  const bool out_of_range = errno == ERANGE && (number == 0 || std::abs(number) > Number{1});
  errno = errno_before;
  if (out_of_range || end != terminated.c_str() + terminated.size()) {
    return false;
  }
  value = number;
  return true;
}

}  // namespace detail

/// Whether the whole text is one decimal number that `Number` can hold; if so, it is in `value`, which else stays as it
/// was. The syntax is that of std::from_chars: "-1.5e3", "inf" and "nan", no blanks and no plus sign. A number that
/// rounds to zero or beyond the largest number is out of range.
template <typename Number>
  requires(std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>)
[[gnu::cold]] bool parse_number(std::string_view text, Number& value) {
  if constexpr (detail::HasFromChars<Number>) {
    const char* const end = text.data() + text.size();
    Number number{};
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stop != end) {
      return false;
    }
    value = number;
    return true;
  } else {
    return detail::parse_by_strtod(text, value);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET

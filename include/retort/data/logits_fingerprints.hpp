// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The file beside a table of logits that says what the table belongs to.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/json.hpp"
#include "retort/core/text.hpp"
#include "retort/data/gzip.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data::detail {

/// As JSON: {"inputs":1,"logits":2,"temperature":4}. Beside the pixels of views, which are to be answered, it has
/// "inputs" alone; so it has beside the answers of another program, which copies it.
struct LogitsFingerprints {
  std::uint64_t inputs = 0;
  std::optional<std::uint64_t> logits{};
  std::optional<double> temperature{};  // of a mean of several teachers

  static std::filesystem::path path_beside(std::filesystem::path table) { return table += ".json"; }

  std::string json() const {
    std::string text = concatenate({R"({"inputs":)", inputs});
    if (logits) {
      text += concatenate({R"(,"logits":)", *logits});
    }
    if (temperature) {
      text += concatenate({R"(,"temperature":)", *temperature});
    }
    return text += "}\n";
  }

  /// Removes the file beside a table that is about to be replaced: it says nothing of the new one, not even for a
  /// moment.
  [[gnu::cold]] static void forget(const std::filesystem::path& table) {
    std::error_code ignored;
    std::filesystem::remove(path_beside(table), ignored);
  }

  /// Writes it whole or not at all.
  [[gnu::cold]] void save(const std::filesystem::path& path) const {
    AtomicFile file(path);
    file.write(json());
    file.commit();
  }

  [[gnu::cold]] static LogitsFingerprints load(const std::filesystem::path& path) {
    constexpr std::uint64_t size_limit = 4096;
    const std::vector<std::uint8_t> bytes = read_plain_or_gzip(path, size_limit);
    const std::string text(bytes.begin(), bytes.end());
    internal::JsonReader json(text);
    LogitsFingerprints result;
    try {
      const std::string_view missing =
          json.read_object({{"inputs", json.into(result.inputs)},
                            {"logits", [&] { json.read(result.logits.emplace()); }, false},
                            {"temperature", [&] { json.read(result.temperature.emplace()); }, false}},
                           "\"inputs\", \"logits\" and \"temperature\", once each");
      json.end();
      if (!missing.empty()) {
        throw FormatError(path, concatenate({"no ", missing, ", expected \"inputs\""}));
      }
    } catch (const JsonError& error) {
      throw FormatError(path, error.what());
    }
    if (const auto value = result.temperature; value && !(is_finite(*value) && *value > 0)) {
      throw FormatError(path, concatenate({"temperature: ", *value, ", expected a finite number above 0"}));
    }
    return result;
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data::detail

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a tensor's name tells about the program that wrote it: the part of an error that says what to do.

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io::detail {

/// The prefix that one of PyTorch's wrappers puts before every name of the module it wraps.
struct KnownPrefix {
  std::string_view text;
  std::string_view origin;
};

inline constexpr std::array<KnownPrefix, 3> known_prefixes{{
    {"module.", "torch.nn.DataParallel's or DistributedDataParallel's"},
    {"_orig_mod.", "torch.compile's"},
    {"model.", "of a module that holds the network as its attribute"},
}};

/// The prefix before one of `expected` in `name`, or the known prefixes that it begins with; empty if there is none.
[[gnu::cold]] inline std::string_view prefix_of(std::string_view name, std::span<const std::string> expected) {
  for (const std::string& tail : expected) {
    if (name.ends_with(tail) && name.size() > tail.size() && name[name.size() - tail.size() - 1] == '.') {
      return name.substr(0, name.size() - tail.size());
    }
  }
  std::size_t length = 0;
  for (bool longer = true; longer;) {
    longer = false;
    for (const KnownPrefix& prefix : known_prefixes) {
      if (name.substr(length).starts_with(prefix.text)) {
        length += prefix.text.size();
        longer = true;
      }
    }
  }
  return name.substr(0, length);
}

/// Follows "no tensor of the model": "; ..." for a tensor with the name of one of the `expected` after a prefix, or
/// with the name of one in another layer; nothing for any other.
[[gnu::cold]] inline std::string tensor_name_hint(std::string_view name, std::span<const std::string> expected) {
  std::string hint;
  const std::string_view prefix = prefix_of(name, expected);
  if (!prefix.empty()) {
    hint = concatenate({"; ", retort::in_quotes(prefix, '"'), " is a prefix"});
    std::string_view separator = ", ";
    for (const KnownPrefix& known : known_prefixes) {
      if (prefix.find(known.text) != std::string_view::npos) {
        hint += concatenate({separator, known.origin});
        separator = " and ";
      }
    }
    hint += ": SafetensorsOptions::prefix takes it off every name";
  }
  const std::string_view rest = name.substr(prefix.size());
  bool is_tensor_of_a_layer = false;  // of a layer with another name in the file
  for (const std::string& other : expected) {
    if (rest == other) {
      return hint;
    }
    is_tensor_of_a_layer |= rest.substr(rest.rfind('.') + 1) == std::string_view(other).substr(other.rfind('.') + 1);
  }
  if (is_tensor_of_a_layer) {
    hint += concatenate({"; SafetensorsOptions::layer_names takes the names that layers have in the file, here ",
                         retort::in_quotes(rest.substr(0, rest.rfind('.')), '"'), " for one"});
  }
  return hint;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io::detail

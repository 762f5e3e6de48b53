// SPDX-License-Identifier: MIT
/// What a model's file says of its inputs, as text: what reads, writes and reads equal.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/io/preprocessing_text.hpp"
#include "retort/nn/preprocessing.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using retort::io::detail::preprocessing_text;
  using retort::io::detail::read_preprocessing;
  constexpr std::size_t inputs = 2;
  constexpr std::size_t outputs = 3;
  const std::string_view text = retort::fuzz::text_of(data, size);
  const std::optional<retort::Preprocessing> read =
      retort::fuzz::accepted([&] { return read_preprocessing(text, inputs, outputs); });
  if (read) {
    const std::string written = preprocessing_text(*read);
    retort::fuzz::require(preprocessing_text(read_preprocessing(written, inputs, outputs)) == written,
                          "preprocessing writes and reads equal");
  }
  return 0;
}

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  return {
      {"bytes", R"({"raw":"uint8","mean":0.5,"standard_deviation":0.25})"},
      {"columns",
       R"({"raw":"real","mean":0,"standard_deviation":1,"column_means":[1,-2],"column_deviations":[0.5,1e-3],)"
       R"("class_names":["a","\u00e9","\"c\""]})"},
      {"empty_lists", R"({"raw":"real","mean":0,"standard_deviation":1,"column_means":[],"class_names":[]})"},
      {"deviation_zero", R"({"raw":"real","mean":0,"standard_deviation":0})"},
      {"a_mean_too_few",
       R"({"raw":"real","mean":0,"standard_deviation":1,"column_means":[1],"column_deviations":[1]})"},
      {"key_twice", R"({"raw":"real","raw":"real"})"},
      {"no_keys", "{}"},
  };
}

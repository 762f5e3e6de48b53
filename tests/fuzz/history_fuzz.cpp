// SPDX-License-Identifier: MIT
/// A checkpoint's history as text: what reads, writes and reads equal.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/train/checkpoint.hpp"
#include "retort/train/metrics.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using retort::internal::detail::history_text;
  using retort::internal::detail::read_history;
  const std::string_view text = retort::fuzz::text_of(data, size);
  const std::optional<retort::History> history = retort::fuzz::accepted([&] { return read_history(text); });
  if (history) {
    const std::string written = history_text(*history);
    retort::fuzz::require(history_text(read_history(written)) == written, "a history writes and reads equal");
  }
  return 0;
}

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  const EpochMetrics plain{.epoch = 1, .learning_rate = 1e-3, .loss = 0.5, .accuracy = 0.75, .errors = 25};
  EpochMetrics validated = plain;
  validated.epoch = 2;
  validated.validation = Evaluation{.loss = 0.25, .accuracy = 1.0, .errors = 0};
  const EpochMetrics of_targets{
      .epoch = 1, .loss = 0.5, .validation = Evaluation{.loss = 0.25, .metric = Metric::rmse}};
  const std::string text = retort::internal::detail::history_text({plain, validated});
  return {
      {"two_epochs", text},
      {"no_epochs", "[]"},
      {"cut", text.substr(0, text.size() - 2)},
      {"no_labels", retort::internal::detail::history_text({{.epoch = 1, .loss = 0.5}})},
      {"real_targets", retort::internal::detail::history_text({of_targets})},
      {"errors_alone", R"([{"validation":{"loss":0,"errors":0}}])"},
      {"no_fields", "[{}]"},
      {"field_twice", R"([{"epoch":1,"epoch":1}])"},
      {"validation_twice", R"([{"validation":{"loss":0,"accuracy":0,"errors":0},"validation":{}}])"},
      {"loss_is_null", R"([{"loss":null}])"},
      {"epoch_is_a_fraction", R"([{"epoch":1.5}])"},
  };
}

// SPDX-License-Identifier: MIT
/// Checkpoints: what loads, saves and loads equal.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/train/checkpoint.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/trainer_interface.hpp"
#include "safetensors_mutator.hpp"

namespace {

using retort::internal::Checkpoint;

/// Of the run that reads the checkpoints.
const retort::internal::Settings& settings() {
  static const retort::internal::Settings same{{"seed", "0"}, {"loss", "HintonLoss(temperature=2)"}};
  return same;
}

bool equal(const retort::internal::StateArrays& left, const retort::internal::StateArrays& right) {
  const auto same = [](const retort::internal::StateArray& a, const retort::internal::StateArray& b) {
    return a.name == b.name && std::ranges::equal(a.bytes, b.bytes);
  };
  return std::ranges::equal(left, right, same);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using retort::internal::detail::history_text;
  const std::filesystem::path path = retort::fuzz::input_file("checkpoint", retort::fuzz::text_of(data, size));
  const std::optional<retort::internal::Checkpoint> checkpoint =
      retort::fuzz::accepted([&] { return retort::internal::load_checkpoint(path, settings()); });
  if (checkpoint) {
    retort::internal::save_checkpoint(path, *checkpoint);
    const retort::internal::Checkpoint again = retort::internal::load_checkpoint(path, settings());
    retort::fuzz::require(again.settings == checkpoint->settings &&
                              history_text(again.history) == history_text(checkpoint->history) &&
                              equal(again.state, checkpoint->state) && equal(again.best, checkpoint->best),
                          "a checkpoint saves and loads equal");
  }
  return 0;
}

namespace {

std::string saved(const retort::internal::Checkpoint& checkpoint) {
  const std::filesystem::path path = retort::fuzz::input_file("seed", "");
  retort::internal::save_checkpoint(path, checkpoint);
  return retort::test::read_file(path);
}

}  // namespace

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  const std::vector<std::byte> bytes(64, std::byte{0x3F});
  retort::internal::Checkpoint checkpoint{};
  checkpoint.settings = settings();
  checkpoint.history = {{.epoch = 1, .learning_rate = 1e-3, .loss = 0.5, .accuracy = 0.75, .errors = 25}};
  checkpoint.state = {{"parameters", bytes}, {"moments", bytes}, {"step", {bytes.begin(), bytes.begin() + 8}}};
  retort::internal::Checkpoint with_best = checkpoint;
  with_best.best = {{"parameters", bytes}};
  retort::internal::Checkpoint other_seed = checkpoint;
  other_seed.settings[0].second = "1\n\x1B[2J";
  retort::internal::Checkpoint empty{};
  empty.settings = settings();
  return {
      {"checkpoint", saved(checkpoint)}, {"with_best", saved(with_best)}, {"other_seed", saved(other_seed)},
      {"empty", saved(empty)},           {"no_settings", saved({})},
  };
}

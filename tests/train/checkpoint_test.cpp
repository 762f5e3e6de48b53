// SPDX-License-Identifier: MIT
#include "retort/train/checkpoint.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "brief.hpp"
#include "catch.hpp"
#include "full_disk.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using retort::test::read_file;
using retort::test::TemporaryFolder;
using retort::test::write_file;

std::vector<std::byte> bytes_of(std::initializer_list<int> numbers) {
  std::vector<std::byte> bytes;
  for (const int number : numbers) {
    bytes.push_back(static_cast<std::byte>(number));
  }
  return bytes;
}

internal::Checkpoint example() {
  return {.settings = {{"model", "Linear(3, 2)"}, {"seed", "7"}},
          .epochs = 3,
          .history = {{.epoch = 1, .learning_rate = 0.1, .loss = 1.0 / 3.0, .seconds = 1.5, .samples_per_second = 20.0},
                      {.epoch = 2,
                       .learning_rate = 2e-300,
                       .loss = 0.1 + 0.2,
                       .accuracy = 1.0,
                       .errors = 0,
                       .validation = Evaluation{.loss = 2.0 / 7.0, .accuracy = 0.125, .errors = 7},
                       .seconds = 0.25,
                       .samples_per_second = 123456.789}},
          .state = {{"parameters", bytes_of({1, 2, 3, 255})}, {"buffers", {}}, {"moment.0", bytes_of({9})}},
          .best = {{"parameters", bytes_of({4, 5, 6, 7})}, {"buffers", {}}}};
}

void check_equal(const internal::StateArrays& a, const internal::StateArrays& b) {
  REQUIRE(a.size() == b.size());
  for (const internal::StateArray& array : a) {
    const auto found = std::ranges::find(b, array.name, &internal::StateArray::name);
    REQUIRE(found != b.end());
    CHECK(found->bytes == array.bytes);
  }
}

template <typename Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

TEST_CASE("A checkpoint comes back as it was written", "[train]") {
  const TemporaryFolder folder;
  const internal::Checkpoint written = example();
  internal::save_checkpoint(folder / "a", written);
  const internal::Checkpoint read = internal::load_checkpoint(folder / "a", written.settings);
  CHECK(read.settings == written.settings);
  CHECK(read.epochs == 3);
  check_equal(written.state, read.state);
  check_equal(written.best, read.best);
  REQUIRE(read.history.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const EpochMetrics& a = written.history[i];
    const EpochMetrics& b = read.history[i];
    CHECK(a.epoch == b.epoch);
    CHECK(a.learning_rate == b.learning_rate);
    CHECK(a.loss == b.loss);
    CHECK(a.accuracy == b.accuracy);
    CHECK(a.errors == b.errors);
    CHECK(a.seconds == b.seconds);
    CHECK(a.samples_per_second == b.samples_per_second);
  }
  CHECK_FALSE(read.history[0].validation);
  REQUIRE(read.history[1].validation);
  CHECK(read.history[1].validation->loss == 2.0 / 7.0);
  CHECK(read.history[1].validation->accuracy == 0.125);
  CHECK(read.history[1].validation->errors == 7);

  internal::save_checkpoint(folder / "b", written);
  CHECK(read_file(folder / "a") == read_file(folder / "b"));
}

TEST_CASE("A checkpoint takes as many epochs as there are", "[train]") {
  const TemporaryFolder folder;
  internal::Checkpoint checkpoint = example();
  checkpoint.history.resize(retort::test::brief ? 1'000 : 100'000, checkpoint.history.back());
  internal::save_checkpoint(folder / "many", checkpoint);
  CHECK(internal::load_checkpoint(folder / "many", checkpoint.settings).history.size() == checkpoint.history.size());
}

TEST_CASE("A checkpoint of other settings is refused by the setting's name", "[train]") {
  const TemporaryFolder folder;
  internal::save_checkpoint(folder / "run", example());
  const auto load = [&](const internal::Settings& settings) { internal::load_checkpoint(folder / "run", settings); };
  CHECK_THROWS_AS(load({{"model", "Linear(3, 2)"}, {"seed", "8"}}), OptionError);
  const std::string text = message_of([&] { load({{"model", "Linear(3, 2)"}, {"seed", "8"}}); });
  CHECK(contains(text, (folder / "run").string()));
  CHECK(contains(text, "seed = 7"));
  CHECK(contains(text, "8"));
  CHECK_THROWS_AS(load({{"model", "Linear(3, 2)"}, {"seed", "7"}, {"shift", "2"}}), FormatError);
  CHECK(contains(message_of([&] { load({{"shift", "2"}}); }), "shift"));
}

TEST_CASE("Data and weights that differ are told in words, not by their fingerprints", "[train]") {
  const TemporaryFolder folder;
  const auto difference = [&](const char* name, const char* found, const char* expected) {
    internal::Checkpoint checkpoint{};
    checkpoint.settings = {{name, found}};
    internal::save_checkpoint(folder / "run", checkpoint);
    try {
      internal::load_checkpoint(folder / "run", {{name, expected}});
    } catch (const SettingError& error) {
      CHECK(error.setting() == name);
      return std::string(error.what()).substr((folder / "run").string().size());
    }
    return std::string("accepted");
  };
  CHECK(difference("training data", "5873", "1032") ==
        ": made with other training data than this run's, cannot be resumed with these");
  CHECK(difference("validation data", "5873", "none") == ": made with validation data, cannot be resumed without");
  CHECK(difference("validation data", "none", "1032") == ": made without validation data, cannot be resumed with them");
  CHECK(difference("initial weights", "5873", "1032") ==
        ": made with other initial weights than this run's, cannot be resumed with these");
  CHECK(difference("teacher", "5873", "1032") ==
        ": made with another teacher than this run's, cannot be resumed with this");
  CHECK(difference("batch_size", "64", "32") == ": made with batch_size = 64, cannot be resumed with 32");
}

TEST_CASE("Whatever is cut off or broken in a checkpoint is an error", "[train]") {
  const TemporaryFolder folder;
  const internal::Checkpoint written = example();
  internal::save_checkpoint(folder / "run", written);
  const std::string whole = read_file(folder / "run");
  for (std::size_t size = 0; size < whole.size(); size += size < 100 || size + 100 > whole.size() ? 1u : 37u) {
    CAPTURE(size);
    write_file(folder / "run", whole.substr(0, size));
    CHECK_THROWS_AS(internal::load_checkpoint(folder / "run", written.settings), FormatError);
  }
  write_file(folder / "run", whole + "x");
  CHECK_THROWS_AS(internal::load_checkpoint(folder / "run", written.settings), FormatError);
  write_file(folder / "run", "this is a text, and no checkpoint");
  CHECK_THROWS_AS(internal::load_checkpoint(folder / "run", written.settings), FormatError);
  CHECK_THROWS_AS(internal::load_checkpoint(folder / "missing", written.settings), FileError);
}

TEST_CASE("A safetensors file that is no checkpoint says what is missing", "[train]") {
  const TemporaryFolder folder;
  const std::string format = retort::internal::detail::checkpoint_format;
  const auto load = [&](const io::Metadata& metadata, const std::optional<std::string>& history = {}) {
    std::vector<io::Tensor> tensors;
    if (history) {
      tensors.push_back({"history", io::DType::U8, {history->size()}, std::as_bytes(std::span(*history))});
    }
    io::write_safetensors(folder / "run", tensors, metadata);
    return message_of([&] { internal::load_checkpoint(folder / "run", {}); });
  };
  CHECK(contains(load({}), "metadata format: missing"));
  CHECK(contains(load({{"format", "pt"}}), "metadata format: 'pt', expected " + format));
  CHECK(contains(load({{"format", format}}), "tensor \"history\": missing"));
  for (const char* history : {"", "[{", "[{\"epoch\": 1}]", "[1, 2]"}) {
    CHECK(contains(load({{"format", format}}, history), "tensor history: "));
  }
  CHECK(contains(load({{"format", format}}, "[]"), "metadata epochs: missing"));
  CHECK(contains(load({{"format", format}, {"epochs", "-1"}}, "[]"), "metadata epochs"));
  CHECK(load({{"format", format}, {"epochs", "3"}}, "[]") == "no error");
}

TEST_CASE("A checkpoint that cannot be written leaves the old one", "[train]") {
  const TemporaryFolder folder;
  internal::save_checkpoint(folder / "run", example());
  const std::string before = read_file(folder / "run");
  internal::Checkpoint other = example();
  other.history.clear();
  {
    const test::FullDisk full(before.size() / 2);
    CHECK_THROWS_AS(internal::save_checkpoint(folder / "run", other), FileError);
  }
  CHECK(read_file(folder / "run") == before);
  CHECK_THROWS_AS(internal::save_checkpoint(folder / "no/folder", example()), FileError);
}

}  // namespace

// SPDX-License-Identifier: MIT
#include "retort/predict/file_predictor.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "predict/one_thread.hpp"
#include "random_values.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/nn/relu.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using retort::test::OneThread;
using retort::test::random_values;
using retort::test::same_bits;
using retort::test::TemporaryFolder;
using retort::test::write_file;

using M = Sequential<Linear<5, 7>, ReLU, Linear<7, 3>>;
using Answers = FilePredictor<M, float>;

static_assert(std::is_nothrow_move_constructible_v<Answers> && !std::is_copy_constructible_v<Answers>);

TEST_CASE("A network is read from its file, and moved with it") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.safetensors";
  const Network<M, OneThread> network{Seed{1}};
  io::save_safetensors(network, path);
  std::string bytes = retort::test::read_file(path);
  // A longer header: the numbers are aligned in memory, not in the file.
  const auto spaces = static_cast<std::uint64_t>(GENERATE(0, 1, 2, 63));
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof(header));
  bytes.insert(sizeof(header) + header, spaces, ' ');
  header += spaces;
  std::memcpy(bytes.data(), &header, sizeof(header));
  write_file(path, bytes);

  Answers first = Answers::read(path.c_str()).value();
  Answers second = std::move(first);
  first = Answers::read(path.c_str()).value();
  second = std::move(first);
  const std::vector<float> input = random_values<float>(M::input_size, 2);
  CHECK(same_bits(second.logits(Answers::Sample(input)), network.predict(std::span<const float, 5>(input))));
}

TEST_CASE("A file that cannot be read or used is named") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.safetensors";
  CHECK(Answers::read(path.c_str()).error() == path + ": cannot be read (No such file or directory)");
  CHECK_THROWS_AS(Answers::read(path.c_str()).value(), FileError);
  CHECK(Answers::read(folder.path().c_str()).error() == folder.path().string() + ": cannot be read (Is a directory)");
  CHECK(Answers::read("").error() == std::string("'': cannot be read (No such file or directory)"));
  write_file(path, "");
  CHECK(Answers::read(path.c_str()).error() == path + ": header length: the file has 0 bytes, expected at least 8");
  CHECK_THROWS_AS(Answers::read(path.c_str()).value(), FormatError);
  try {
    static_cast<void>(Answers::read(path.c_str()).value());
  } catch (const FormatError& error) {
    CHECK(error.what() == path + ": header length: the file has 0 bytes, expected at least 8");
  }
  write_file(path, std::string(17 << 20, ' '));
  CHECK(std::string(Answers::read(path.c_str()).error()).ends_with(" for this model"));
}

}  // namespace

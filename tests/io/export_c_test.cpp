// SPDX-License-Identifier: MIT
#include "retort/io/export_c.hpp"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "catch.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/relu.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using Catch::Matchers::Contains;
using Catch::Matchers::Message;
using retort::test::noise_images;
using retort::test::TemporaryFolder;

using Small = Sequential<Linear<36, 5>, BatchNorm<5>, ReLU, Linear<5, 3>>;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <Model M = Small>
Network<M> network_of_bytes() {
  Network<M> network{Seed{1}};
  network.set_preprocessing(Preprocessing{.bytes = true, .mean = 0.1, .standard_deviation = 0.3});
  return network;
}

data::Dataset images() { return noise_images(40, {6, 6}, 3, 1, {.mean = 0.1, .standard_deviation = 0.3}); }

TEST_CASE("A C file says what it is, and equal networks give equal files", "[io]") {
  const TemporaryFolder folder;
  const auto network = network_of_bytes();
  const auto data = images();
  const io::ExportOptions options{
      .prefix = "tiny", .form = io::Form::int4, .calibration = &data, .evaluation = &data, .recipe = "no */ end"};
  io::export_c(network, folder / "a.h", options);
  io::export_c(network, folder / "b.h", options);
  const std::string text = text_of(folder / "a.h");
  CHECK(text == text_of(folder / "b.h"));
  CHECK_THAT(text, Contains(" * Linear(36, 5), BatchNorm(5), ReLU, Linear(5, 3)\n"));
  // 36 weights take 20 bytes, 5 take 4; 9 more for each of 8 outputs.
  CHECK_THAT(text, Contains(" * Form int4: 195 multiply-adds a sample, 184 bytes of constants, 8 bytes of the stack"));
  CHECK_THAT(text, Contains(" * Inputs: bytes, as they were before any normalisation.\n"));
  CHECK_THAT(text, Contains(" * no * / end\n"));
  CHECK_THAT(text, Contains(" of 40 samples right.\n"));
  CHECK_THAT(text, Contains("#define TINY_INPUTS 36\n") && Contains("int tiny_classify("));
  CHECK_THAT(text, !Contains("$") && !Contains("@"));
  io::export_c(network, folder / "c.h", {.prefix = "tiny_", .form = io::Form::bfloat16});
  CHECK_THAT(text_of(folder / "c.h"), Contains("uint16_t tiny_weights_0[180]") && !Contains("tiny__"));
}

TEST_CASE("What cannot be a C file is refused in a sentence, and an older file stays", "[io]") {
  const TemporaryFolder folder;
  const auto path = folder / "net.h";
  std::ofstream(path) << "older";
  const auto data = images();
  const auto network = network_of_bytes();
  for (const char* prefix : {"", "9lives", "_own", "two words", "a-b", "$", "int*"}) {
    CHECK_THROWS_AS(io::export_c(network, path, {.prefix = prefix}), OptionError);
  }
  CHECK_THROWS_MATCHES(
      io::export_c(network, path, {.prefix = "9"}), OptionError,
      Message("export_c: prefix is '9', expected a C identifier of at most 40 characters: a letter, then letters, "
              "digits and underscores"));
  CHECK_THROWS_MATCHES(
      io::export_c(network, path, {.form = io::Form::int8}), OptionError,
      Message("export_c: calibration is missing, expected samples that show the ranges of the integers"));
  CHECK_THROWS_MATCHES(
      io::export_c(network_of_bytes<Sequential<Linear<36, 4>, LayerNorm<4>, GELU, Linear<4, 3>>>(), path,
                   {.form = io::Form::int8, .calibration = &data}),
      Error,
      Message("export_c: layer 1 (LayerNorm) has no integer form where it stands, expected Form::float32 or "
              "Form::bfloat16"));
  Network<Small> unknown{Seed{1}};
  CHECK_THROWS_AS(io::export_c(unknown, path), Error);
  for (const io::Form form : {io::Form::float32, io::Form::bfloat16, io::Form::int8, io::Form::int4}) {
    auto damaged = network_of_bytes();
    damaged.parameter(1)[2] = static_cast<float>(internal::make_nan());
    CHECK_THROWS_WITH(io::export_c(damaged, path, {.form = form, .calibration = &data}),
                      Contains("0.bias: element 2 is nan, expected a finite number"));
  }
  CHECK(text_of(path) == "older");
  CHECK_THROWS_AS(io::export_c(network, folder / "missing" / "net.h"), FileError);
}

}  // namespace

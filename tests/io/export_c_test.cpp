// SPDX-License-Identifier: MIT
#include "retort/io/export_c.hpp"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/standardization.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/relu.hpp"
#include "retort/train/preprocessing.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using Catch::Matchers::Contains;
using Catch::Matchers::Message;
using retort::test::clouds;
using retort::test::noise_images;
using retort::test::read_file;
using retort::test::TemporaryFolder;

using Small = Sequential<Linear<36, 5>, BatchNorm<5>, ReLU, Linear<5, 3>>;

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
  const io::ExportOptions options{.prefix = "tiny",
                                  .form = io::Form::int4,
                                  .calibration = &data,
                                  .evaluation = &data,
                                  .recipe = "no */ end, /* or ?\?/"};
  io::export_c(network, folder / "a.h", options);
  io::export_c(network, folder / "b.h", options);
  const std::string text = read_file(folder / "a.h");
  CHECK(text == read_file(folder / "b.h"));
  CHECK_THAT(text, Contains(" * Linear(36, 5), BatchNorm(5), ReLU, Linear(5, 3)\n"));
  // 36 weights take 20 bytes, 5 take 4; 9 more for each of 8 outputs.
  CHECK_THAT(text,
             Contains(" * Form int4: 195 multiply-adds a sample, 203 parameters in 184 bytes of constants, 8 bytes "
                      "of the stack for activations.\n"));
  CHECK_THAT(text, Contains("#define TINY_PARAMETERS 203\n#define TINY_MULTIPLY_ADDS 195\n"
                            "#define TINY_CONSTANT_BYTES 184\n#define TINY_SAMPLES 40\n#define TINY_SAMPLES_RIGHT "));
  CHECK_THAT(text, Contains(" * Inputs: bytes, as they were before any normalisation.\n"));
  CHECK_THAT(text, Contains(" * no * / end, / * or ?? /\n"));
  CHECK_THAT(text, Contains(" of 40 samples right.\n"));
  CHECK_THAT(text, Contains("#define TINY_INPUTS 36\n") && Contains("int tiny_classify("));
  CHECK_THAT(text, !Contains("$") && !Contains("@"));
  io::export_c(network, folder / "c.h", {.prefix = "tiny_", .form = io::Form::bfloat16});
  CHECK_THAT(read_file(folder / "c.h"), Contains("uint16_t tiny_weights_0[180]") &&
                                            Contains("#define TINY_PARAMETERS 203\n") && !Contains("SAMPLES") &&
                                            !Contains("tiny__"));
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
  // Counted with the BatchNorm that is folded.
  CHECK_THROWS_MATCHES(
      io::export_c(network_of_bytes<Sequential<Linear<36, 4>, BatchNorm<4>, LayerNorm<4>, GELU, Linear<4, 3>>>(), path,
                   {.form = io::Form::int8, .calibration = &data}),
      Error,
      Message("export_c: layer 2 (LayerNorm) has no integer form where it stands, expected Form::float32 or "
              "Form::bfloat16"));
  CHECK_THROWS_MATCHES(
      io::export_c(network_of_bytes<Sequential<AvgPool2d<Shape<1, 6, 6>, 2>>>(), path,
                   {.form = io::Form::int4, .calibration = &data}),
      Error, Message("export_c: there is no Linear to put into integers, expected Form::float32 or Form::bfloat16"));
  CHECK_THROWS_MATCHES(
      io::export_c(quantize<Int8>(network, data), path, {.form = io::Form::int4}), OptionError,
      Message("export_c: form is another than that of the network, whose weights have 8 bits, expected "
              "Form::int8"));
  Network<Small> unknown{Seed{1}};
  CHECK_THROWS_AS(io::export_c(unknown, path), Error);
  for (const io::Form form : {io::Form::float32, io::Form::bfloat16, io::Form::int8, io::Form::int4}) {
    auto damaged = network_of_bytes();
    damaged.parameter(1)[2] = static_cast<float>(internal::make_nan());
    CHECK_THROWS_WITH(io::export_c(damaged, path, {.form = form, .calibration = &data}),
                      Contains("0.bias: element 2 is nan, expected a finite number"));
    damaged = network_of_bytes();
    damaged.parameter(4)[2] = static_cast<float>(internal::make_nan());
    CHECK_THROWS_WITH(io::export_c(damaged, path, {.form = form, .calibration = &data}),
                      Contains("3.weight: element 2 is nan, expected a finite number"));
    const auto targets = data.with_targets(data::Matrix<float>(40, 3));
    CHECK_THROWS_WITH(io::export_c(network, path, {.form = form, .calibration = &data, .evaluation = &targets}),
                      "export_c: evaluation: the dataset has targets and no classes, expected labels");
    const auto unlabelled = data.without_labels();
    CHECK_THROWS_WITH(io::export_c(network, path, {.form = form, .calibration = &data, .evaluation = &unlabelled}),
                      "export_c: evaluation: none of the 40 samples to be evaluated has a label, expected at least one "
                      "that has");
    const auto more = noise_images(40, {6, 6}, 4, 1, {.mean = 0.1, .standard_deviation = 0.3});
    CHECK_THROWS_AS(io::export_c(network, path, {.form = form, .calibration = &data, .evaluation = &more}), ShapeError);
  }
  CHECK(read_file(path) == "older");
  CHECK_THROWS_AS(io::export_c(network, folder / "missing" / "net.h"), FileError);
}

TEST_CASE("Numbers that a C file cannot hold as floats are refused", "[io]") {
  const TemporaryFolder folder;
  Network<Sequential<BatchNorm<2>, Linear<2, 3>>> statistics{Seed{1}};
  statistics.set_preprocessing(Preprocessing{});
  statistics.assign_buffers(std::vector<float>(statistics.copy_buffers().span().size(), -1.0f));
  CHECK_THROWS_WITH(io::export_c(statistics, folder / "a.h"), Contains("running_var: element 0 is -1"));
  Network<Sequential<Linear<2, 3>, ReLU, Linear<3, 3>>, backend::Eigen, double> wide{Seed{1}};
  wide.set_preprocessing(Preprocessing{});
  wide.parameter(2)[1] = 1e100;
  CHECK_THROWS_WITH(io::export_c(wide, folder / "a.h"),
                    Contains("export_c: layer 2 (Linear): a number is beyond float's range"));
  wide.parameter(2)[1] = 0.0;
  wide.parameter(2)[0] = 1e30;
  wide.parameter(0)[0] = -1e30;  // the first example's inputs are below 0
  CHECK_THROWS_WITH(io::export_c(wide, folder / "a.h"), Contains("of an example input is beyond float's range"));
  auto far = network_of_bytes();
  far.set_preprocessing(Preprocessing{.bytes = true, .mean = 1e300});
  CHECK_THROWS_WITH(io::export_c(far, folder / "a.h"), Contains("export_c: layer 0 (Linear): a number is beyond"));
  far.set_preprocessing(Preprocessing{.bytes = true, .standard_deviation = 1e50});
  CHECK_THROWS_WITH(io::export_c(far, folder / "a.h"), Contains("export_c: layer 0 (Linear): a number is beyond"));
  far.set_preprocessing(Preprocessing{.mean = 1e39});
  CHECK_THROWS_WITH(io::export_c(far, folder / "a.h"), Contains("with which float can compute"));
  CHECK(std::filesystem::is_empty(folder / "."));
}

TEST_CASE("A negative number is in parentheses in a macro of a C file", "[io]") {
  CHECK(io::detail::c_macro("ZERO", -5) == "#define @ZERO (-5)\n");
  CHECK(io::detail::c_macro("ZERO", 5) == "#define @ZERO 5\n");
}

TEST_CASE("A model may have one output, and one layer", "[io]") {
  const TemporaryFolder folder;
  const auto network = network_of_bytes<Sequential<Linear<36, 1>>>();
  const auto data = images().with_targets(data::Matrix<float>(40, 1));
  for (const io::Form form : {io::Form::float32, io::Form::int4}) {
    io::export_c(network, folder / "a.h", {.form = form, .calibration = &data});
    CHECK_THAT(read_file(folder / "a.h"), Contains("#define MODEL_OUTPUTS 1\n") && !Contains("second["));
  }
}

TEST_CASE("Raw samples of columns that a network standardises serve all forms", "[io]") {
  const TemporaryFolder folder;
  const auto raw = clouds(60, 5, 3, 1);
  Network<Sequential<Linear<5, 4>, ReLU, Linear<4, 3>>> network{Seed{1}};
  network.set_preprocessing(preprocessing_of(data::Standardization::fit(raw).apply(raw)));
  for (const io::Form form : {io::Form::float32, io::Form::bfloat16, io::Form::int8, io::Form::int4}) {
    const auto facts = io::export_c(network, folder / "a.h", {.form = form, .calibration = &raw, .evaluation = &raw});
    CHECK(facts.samples == 60);
  }
}

TEST_CASE("The self-test allows what computing in float costs", "[io]") {
  const TemporaryFolder folder;
  io::export_c(network_of_bytes(), folder / "a.h");
  CHECK_THAT(read_file(folder / "a.h"), Contains("difference <= 1e-5f * largest"));
  // The first example is dark: a LayerNorm then divides by next to nothing.
  io::export_c(network_of_bytes<Sequential<LayerNorm<36>, Linear<36, 3>>>(), folder / "b.h");
  CHECK_THAT(read_file(folder / "b.h"), !Contains("difference <= 1e-5f * largest"));
}

}  // namespace

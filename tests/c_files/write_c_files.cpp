// SPDX-License-Identifier: MIT
/// @file
/// write_c_files FOLDER [MNIST]
///
/// Trains small networks, and writes to FOLDER for each a C file NAME.h, raw inputs NAME.inputs, and in NAME.logits the
/// logits that the file must give for them: int8_t, or float. Of a file in float32, NAME.exact has the first 1,000
/// samples' logits computed in double. On MNIST's files, if their folder is given, else on synthetic digits.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "retort/data/synthetic_digits.hpp"
#include "retort/io/c_code/float_program.hpp"
#include "retort/io/c_code/float_steps.hpp"
#include "retort/io/export_c.hpp"
#include "retort/retort.hpp"
#include "small_datasets.hpp"

namespace {

using namespace retort;

using Student = Sequential<Linear<784, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;
using Pooled = Sequential<AvgPool2d<Shape<1, 28, 28>, 2>, Linear<196, 13>, Tanh, Linear<13, 10>>;
using Various = Sequential<Dropout<0.1>, Linear<784, 17>, LayerNorm<17>, GELU, Linear<17, 12, Bias::no>, BatchNorm<12>,
                           SiLU, Linear<12, 11>, LeakyReLU<>, BatchNorm<11>, Sigmoid, Linear<11, 10>>;
using OfReals = Sequential<Linear<5, 9>, ReLU, Linear<9, 3>>;

void write(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

void write_inputs(const std::filesystem::path& path, const data::Dataset& data) {
  const data::DatasetView view = data.view();
  const std::size_t count = view.size * view.features;
  write(path, view.bytes != nullptr ? std::as_bytes(std::span(view.bytes, count))
                                    : std::as_bytes(std::span(view.reals, count)));
}

template <Model M>
Network<M> trained(const data::Dataset& train) {
  Network<M> network{Seed{1}};
  Trainer{network, CrossEntropy{}, Adam{.learning_rate = 2e-3}}.fit(train,
                                                                    {.epochs = 1, .batch_size = 32, .seed = Seed{1}});
  return network;
}

struct Task {
  std::filesystem::path folder;
  data::Dataset train;
  data::Dataset test;
  data::Dataset raw_test;  // not standardised
};

template <Model M>
void write_floats(const Task& task, const std::string& name, const Network<M>& network, io::Form form) {
  io::export_c(network, task.folder / (name + ".h"),
               {.prefix = "net", .form = form, .evaluation = &task.test, .recipe = "A line */ of \"text\"."});
  write_inputs(task.folder / (name + ".inputs"), task.raw_test);
  const std::vector<float> logits = predict_all(network, task.test);
  write(task.folder / (name + ".logits"), std::as_bytes(std::span(logits)));
  if (form == io::Form::float32) {
    const io::detail::FloatSteps steps = io::detail::float_steps(fold_batch_norm(network));
    const data::DatasetView view = task.raw_test.view();
    std::vector<float> exact;
    for (std::size_t i = 0; i < std::min<std::size_t>(view.size, 1000); ++i) {
      std::vector<double> inputs(view.features);
      for (std::size_t k = 0; k < view.features; ++k) {
        const std::size_t at = i * view.features + k;
        inputs[k] = view.bytes != nullptr ? static_cast<double>(view.bytes[at]) : static_cast<double>(view.reals[at]);
      }
      std::ranges::transform(io::detail::compute_steps(steps, inputs), std::back_inserter(exact),
                             [](double logit) { return static_cast<float>(logit); });
    }
    write(task.folder / (name + ".exact"), std::as_bytes(std::span(exact)));
  }
}

template <WeightFormat P, Model M>
void write_integers(const Task& task, const std::string& name, const Network<M>& network) {
  const auto quantized = quantize<P>(network, task.train);
  io::export_c(quantized, task.folder / (name + ".h"), {.prefix = "net", .evaluation = &task.raw_test});
  write_inputs(task.folder / (name + ".inputs"), task.raw_test);
  const auto logits = predict_integer(quantized, task.raw_test);
  write(task.folder / (name + ".logits"), std::as_bytes(logits.values()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::cerr << "usage: write_c_files FOLDER [MNIST]\n";
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[1];
    auto [train, test] = argc == 3
                             ? data::load_mnist(argv[2])
                             : std::pair{data::synthetic_digits(1500, Seed{1}), data::synthetic_digits(1000, Seed{2})};
    const Task digits{folder, train, test, test};
    const auto student = trained<Student>(train);
    write_floats(digits, "student_float32", student, io::Form::float32);
    write_floats(digits, "student_bfloat16", student, io::Form::bfloat16);
    write_integers<Int8>(digits, "student_int8", student);
    write_integers<Int4>(digits, "student_int4", student);
    const auto pooled = trained<Pooled>(train);
    write_floats(digits, "pooled_float32", pooled, io::Form::float32);
    write_integers<Int8>(digits, "pooled_int8", pooled);
    write_integers<Int4>(digits, "pooled_int4", pooled);
    write_floats(digits, "various_float32", trained<Various>(train), io::Form::float32);
    const data::Dataset points = test::clouds(500, 5, 3, 1, 0.8);
    const auto standardization = data::Standardization::fit(points);
    const data::Dataset standardised = standardization.apply(points);
    const Task table{folder, standardised, standardised, points};
    const auto of_reals = trained<OfReals>(standardised);
    write_floats(table, "reals_float32", of_reals, io::Form::float32);
    write_integers<Int8>(table, "reals_int8", of_reals);
    const Task unchanged{folder, points, points, points};
    write_integers<Int8>(unchanged, "plain_reals_int8", trained<OfReals>(points));
  } catch (const Error& error) {
    std::cerr << "write_c_files: " << error.what() << '\n';
    return 1;
  }
}

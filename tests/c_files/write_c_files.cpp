// SPDX-License-Identifier: MIT
/// @file
/// write_c_files FOLDER [MNIST]
///
/// Trains small networks, and writes to FOLDER for each, MODEL, raw inputs MODEL.inputs, C files MODEL_FORM.h, and in
/// MODEL_FORM.logits the logits that a file must give for the inputs: int8_t, or float. Of a file in float32,
/// MODEL_FORM.exact has the first 1,000 samples' logits computed in double. On MNIST's files, if their folder is given,
/// else on synthetic digits.

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
using Various =
    Sequential<Dropout<0.1>, Linear<784, 17>, LayerNorm<17>, GELU, Linear<17, 12, Bias::no>, BatchNorm<12>, SiLU,
               Linear<12, 12>, GELUTanh, Linear<12, 11>, LeakyReLU<>, BatchNorm<11>, Sigmoid, Linear<11, 10>>;
using Alone = Sequential<Linear<784, 10>>;
using Coarse = Sequential<AvgPool2d<Shape<1, 28, 28>, 28>, Linear<1, 10>>;
using NormFirst = Sequential<LayerNorm<784>, Linear<784, 10>>;
using OfReals = Sequential<Linear<5, 9>, ReLU, Linear<9, 3>>;

void write(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

template <Model M>
Network<M> trained(const data::Dataset& train) {
  Network<M> network{Seed{1}};
  Trainer{network, CrossEntropy{}, Adam{.learning_rate = 2e-3}}.fit(train,
                                                                    {.epochs = 1, .batch_size = 32, .seed = Seed{1}});
  return network;
}

/// Points of real numbers, moved and narrowed.
data::Dataset far_from_zero(const data::Dataset& points) {
  const data::DatasetView view = points.view();
  std::vector<float> values(view.reals, view.reals + view.size * view.features);
  for (float& value : values) {
    value = 101325.0f + 0.5f * value;
  }
  return test::make_dataset(values, points.labels(), points.classes());
}

struct Task {
  std::filesystem::path folder;
  data::Dataset train;
  data::Dataset test;
  data::Dataset raw_test;  // not standardised
};

/// The raw inputs of a model's files.
void write_inputs(const Task& task, const std::string& model) {
  const data::DatasetView view = task.raw_test.view();
  const std::size_t count = view.size * view.features;
  write(task.folder / (model + ".inputs"), view.bytes != nullptr ? std::as_bytes(std::span(view.bytes, count))
                                                                 : std::as_bytes(std::span(view.reals, count)));
}

template <Model M>
void write_floats(const Task& task, const std::string& name, const Network<M>& network, io::Form form) {
  io::export_c(network, task.folder / (name + ".h"),
               {.prefix = "digit", .form = form, .evaluation = &task.test, .recipe = "A line */ of \"text\"."});
  const std::vector<float> logits = predict_all(network, task.test);
  write(task.folder / (name + ".logits"), std::as_bytes(std::span(logits)));
  if (form == io::Form::float32) {
    const io::detail::FloatSteps steps = io::detail::float_steps<M>(fold_batch_norm(network));
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
  io::export_c(quantized, task.folder / (name + ".h"), {.prefix = "digit", .evaluation = &task.raw_test});
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
    write_inputs(digits, "student");
    write_floats(digits, "student_float32", student, io::Form::float32);
    write_floats(digits, "student_bfloat16", student, io::Form::bfloat16);
    write_integers<Int8>(digits, "student_int8", student);
    write_integers<Int4>(digits, "student_int4", student);
    const auto pooled = trained<Pooled>(train);
    write_inputs(digits, "pooled");
    write_floats(digits, "pooled_float32", pooled, io::Form::float32);
    write_integers<Int8>(digits, "pooled_int8", pooled);
    write_integers<Int4>(digits, "pooled_int4", pooled);
    write_inputs(digits, "various");
    write_floats(digits, "various_float32", trained<Various>(train), io::Form::float32);
    const auto alone = trained<Alone>(train);
    write_inputs(digits, "alone");
    write_integers<Int8>(digits, "alone_int8", alone);
    write_integers<Int4>(digits, "alone_int4", alone);
    write_inputs(digits, "coarse");
    write_floats(digits, "coarse_float32", trained<Coarse>(train), io::Form::float32);
    write_inputs(digits, "norm_first");
    write_floats(digits, "norm_first_float32", trained<NormFirst>(train), io::Form::float32);
    const data::Dataset points = test::clouds(500, 5, 3, 1, 0.8);
    const auto standardization = data::Standardization::fit(points);
    const data::Dataset standardised = standardization.apply(points);
    const Task table{folder, standardised, standardised, points};
    const auto of_reals = trained<OfReals>(standardised);
    write_inputs(table, "reals");
    write_floats(table, "reals_float32", of_reals, io::Form::float32);
    write_integers<Int8>(table, "reals_int8", of_reals);
    // Far from 0, as pressures in pascals are: a float holds their mean to a hundredth of a deviation.
    const data::Dataset far = far_from_zero(points);
    const auto far_standardization = data::Standardization::fit(far);
    const data::Dataset far_standardised = far_standardization.apply(far);
    const Task pressures{folder, far_standardised, far_standardised, far};
    const auto of_pressures = trained<OfReals>(far_standardised);
    write_inputs(pressures, "far_reals");
    write_floats(pressures, "far_reals_float32", of_pressures, io::Form::float32);
    write_integers<Int8>(pressures, "far_reals_int8", of_pressures);
    const Task unchanged{folder, points, points, points};
    write_inputs(unchanged, "plain_reals");
    write_integers<Int8>(unchanged, "plain_reals_int8", trained<OfReals>(points));
  } catch (const Error& error) {
    std::cerr << "write_c_files: " << error.what() << '\n';
    return 1;
  }
}

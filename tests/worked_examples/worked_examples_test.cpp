// SPDX-License-Identifier: MIT
// What CONTRIBUTING.md shows as worked examples, at work.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "catch.hpp"
#include "finite_difference.hpp"
#include "loss/loss_laws.hpp"
#include "plain_backend/threads.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/generic/backend.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/io/safetensors_file.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/shape.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"
#include "training_pass.hpp"
#include "worked_examples/amsgrad.hpp"
#include "worked_examples/convolution.hpp"
#include "worked_examples/cosine_term.hpp"
#include "worked_examples/focal_loss.hpp"
#include "worked_examples/max_pool.hpp"
#include "worked_examples/pgm.hpp"
#include "worked_examples/softplus.hpp"

namespace {

using namespace retort;
using namespace worked_examples;

/// All of it in one model.
using Filters = Convolution<Shape<2, 2, 3>, 5, 2>;
using Example = Sequential<Filters, Softplus, Linear<10, 3>>;
static_assert(backend::InfersLayer<backend::Eigen, Filters, 12, float>);
static_assert(backend::InfersLayer<plain::Threads, Filters, 12, float>);
static_assert(std::is_same_v<Example::ShapeAt<2>, Shape<5, 1, 2>>);

/// A scalar whose gradient in the logits is `weights`.
double weighted_sum(const std::vector<double>& logits, const std::vector<double>& weights) {
  return std::inner_product(logits.begin(), logits.end(), weights.begin(), 0.0);
}

TEST_CASE("A layer of one's own, with weights or without, has the gradient of its value", "[worked_examples]") {
  constexpr std::size_t batch = 3;
  test::TrainingPass<Example> pass(batch);
  const auto inputs = test::random_values<double>(batch * 12, 1);
  const auto weights = test::random_values<double>(batch * 3, 2);
  const auto value = [&](const std::vector<double>& at) { return weighted_sum(pass.forward(at), weights); };
  value(inputs);
  const auto gradients = pass.backward(inputs, weights);
  CHECK(test::worst_gradient_difference(value, inputs, gradients.inputs).relative_error < 1e-8);
  const auto parameters = test::packed_parameters(pass.network);
  const auto by_parameters = [&](const std::vector<double>& at) {
    test::set_packed_parameters(pass.network, at);
    return value(inputs);
  };
  CHECK(test::worst_gradient_difference(by_parameters, parameters, gradients.parameters).relative_error < 1e-8);
}

// Shapes fold through a model: pointwise layers keep them, a plain width takes any of its size.
using Pooled = Sequential<MaxPool<3, 8, 4>, Softplus, MaxPool<3, 4, 2>, Linear<6, 2>>;
static_assert(std::is_same_v<Pooled::ShapeAt<0>, Shape<3, 8, 4>> &&
              std::is_same_v<Pooled::ShapeAt<2>, Shape<3, 4, 2>> &&
              std::is_same_v<Pooled::ShapeAt<3>, Shape<3, 2, 1>> && std::is_same_v<Pooled::ShapeAt<4>, Shape<2>>);
static_assert(Pooled::input_size == 96 && Pooled::widths[3] == 6);
static_assert(std::is_same_v<FirstLayers<Pooled, 2>, Sequential<MaxPool<3, 8, 4>, Softplus>>);

TEST_CASE("A layer whose samples have axes has the gradient of its value", "[worked_examples]") {
  constexpr std::size_t batch = 3;
  test::TrainingPass<Pooled> pass(batch);
  const auto inputs = test::random_values<double>(batch * 96, 1);
  const auto weights = test::random_values<double>(batch * 2, 2);
  const auto value = [&](const std::vector<double>& at) { return weighted_sum(pass.forward(at), weights); };
  value(inputs);
  const auto gradients = pass.backward(inputs, weights);
  // Small steps, so that no other pixel becomes the largest.
  CHECK(test::worst_gradient_difference(value, inputs, gradients.inputs, 1e-4).relative_error < 1e-8);
}

TEST_CASE("Images with channels meet a model of their extents, and no other", "[worked_examples]") {
  const data::Dataset flat = test::noise_images(20, {8, 12}, 2, 1);
  const auto with_extents = [&](data::ImageShape image) {
    return data::Dataset{flat.features(), flat.labels(), 2, image, flat.normalization()};
  };
  Network<Pooled> network{Seed{1}};
  Trainer trainer{network, CrossEntropy{}, Adam{}};
  CHECK(trainer.describe() ==
        "single operations in float, not panels: MaxPool (layer 0) is neither Linear, pointwise nor a normalization");
  const FitOptions options{.epochs = 2, .batch_size = 5, .augmentation = {.shift = 1}};
  CHECK(trainer.fit(with_extents({8, 4, 3}), options).size() == 2);
  CHECK(with_extents({8, 4, 3}).fingerprint() != with_extents({4, 8, 3}).fingerprint());
  CHECK(with_extents({8, 12}).fingerprint() != with_extents({8, 4, 3}).fingerprint());
  CHECK_THROWS_AS(trainer.fit(with_extents({4, 8, 3}), options), ShapeError);
  CHECK_THROWS_AS(trainer.fit(flat, options), ShapeError);
  CHECK_THROWS_AS(with_extents({8, 4, 2}), ShapeError);
}

TEST_CASE("A loss of one's own obeys the laws of losses", "[worked_examples]") {
  for (const double gamma : {0.0, 1.0, 2.0}) {
    test::check_loss_laws<3>(FocalLoss{.gamma = gamma});
    test::check_loss_is_finite_at_extreme_logits(FocalLoss{.gamma = gamma});
  }
}

TEST_CASE("A term of one's own has the gradient of its value", "[worked_examples]") {
  const CosineTerm<0, 0> term{.weight = 3.0};
  const auto teacher = test::random_values<double>(5, 1);
  const auto student = test::random_values<double>(5, 2);
  std::vector<double> gradient(5);
  const auto value = [&](const std::vector<double>& at) {
    return term.row<5>(StudentFeatures<double>{at.data()}, TeacherFeatures<double>{teacher.data()}, 1.0,
                       gradient.data());
  };
  value(student);
  const std::vector<double> analytic = gradient;
  CHECK(test::worst_gradient_difference(value, student, analytic).relative_error < 1e-8);
  CHECK_THAT(value(teacher), WithinAbs(0.0, 1e-10));
}

template <typename Backend>
History train_all(const Backend& backend, const data::Dataset& data) {
  const Network<Sequential<Linear<12, 6>, ReLU, Linear<6, 3>>, Backend> teacher{Seed{2}, backend};
  Network<Example, Backend> student{Seed{1}, backend};
  DistillationTrainer trainer{teacher, student, WithTerm{FocalLoss{}, CosineTerm<1, 1>{}},
                              AmsGrad{.learning_rate = 1e-2}};
  return trainer.fit(data, {.epochs = 20, .batch_size = 16});
}

TEST_CASE("A tensor with four axes keeps them in a file", "[worked_examples]") {
  const test::TemporaryFolder folder;
  const Network<Example> saved{Seed{1}};
  io::save_safetensors(saved, folder / "filters.safetensors");
  const auto file = io::SafetensorsFile::read(folder / "filters.safetensors");
  CHECK(file.at("0.weight").shape == std::vector<std::size_t>{5, 2, 2, 2});
  Network<Example> loaded{Seed{2}};
  io::load_safetensors(loaded, folder / "filters.safetensors");
  CHECK(test::packed_parameters(loaded) == test::packed_parameters(saved));
}

TEST_CASE("A model, a loss, a term and an optimizer of one's own train on every kind of backend", "[worked_examples]") {
  const data::Dataset data = test::clouds(90, 12, 3, 1);
  const History history = train_all(backend::Eigen{2}, data);
  CHECK(history.back().loss < 0.5 * history.front().loss);
  CHECK(history.back().accuracy > 0.9);
  const History by_threads = train_all(plain::Threads{}, data);
  CHECK_THAT(by_threads.back().loss, WithinRel(history.back().loss, 0.01));
}

TEST_CASE("A format of one's own is read, and what is damaged is refused", "[worked_examples]") {
  const test::TemporaryFolder folder;
  const std::string image = "P5\n3 2\n255\nabcdef";
  test::write_file(folder / "two.pgm", image + image);
  const data::Dataset data = load_pgm(folder / "two.pgm", {0, 1}, 2);
  CHECK(data.image() == data::ImageShape{2, 3});
  CHECK(std::get<data::Matrix<std::uint8_t>>(data.features()).row(1)[5] == 'f');
  for (std::size_t length = 0; length < image.size(); ++length) {
    CAPTURE(length);
    test::write_file(folder / "cut.pgm", image.substr(0, length));
    CHECK_THROWS_AS(load_pgm(folder / "cut.pgm", {0}, 2), Error);
  }
  test::write_file(folder / "long.pgm", image + "x");
  CHECK_THROWS_AS(load_pgm(folder / "long.pgm", {0}, 2), FormatError);
}

}  // namespace

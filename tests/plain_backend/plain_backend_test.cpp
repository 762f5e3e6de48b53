// SPDX-License-Identifier: MIT
// The backends of docs/write_your_own_backend.md: one that writes every operation itself, right by finite differences,
// and in double the reference of the others; and one that brings memory and threads.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "finite_difference.hpp"
#include "plain_backend/plain.hpp"
#include "plain_backend/threads.hpp"
#include "random_values.hpp"
#include "retort/retort.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"
#include "train/recorder.hpp"

namespace {

using namespace retort;
using plain::Plain;
using retort::test::largest_difference;
using retort::test::random_values;
using retort::test::same_bits;
using retort::test::same_results;
using retort::test::worst_gradient_difference;

/// A network with random parameters (those too that begin at 0 and 1), and the memory of its passes, which begins as
/// NaN.
template <Model M, typename Backend, typename Scalar = double>
class Pass {
 public:
  explicit Pass(std::size_t batch)
      : network(Seed{1}),
        batch_(batch),
        activations_(internal::activation_arena_size<M>(batch), garbage),
        scratch_(backend::pass_scratch_size<M>(batch), garbage) {
    auto values = random_values<double>(M::parameter_count, 11, 0.25, 1.0);
    const auto signs = random_values<double>(M::parameter_count, 12);
    std::ranges::transform(values, signs, values.begin(),
                           [](double value, double sign) { return sign < 0 ? -value : value; });
    set_parameters(values);
  }

  void set_parameters(const std::vector<double>& values) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < M::parameters.size(); ++i) {
      for (Scalar& value : network.parameter(i)) {
        value = static_cast<Scalar>(values[at++]);
      }
    }
  }

  std::vector<Scalar> parameters() const { return packed(network.parameter_arena()); }

  std::vector<Scalar> forward(const std::vector<Scalar>& inputs) {
    const Scalar* logits =
        internal::run_forward<M>(network.backend(),
                                 backend::ForwardArguments<Scalar>{network.parameter_data(), network.buffer_data(),
                                                                   inputs.data(), activations_.data(), batch_, random_},
                                 batch_);
    return {logits, logits + batch_ * M::output_size};
  }

  struct Gradients {
    std::vector<Scalar> parameters;
    std::vector<Scalar> inputs;
  };

  /// After forward with the same inputs.
  Gradients backward(const std::vector<Scalar>& inputs, const std::vector<Scalar>& incoming, bool with_inputs = true) {
    std::vector<Scalar> arena(M::parameter_arena_size, garbage);
    std::vector<Scalar> input_gradient(with_inputs ? inputs.size() : 0, garbage);
    internal::run_backward<M>(
        network.backend(),
        backend::BackwardArguments<Scalar>{.parameters = network.parameter_data(),
                                           .input = inputs.data(),
                                           .output = activations_.data(),
                                           .output_gradient = incoming.data(),
                                           .input_gradient = with_inputs ? input_gradient.data() : nullptr,
                                           .parameter_gradients = arena.data(),
                                           .batch = batch_,
                                           .random = random_,
                                           .buffers = network.buffer_data()},
        batch_, scratch_.data());
    return {packed(arena), input_gradient};
  }

  std::vector<Scalar> infer(const std::vector<Scalar>& inputs) const {
    std::vector<Scalar> logits(batch_ * M::output_size, garbage);
    network.predict(inputs, logits);
    return logits;
  }

  Network<M, Backend, Scalar> network;

 private:
  static constexpr Scalar garbage = std::numeric_limits<Scalar>::quiet_NaN();

  /// The tensors behind one another, without the arena's padding.
  static std::vector<Scalar> packed(std::span<const Scalar> arena) {
    std::vector<Scalar> values;
    for (const TensorInfo& tensor : M::parameters) {
      const auto tensor_values = arena.subspan(tensor.offset, tensor.count());
      values.insert(values.end(), tensor_values.begin(), tensor_values.end());
    }
    return values;
  }

  std::size_t batch_;
  std::vector<Scalar> activations_;
  std::vector<Scalar> scratch_;
  backend::LayerRandom random_{Seed{5}, 3};
};

template <Model M, typename Scalar = double>
std::vector<Scalar> inputs_of(std::size_t batch) {
  return random_values<Scalar>(batch * M::input_size, 21, -1.5, 1.5);
}

template <Model M, typename Scalar = double>
std::vector<Scalar> incoming_of(std::size_t batch) {
  return random_values<Scalar>(batch * M::output_size, 22);
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// Relative to the largest number, where that is above 1.
template <typename Values>
double scaled_difference(const Values& a, const Values& b) {
  double largest = 1.0;
  for (const auto value : b) {
    largest = std::max(largest, std::abs(static_cast<double>(value)));
  }
  return largest_difference(a, b) / largest;
}

// An elementwise layer where the gradient of the inputs passes through it last, and first.
template <typename L>
using Around = Sequential<L, Linear<4, 3>, L>;

using Deep = Sequential<Dropout<0.2>, Linear<6, 5>, BatchNorm<5>, GELU, Dropout<0.25>, Linear<5, 4, Bias::no>,
                        LayerNorm<4>, Tanh, Linear<4, 3>>;

using Models = std::tuple<Sequential<Linear<5, 3>>, Sequential<Linear<5, 3, Bias::no>>, Sequential<Linear<1, 1>>,
                          Sequential<LayerNorm<5>>, Sequential<BatchNorm<5>>, Around<ReLU>, Around<LeakyReLU<0.2>>,
                          Around<GELU>, Around<SiLU>, Around<Tanh>, Around<Sigmoid>, Around<Dropout<0.4>>,
                          Sequential<AvgPool2d<Shape<2, 4, 6>, 2>, Linear<12, 3>>, Deep>;

TEMPLATE_LIST_TEST_CASE("Plain gradients are those of finite differences", "[plain_backend]", Models) {
  using M = TestType;
  constexpr std::size_t batch = 5;
  Pass<M, Plain> pass(batch);
  const auto inputs = inputs_of<M>(batch);
  const auto incoming = incoming_of<M>(batch);
  const auto original = pass.parameters();
  pass.forward(inputs);
  const auto gradients = pass.backward(inputs, incoming);
  CHECK(same_bits(pass.backward(inputs, incoming, false).parameters, gradients.parameters));

  constexpr double step = 1e-4;
  const auto parameters = worst_gradient_difference(
      [&](const std::vector<double>& values) {
        pass.set_parameters(values);
        return dot(pass.forward(inputs), incoming);
      },
      original, gradients.parameters, step);
  CAPTURE(parameters.index, parameters.analytic, parameters.numeric);
  CHECK(parameters.relative_error < 1e-7);

  pass.set_parameters(original);
  const auto features =
      worst_gradient_difference([&](const std::vector<double>& values) { return dot(pass.forward(values), incoming); },
                                inputs, gradients.inputs, step);
  CAPTURE(features.index, features.analytic, features.numeric);
  CHECK(features.relative_error < 1e-7);
}

using Wide = Sequential<Linear<70, 90>, LayerNorm<90>, SiLU, Dropout<0.3>, Linear<90, 65, Bias::no>, BatchNorm<65>,
                        LeakyReLU<0.1>, Sigmoid, Linear<65, 10>>;
using ModelsAndWide = std::tuple<Sequential<Linear<5, 3>>, Sequential<LayerNorm<70>>, Sequential<BatchNorm<70>>,
                                 Around<ReLU>, Around<Dropout<0.4>>, Deep, Wide>;

/// One pass of a model on both.
template <Model M, typename Backend>
void check_agrees_with_plain() {
  constexpr std::size_t batch = 37;
  Pass<M, Plain> plain_pass(batch);
  Pass<M, Backend> pass(batch);
  const auto inputs = inputs_of<M>(batch);
  const auto incoming = incoming_of<M>(batch);
  CHECK(scaled_difference(plain_pass.forward(inputs), pass.forward(inputs)) < 1e-12);
  CHECK(scaled_difference(plain_pass.network.buffer_arena(), pass.network.buffer_arena()) < 1e-12);
  const auto plain_gradients = plain_pass.backward(inputs, incoming);
  const auto gradients = pass.backward(inputs, incoming);
  CHECK(scaled_difference(plain_gradients.parameters, gradients.parameters) < 1e-12);
  CHECK(scaled_difference(plain_gradients.inputs, gradients.inputs) < 1e-12);
  CHECK(scaled_difference(plain_pass.infer(inputs), pass.infer(inputs)) < 1e-12);
}

TEMPLATE_LIST_TEST_CASE("In double the plain backend agrees with Eigen's and with one of memory and threads",
                        "[plain_backend]", ModelsAndWide) {
  check_agrees_with_plain<TestType, backend::Eigen>();
  check_agrees_with_plain<TestType, plain::Threads>();
}

TEMPLATE_LIST_TEST_CASE("In float the plain backend is as far from itself in double as rounding takes it",
                        "[plain_backend]", ModelsAndWide) {
  using M = TestType;
  constexpr std::size_t batch = 9;
  Pass<M, Plain, float> narrow(batch);
  Pass<M, Plain> wide(batch);
  const auto inputs = inputs_of<M, float>(batch);
  const auto incoming = incoming_of<M, float>(batch);
  const auto widened = [](const auto& values) { return std::vector<double>(values.begin(), values.end()); };
  const auto difference = [&](const auto& floats, const std::vector<double>& doubles) {
    return scaled_difference(widened(floats), doubles);
  };
  CHECK(difference(narrow.forward(inputs), wide.forward(widened(inputs))) < 1e-5);
  const auto narrow_gradients = narrow.backward(inputs, incoming);
  const auto wide_gradients = wide.backward(widened(inputs), widened(incoming));
  CHECK(difference(narrow_gradients.parameters, wide_gradients.parameters) < 1e-4);
  CHECK(difference(narrow_gradients.inputs, wide_gradients.inputs) < 1e-4);
}

TEST_CASE("A Linear computed with its chain gives the bits of one after the other", "[plain_backend]") {
  using L = Linear<6, 5>;
  using C = backend::Chain<GELU, Dropout<0.5>, Tanh>;
  static_assert(backend::FusesInfer<Plain, L, C, backend::Width<6>, double>);
  constexpr std::size_t batch = 4;
  using M = Sequential<L, GELU, Dropout<0.5>, Tanh>;
  const Pass<M, Plain> pass(batch);
  const auto inputs = inputs_of<M>(batch);
  std::vector<double> expected(batch * 5);
  const Plain backend;
  infer(backend, L{}, backend::Width<6>{},
        backend::InferArguments<double>{pass.network.parameter_data(), nullptr, inputs.data(), expected.data(), batch});
  infer(backend, C{}, backend::Width<5>{},
        backend::InferArguments<double>{nullptr, nullptr, expected.data(), expected.data(), batch});
  CHECK(same_bits(pass.infer(inputs), expected));
}

using TeacherModel = Sequential<Linear<30, 24>, BatchNorm<24>, Dropout<0.5>, ReLU, Linear<24, 4>>;
using StudentModel = Sequential<Linear<30, 8>, LayerNorm<8>, GELU, Dropout<0.1>, Linear<8, 4>>;

const data::Dataset& images() {
  static const data::Dataset data = test::noise_images(75, {5, 6}, 4, 1);
  return data;
}

const data::Dataset& validation_images() {
  static const data::Dataset data = test::noise_images(40, {5, 6}, 4, 2);
  return data;
}

const FitOptions everything{.epochs = 6,
                            .batch_size = 16,
                            .seed = Seed{3},
                            .augmentation = {.shift = 1},
                            .schedule = LinearWarmup{.steps = 5, .then = CosineSchedule{}},
                            .clipping = GradientClipping{0.25}};

template <typename Backend, Model M, Optimizer O>
History train(Network<M, Backend, double>& network, const O& optimizer, const FitOptions& options) {
  Trainer trainer{network, CrossEntropy{.label_smoothing = 0.1}, optimizer};
  return trainer.fit(images(), validation_images(), options);
}

template <typename Backend>
History distil(Network<StudentModel, Backend, double>& student, const FitOptions& options) {
  Network<TeacherModel, Backend, double> teacher{Seed{4}};
  train(teacher, Adam{.learning_rate = 1e-2}, {.epochs = 2, .batch_size = 25});
  DistillationTrainer distiller{std::as_const(teacher), student, HintonLoss{.temperature = 3, .hard_weight = 0.25},
                                AdamW{.learning_rate = 1e-2}};
  return distiller.fit(images(), validation_images(), options);
}

/// The same training on both backends, by train(network, options). The curves must fall, so that there is something to
/// compare.
template <Model M, typename Other, typename Train>
void check_same_curve_on(const Train& run, const FitOptions& options) {
  Network<M, Plain, double> plain_network{Seed{1}};
  Network<M, Other, double> network{Seed{1}};
  const History plain_history = run(plain_network, options);
  const History history = run(network, options);
  REQUIRE(plain_history.size() == options.epochs);
  REQUIRE(history.size() == options.epochs);
  CHECK(plain_history.back().loss < 0.99 * plain_history.front().loss);
  for (std::size_t epoch = 0; epoch < options.epochs; ++epoch) {
    CAPTURE(epoch);
    CHECK_THAT(plain_history[epoch].loss, WithinAbs(history[epoch].loss, 1e-9));
    CHECK_THAT(plain_history[epoch].validation->loss, WithinAbs(history[epoch].validation->loss, 1e-9));
    CHECK(plain_history[epoch].errors == history[epoch].errors);
    CHECK(plain_history[epoch].validation->errors == history[epoch].validation->errors);
  }
  CHECK(largest_difference(plain_network.parameter_arena(), network.parameter_arena()) < 1e-8);
  CHECK(largest_difference(plain_network.buffer_arena(), network.buffer_arena()) < 1e-8);
}

template <Model M, typename Train>
void check_same_curve(const Train& run, const FitOptions& options) {
  check_same_curve_on<M, backend::Eigen>(run, options);
  check_same_curve_on<M, plain::Threads>(run, options);
}

TEST_CASE("In double a training is the same curve on every backend", "[plain_backend]") {
  const auto with = [](const auto& optimizer) {
    return [optimizer](auto& network, const FitOptions& options) { return train(network, optimizer, options); };
  };
  check_same_curve<TeacherModel>(with(Adam{.learning_rate = 1e-2}), {.epochs = 5, .batch_size = 16});
  check_same_curve<TeacherModel>(with(AdamW{.learning_rate = 1e-2}), everything);
  check_same_curve<StudentModel>(with(Sgd{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}), everything);
  check_same_curve<StudentModel>(with(Sgd{.learning_rate = 0.1}), {.epochs = 4, .batch_size = 75, .shuffle = false});
}

TEST_CASE("In double a distillation is the same curve on every backend", "[plain_backend]") {
  for (const std::size_t pixels : {0u, 1u}) {
    CAPTURE(pixels);
    FitOptions options = everything;
    options.augmentation = {.shift = pixels};
    check_same_curve<StudentModel>(
        [](auto& student, const FitOptions& fit_options) { return distil(student, fit_options); }, options);
  }
}

TEST_CASE("A plain training repeats bit for bit, also over an interruption", "[plain_backend]") {
  const test::TemporaryFolder folder;
  FitOptions options = everything;
  Network<StudentModel, Plain, double> straight{Seed{1}};
  const History expected = distil(straight, options);

  Network<StudentModel, Plain, double> again{Seed{1}};
  CHECK(same_results(distil(again, options), expected));
  CHECK(same_bits(again.parameter_arena(), straight.parameter_arena()));

  options.checkpoint = CheckpointOptions{folder / "run", true};
  test::Interrupter interrupter(4, 2);
  options.observers = {&interrupter};
  Network<StudentModel, Plain, double> first{Seed{1}};
  CHECK_THROWS_AS(distil(first, options), test::Interruption);
  options.observers.clear();
  Network<StudentModel, Plain, double> second{Seed{1}};
  CHECK(same_results(distil(second, options), expected));
  CHECK(same_bits(second.parameter_arena(), straight.parameter_arena()));
}

TEST_CASE("The plain backend finds what is not finite, wherever it stands", "[plain_backend]") {
  std::vector<double> values(5, -1e308);
  CHECK(all_finite(Plain{}, values.data(), values.size()));
  for (const double bad : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      auto broken = values;
      broken[i] = bad;
      CHECK_FALSE(all_finite(Plain{}, broken.data(), broken.size()));
    }
  }
}

TEST_CASE("A plain network goes through a file and on to the Eigen backend", "[plain_backend]") {
  const test::TemporaryFolder folder;
  Network<TeacherModel, Plain, float> trained{Seed{1}};
  Trainer trainer{trained, CrossEntropy{}, Adam{}};
  trainer.fit(images(), {.epochs = 2, .batch_size = 25});
  io::save_safetensors(trained, folder / "network.safetensors");

  Network<TeacherModel, Plain, float> same{Seed{2}};
  io::load_safetensors(same, folder / "network.safetensors");
  CHECK(same_bits(same.parameter_arena(), trained.parameter_arena()));
  CHECK(same_bits(same.buffer_arena(), trained.buffer_arena()));

  Network<TeacherModel> on_eigen{Seed{3}};
  io::load_safetensors(on_eigen, folder / "network.safetensors");
  CHECK(largest_difference(predict_all(on_eigen, images()), predict_all(trained, images())) < 1e-5);
  CHECK_THAT(evaluate(on_eigen, images()).loss, WithinRel(evaluate(trained, images()).loss, 1e-5));
}

TEST_CASE("What a function throws on another thread comes to the caller, and no other call begins", "[plain_backend]") {
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool> thrown = false;
  std::atomic<int> calls = 0;
  const auto function = [&](std::size_t) {
    ++calls;
    if (std::this_thread::get_id() != caller) {
      thrown = true;
      throw std::runtime_error("on another thread");
    }
    while (!thrown) {
      std::this_thread::yield();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the other has left by then
  };
  CHECK_THROWS_WITH(plain::Threads{}.for_each(1'000'000, function), "on another thread");
  CHECK(calls < 1000);
}

TEST_CASE("The plain backend says what it is", "[plain_backend]") {
  CHECK(std::string(Plain::name) == "plain");
  CHECK(Plain{}.describe() == "plain loops on one thread");
}

}  // namespace

// SPDX-License-Identifier: MIT
#include "retort/train/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "allocation_count.hpp"
#include "brief.hpp"
#include "by_operations.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/eigen/bf16.hpp"
#include "retort/data/synthetic_digits.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/relational.hpp"
#include "retort/loss/softmax_passed_to_kl.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/adamw.hpp"
#include "retort/optim/max_norm.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/optim/weight_average.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"
#include "train/recorder.hpp"

namespace {

using namespace retort;
using retort::test::clouds;
using retort::test::same_bits;
using retort::test::same_results;

using M = Sequential<Linear<6, 16>, ReLU, Dropout<0.25>, Linear<16, 3>>;
using WithBatchNorm = Sequential<Linear<6, 16>, BatchNorm<16>, ReLU, Linear<16, 3>>;

template <Model T = M>
struct Trained {
  explicit Trained(const data::Dataset& data, const FitOptions& options, Seed seed = Seed{1}, unsigned threads = 1)
      : network(seed, backend::Eigen{threads}) {
    Trainer trainer{network, CrossEntropy{}, Adam{}};
    history = trainer.fit(data, options);
  }

  Network<T> network;
  History history;
};

TEST_CASE("A network learns to tell clouds of points apart", "[train]") {
  const Trained<> trained(clouds(600, 6, 3, 1, 0.3), {.epochs = 30, .batch_size = 32});
  CHECK(evaluate(trained.network, clouds(300, 6, 3, 2, 0.3)).accuracy > 0.98);
  CHECK(trained.history.back().loss < trained.history.front().loss);
}

TEST_CASE("A network learns to read digits", "[train]") {
  if (test::brief) {
    test::skip("digits take minutes to learn in a brief run");
    return;
  }
  const auto train = data::synthetic_digits(1000, Seed{1});
  const auto test = data::synthetic_digits(500, Seed{2});
  Network<Sequential<Linear<784, 32>, ReLU, Linear<32, 10>>> network{Seed{1}};
  CHECK(evaluate(network, test).accuracy < 0.3);
  Trainer trainer{network, CrossEntropy{}, Adam{.learning_rate = 2e-3}};
  const auto history = trainer.fit(train, test, {.epochs = 8, .batch_size = 32});
  CHECK(evaluate(network, test).accuracy > 0.7);
  const Evaluation last = evaluate(network, test);
  REQUIRE(history.back().validation);
  CHECK(history.back().validation->loss == last.loss);
  CHECK(history.back().validation->errors == last.errors);
}

TEST_CASE("Equal seeds give equal bits, another seed of the training or the network others", "[train]") {
  const auto data = clouds(50, 6, 3, 1);
  const FitOptions options{.epochs = 3, .batch_size = 16, .seed = Seed{5}};
  const Trained<> trained(data, options);
  const Trained<> again(data, options);
  CHECK(same_bits(trained.network.parameter_arena(), again.network.parameter_arena()));
  CHECK(same_results(trained.history, again.history));
  FitOptions other = options;
  other.seed = Seed{6};
  CHECK_FALSE(same_bits(trained.network.parameter_arena(), Trained<>(data, other).network.parameter_arena()));
  CHECK_FALSE(
      same_bits(trained.network.parameter_arena(), Trained<>(data, options, Seed{2}).network.parameter_arena()));
}

TEMPLATE_TEST_CASE("Validation changes no bit of what is trained", "[train]", M, WithBatchNorm) {
  const auto data = clouds(50, 6, 3, 1);
  const FitOptions options{.epochs = 3, .batch_size = 16};
  const Trained<TestType> alone(data, options);
  Network<TestType> validated{Seed{1}};
  Trainer trainer{validated, CrossEntropy{}, Adam{}};
  const History history = trainer.fit(data, clouds(20, 6, 3, 2), options);
  REQUIRE(history.back().validation);
  CHECK(same_bits(validated.parameter_arena(), alone.network.parameter_arena()));
  CHECK(same_bits(validated.buffer_arena(), alone.network.buffer_arena()));
}

TEST_CASE("A second fit begins with fresh moments from the parameters at hand", "[train]") {
  const auto data = clouds(50, 6, 3, 1);
  const FitOptions options{.epochs = 2, .batch_size = 16};
  Network<M> network{Seed{1}};
  Trainer trainer{network, CrossEntropy{}, Adam{}};
  trainer.fit(data, options);
  Network<M> copy = network;
  trainer.fit(data, options);
  Trainer other{copy, CrossEntropy{}, Adam{}};
  other.fit(data, options);
  CHECK(same_bits(network.parameter_arena(), copy.parameter_arena()));
}

TEST_CASE("Batches may be short, larger than the data, or of one sample", "[train]") {
  for (const std::size_t samples : {1u, 2u, 7u, 50u}) {
    for (const std::size_t batch_size : {1u, 7u, 16u, 1000u}) {
      CAPTURE(samples, batch_size);
      std::vector<std::string> events;
      test::Recorder recorder(events);
      const Trained<> trained(clouds(samples, 6, 3, 1),
                              {.epochs = 1, .batch_size = batch_size, .observers = {&recorder}});
      CHECK(events.size() == 3 + (samples + batch_size - 1) / batch_size);
      CHECK(std::isfinite(trained.history[0].loss));
      CHECK(trained.history[0].errors <= samples);
      CHECK_THAT(
          *trained.history[0].accuracy,
          WithinAbs(1.0 - static_cast<double>(*trained.history[0].errors) / static_cast<double>(samples), 1e-12));
    }
  }
}

TEST_CASE("A batch larger than the data is the batch of all of it", "[train]") {
  const auto data = clouds(20, 6, 3, 1);
  const Trained<> all(data, {.epochs = 3, .batch_size = 20});
  const Trained<> more(data, {.epochs = 3, .batch_size = 1000});
  CHECK(same_bits(all.network.parameter_arena(), more.network.parameter_arena()));
}

TEST_CASE("The mean over an epoch is over its samples, not over its batches", "[train]") {
  // Without learning and dropout the loss is that of evaluation, however the samples are cut.
  const auto data = clouds(50, 6, 3, 1);
  Network<Sequential<Linear<6, 3>>> network{Seed{1}};
  const Evaluation expected = evaluate(network, data);
  Trainer trainer{network, CrossEntropy{}, Sgd{.learning_rate = 0}};
  for (const std::size_t batch_size : {50u, 16u, 49u}) {
    const auto history = trainer.fit(data, {.epochs = 1, .batch_size = batch_size});
    CHECK_THAT(history[0].loss, WithinRel(expected.loss, 1e-5));
    CHECK(history[0].errors == expected.errors);
    CHECK(history[0].accuracy == 1.0 - static_cast<double>(expected.errors) / 50.0);
  }
}

TEST_CASE("Every step of every epoch draws masks of its own", "[train]") {
  // Without learning and shuffling, dropout is all that can tell one epoch's loss from another's.
  Network<M> network{Seed{1}};
  Trainer trainer{network, CrossEntropy{}, Sgd{.learning_rate = 0}};
  const auto history = trainer.fit(clouds(50, 6, 3, 1), {.epochs = 3, .batch_size = 16, .shuffle = false});
  CHECK(history[0].loss != history[1].loss);
  CHECK(history[1].loss != history[2].loss);
  CHECK(history[0].loss != history[2].loss);
}

TEST_CASE("Batch statistics of a single sample are refused", "[train]") {
  Network<WithBatchNorm> network{Seed{1}};
  const Network<WithBatchNorm> before = network;
  Trainer trainer{network, CrossEntropy{}, Adam{}};
  const auto fit = [&](std::size_t samples, std::size_t batch_size) {
    trainer.fit(clouds(samples, 6, 3, 1), {.epochs = 1, .batch_size = batch_size});
  };
  CHECK_THROWS_AS(fit(33, 16), OptionError);
  CHECK_THROWS_AS(fit(4, 1), OptionError);
  CHECK_THROWS_AS(fit(1, 16), OptionError);
  CHECK(same_bits(network.parameter_arena(), before.parameter_arena()));
  CHECK_NOTHROW(fit(34, 16));
  CHECK_NOTHROW(fit(2, 16));
}

TEST_CASE("A model may have more outputs than a dataset has classes", "[train]") {
  Network<M> network{Seed{1}};
  const data::Dataset two_classes = clouds(60, 6, 2, 1);
  CHECK_NOTHROW(Trainer{network, CrossEntropy{}, Adam{.learning_rate = 1e-2}}.fit(two_classes, {.epochs = 20}));
  CHECK(evaluate(network, two_classes).accuracy > 0.9);
}

TEST_CASE("A last batch that is dropped changes nothing", "[train]") {
  // Unshuffled, the samples of an epoch are the first ones.
  const data::Dataset data = clouds(50, 6, 3, 1);
  std::vector<std::uint32_t> whole(48);
  std::iota(whole.begin(), whole.end(), 0u);
  const FitOptions options{.epochs = 3, .batch_size = 16, .drop_last = true, .shuffle = false};
  const Trained<> dropped(data, options);
  const Trained<> first(data.subset(whole), options);
  CHECK(same_bits(dropped.network.parameter_arena(), first.network.parameter_arena()));
  REQUIRE(dropped.history.size() == 3);
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    CHECK(dropped.history[epoch].loss == first.history[epoch].loss);
    CHECK(dropped.history[epoch].errors == first.history[epoch].errors);
  }
  // Shuffled, every sample has its turn.
  const Trained<> shuffled(data, {.epochs = 3, .batch_size = 16, .drop_last = true});
  CHECK_FALSE(same_bits(shuffled.network.parameter_arena(), first.network.parameter_arena()));
  // The last batch of one is too small for batch statistics, unless it is dropped.
  CHECK_NOTHROW(Trained<WithBatchNorm>(clouds(33, 6, 3, 1), {.epochs = 1, .batch_size = 16, .drop_last = true}));
  CHECK_THROWS_AS(Trained<WithBatchNorm>(clouds(33, 6, 3, 1), {.epochs = 1, .batch_size = 1, .drop_last = true}),
                  OptionError);
}

TEST_CASE("Data of other sizes than the model's is refused", "[train]") {
  Network<M> network{Seed{1}};
  Trainer trainer{network, CrossEntropy{}, Adam{}};
  const FitOptions options{.epochs = 1};
  CHECK_THROWS_AS(trainer.fit(clouds(20, 5, 3, 1), options), ShapeError);
  CHECK_THROWS_AS(trainer.fit(clouds(20, 6, 4, 1), options), ShapeError);
  CHECK_THROWS_AS(trainer.fit(clouds(20, 6, 3, 1), clouds(20, 6, 4, 1), options), ShapeError);
  CHECK_THROWS_AS(evaluate(network, clouds(20, 6, 4, 1)), ShapeError);
  CHECK_THROWS_AS(predict_all(network, clouds(20, 7, 3, 1)), ShapeError);
  // Points are no images.
  CHECK_THROWS_WITH(trainer.fit(clouds(20, 6, 3, 1), {.epochs = 1, .augmentation = {.rotation = 1}}),
                    "augmentation: rotation is 1, expected 0, as the samples are no images");
  CHECK_THROWS_WITH(trainer.fit(clouds(20, 6, 3, 1), {.epochs = 1, .augmentation = {.noise = -1}}),
                    "augmentation: noise is -1, expected a number in [0, 1000000]");
  CHECK_NOTHROW(trainer.fit(clouds(20, 6, 3, 1), {.epochs = 1, .augmentation = {.noise = 0.1}}));
}

template <typename Scalar>
using Net = Network<M, backend::Eigen, Scalar>;

/// Whether a training in Scalar takes these; how it says that it does not.
template <typename Scalar, typename L, typename O>
std::string refusal(const L& loss, const O& optimizer) {
  Net<Scalar> teacher{Seed{1}};
  Net<Scalar> network{Seed{1}};
  try {
    DistillationTrainer{teacher, network, loss, optimizer};
  } catch (const OptionError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("What float cannot hold is refused where training is in float", "[train]") {
  using Catch::Matchers::StartsWith;
  // Of each, what rounds to 0 and what to infinity; double holds them all.
  for (const double temperature : {1e-46, 1e-20, 1e20, 1e39}) {
    CHECK_THAT(refusal<float>(HintonLoss{temperature, 0.5}, Adam{}), StartsWith("HintonLoss: temperature is "));
    CHECK_THAT(refusal<float>(SoftmaxPassedToKlLoss{temperature, 0.5}, Adam{}),
               StartsWith("SoftmaxPassedToKlLoss: temperature is "));
    CHECK(refusal<double>(HintonLoss{temperature, 0.5}, Adam{}).empty());
  }
  for (const double value : {1e-50, 1e39}) {
    CHECK_THAT(refusal<float>(HintonLoss{}, Adam{.epsilon = value}), StartsWith("Adam: epsilon is "));
    CHECK_THAT(refusal<float>(HintonLoss{}, AdamW{.epsilon = value}), StartsWith("AdamW: epsilon is "));
    CHECK_THAT(refusal<float>(HintonLoss{}, Adam{.learning_rate = value}), StartsWith("Adam: learning_rate is "));
    CHECK_THAT(refusal<float>(HintonLoss{}, Adam{.weight_decay = value}), StartsWith("Adam: weight_decay is "));
    CHECK_THAT(refusal<float>(HintonLoss{}, Sgd{.learning_rate = value}), StartsWith("Sgd: learning_rate is "));
    CHECK_THAT(refusal<float>(HintonLoss{}, Sgd{.weight_decay = value}), StartsWith("Sgd: weight_decay is "));
    CHECK(refusal<double>(HintonLoss{}, Adam{.learning_rate = value, .epsilon = value, .weight_decay = value}).empty());
    CHECK(refusal<double>(HintonLoss{}, Sgd{.learning_rate = value, .weight_decay = value}).empty());
  }
  // What rounds to 1, and products that overflow.
  CHECK_THAT(refusal<float>(HintonLoss{}, Adam{.beta1 = 1 - 1e-9}), StartsWith("Adam: beta1 is "));
  CHECK_THAT(refusal<float>(HintonLoss{}, Adam{.beta2 = 1 - 1e-9}), StartsWith("Adam: beta2 is "));
  CHECK_THAT(refusal<float>(HintonLoss{}, Sgd{.momentum = 1 - 1e-9}), StartsWith("Sgd: momentum is "));
  CHECK_THAT(refusal<float>(HintonLoss{}, Adam{.learning_rate = 1e38}), StartsWith("Adam: learning_rate is "));
  CHECK_THAT(refusal<float>(HintonLoss{}, AdamW{.learning_rate = 1e20, .weight_decay = 1e20}),
             StartsWith("AdamW: weight_decay is "));
  CHECK(refusal<double>(HintonLoss{}, Adam{.beta1 = 1 - 1e-9, .beta2 = 1 - 1e-9}).empty());
  CHECK(refusal<float>(HintonLoss{1e-3, 0.5}, Adam{.epsilon = 1e-30}).empty());
  CHECK(refusal<float>(HintonLoss{1e6, 0.5}, Sgd{.learning_rate = 0.0}).empty());
}

TEST_CASE("Clipping to what float rounds to 0 is refused where training is in float", "[train]") {
  const FitOptions options{.clipping = GradientClipping{1e-50}};
  Net<float> network{Seed{1}};
  Trainer trainer{network, CrossEntropy{}, Sgd{}};
  CHECK_THROWS_WITH(trainer.fit(clouds(50, 6, 3, 1), options),
                    Catch::Matchers::StartsWith("GradientClipping: max_norm is 1e-50, expected a number that is not "));
  Net<double> wide{Seed{1}};
  Trainer wide_trainer{wide, CrossEntropy{}, Sgd{}};
  CHECK_NOTHROW(wide_trainer.fit(clouds(50, 6, 3, 1), options));
}

TEST_CASE("A batch of the largest size is the whole dataset", "[train]") {
  const auto data = clouds(50, 6, 3, 1);
  const Trained<> whole(data, {.epochs = 2, .batch_size = 50});
  const Trained<> larger(data, {.epochs = 2, .batch_size = UINT32_MAX});
  CHECK(same_bits(whole.network.parameter_arena(), larger.network.parameter_arena()));
  Net<float> network{Seed{1}};
  Trainer trainer{network, CrossEntropy{}, Sgd{}};
  CHECK_THROWS_WITH(
      trainer.fit(data, {.batch_size = SIZE_MAX}),
      Catch::Matchers::StartsWith("fit: batch_size is 18446744073709551615, expected a number from 1 to"));
}

TEST_CASE("Hyperparameters are checked when the trainer is made", "[train]") {
  Network<M> network{Seed{1}};
  CHECK_THROWS_AS((Trainer{network, CrossEntropy{.label_smoothing = 1}, Adam{}}), OptionError);
  CHECK_THROWS_AS((Trainer{network, CrossEntropy{}, Adam{.learning_rate = -1}}), OptionError);
}

TEST_CASE("A learning rate that is far too large ends in an error, not in NaN", "[train]") {
  for (const auto& clipping : {std::optional<GradientClipping>{}, std::optional{GradientClipping{1e30}}}) {
    Network<M> network{Seed{1}};
    Trainer trainer{network, CrossEntropy{}, Sgd{.learning_rate = 1e30}};
    CHECK_THROWS_WITH(trainer.fit(clouds(50, 6, 3, 1), {.epochs = 20, .batch_size = 8, .clipping = clipping}),
                      Catch::Matchers::StartsWith("training has diverged: after epoch "));
  }
}

/// A loss that is finite, with a gradient that is not for samples of class 2.
struct Steep {
  static constexpr std::string_view name = "Steep";
  static constexpr bool needs_teacher = false;
  void validate() const {}
  std::string describe() const { return "Steep"; }
  template <std::size_t Classes, typename Scalar>
  Scalar row(StudentLogits<Scalar>, TeacherLogits<Scalar>, std::uint32_t label, Scalar gradient_scale,
             Scalar* gradient) const {
    std::fill_n(gradient, Classes, label == 2 ? std::numeric_limits<Scalar>::infinity() : gradient_scale);
    return Scalar{1};
  }
};

TEST_CASE("A gradient that is not finite is found at the end of its epoch, clipped or not", "[train]") {
  for (const auto& clipping : {std::optional<GradientClipping>{}, std::optional{GradientClipping{}}}) {
    std::vector<std::uint32_t> labels(50, 1);
    const auto features = test::random_values<float>(50 * 6, 1);
    const FitOptions options{.epochs = 3, .batch_size = 8, .clipping = clipping};
    Network<M> network{Seed{1}};
    Trainer trainer{network, Steep{}, Sgd{.learning_rate = 1e-3}};
    CHECK_NOTHROW(trainer.fit(test::make_dataset(features, labels, 3), options));
    labels[20] = 2;
    CHECK_THROWS_WITH(trainer.fit(test::make_dataset(features, labels, 3), options),
                      Catch::Matchers::StartsWith("training has diverged: after epoch 1 the loss is 1 (") &&
                          Catch::Matchers::Contains("expected a finite number"));
  }
}

TEST_CASE("A moment that is not finite is found and named, also where it only keeps its weight from being trained",
          "[train]") {
  const test::TemporaryFolder folder;
  auto features = test::random_values<float>(50 * 6, 1);
  std::ranges::transform(features, features.begin(), [](float value) { return 1e22f * value; });
  Network<M> network{Seed{1}};
  Trainer trainer{network, CrossEntropy{}, Adam{}};
  CHECK_THROWS_WITH(
      trainer.fit(test::make_dataset(features, std::vector<std::uint32_t>(50, 1), 3),
                  {.epochs = 3, .batch_size = 10, .checkpoint = CheckpointOptions{.path = folder / "run"}}),
      Catch::Matchers::StartsWith("training has diverged: after epoch 1 the loss is ") &&
          Catch::Matchers::Contains("(moment.1 of 0.weight: element ") &&
          Catch::Matchers::Contains(" is inf, expected a finite number)"));
  CHECK_FALSE(std::filesystem::exists(folder / "run"));
}

TEST_CASE("Running statistics that are not finite are found and named, and the old files stay", "[train]") {
  using Normalized = Sequential<BatchNorm<6>, Linear<6, 3>>;
  const test::TemporaryFolder folder;
  auto features = test::random_values<float>(50 * 6, 1);
  const std::vector<std::uint32_t> labels(50, 1);
  Network<Normalized> network{Seed{1}};
  const auto fit = [&] {
    Trainer{network, CrossEntropy{}, Adam{}}.fit(test::make_dataset(features, labels, 3),
                                                 {.epochs = 2, .checkpoint = CheckpointOptions{folder / "run"}});
    io::save_safetensors(network, folder / "network");
  };
  fit();
  const std::string checkpoint = test::read_file(folder / "run");
  const std::string file = test::read_file(folder / "network");
  for (std::size_t sample = 0; sample < 50; ++sample) {
    features[sample * 6 + 4] = sample % 2 == 0 ? 3e20f : -3e20f;
  }
  CHECK_THROWS_WITH(fit(), Catch::Matchers::StartsWith("training has diverged: after epoch 1 the loss is ") &&
                               Catch::Matchers::Contains("(0.running_var: element 4 is "));
  CHECK_THROWS_WITH(io::save_safetensors(network, folder / "network"),
                    Catch::Matchers::Contains("\"0.running_var\": element 4 is "));
  CHECK(test::read_file(folder / "run") == checkpoint);
  CHECK(test::read_file(folder / "network") == file);
  Network<Normalized> loaded{Seed{2}};
  CHECK_NOTHROW(io::load_safetensors(loaded, folder / "network"));
}

TEST_CASE("Clipping bounds the step", "[train]") {
  const auto data = clouds(32, 6, 3, 1);
  const auto distance = [&](std::optional<GradientClipping> clipping) {
    Network<M> network{Seed{1}};
    const Network<M> before = network;
    Trainer trainer{network, CrossEntropy{}, Sgd{.learning_rate = 1.0}};
    trainer.fit(data, {.epochs = 1, .batch_size = 32, .clipping = clipping});
    double sum = 0.0;
    for (std::size_t i = 0; i < network.parameter_arena().size(); ++i) {
      sum += std::pow(double{network.parameter_arena()[i]} - double{before.parameter_arena()[i]}, 2);
    }
    return std::sqrt(sum);
  };
  const double free = distance({});
  CHECK(free > 0.1);
  CHECK_THAT(distance(GradientClipping{0.01}), WithinRel(0.01, 1e-3));
  CHECK(distance(GradientClipping{1000.0}) == free);
}

TEST_CASE("A schedule moves the learning rate, step by step", "[train]") {
  const auto data = clouds(50, 6, 3, 1);
  const Schedule schedule = LinearWarmup{.steps = 6, .then = CosineSchedule{.final_factor = 0.1}};
  const Trained<> trained(data, {.epochs = 5, .batch_size = 16, .schedule = schedule});
  for (std::size_t epoch = 0; epoch < 5; ++epoch) {
    // Of the epoch's last step; four steps an epoch.
    const double factor =
        schedule.factor({.step = 4 * epoch + 3, .total_steps = 20, .epoch = epoch, .total_epochs = 5});
    CHECK_THAT(trained.history[epoch].learning_rate, WithinRel(Adam{}.learning_rate * factor, 1e-12));
  }
  const Trained<> constant(data, {.epochs = 5, .batch_size = 16});
  CHECK(constant.history[4].learning_rate == Adam{}.learning_rate);
  CHECK_FALSE(same_bits(trained.network.parameter_arena(), constant.network.parameter_arena()));
}

TEST_CASE("Early stopping leaves the network of the best epoch", "[train]") {
  Network<M> network{Seed{1}};
  Trainer trainer{network, CrossEntropy{}, Sgd{.learning_rate = 0.6, .momentum = 0.9}};
  const auto validation = clouds(90, 6, 3, 2, 1.5);
  const auto history = trainer.fit(clouds(60, 6, 3, 1, 1.5), validation,
                                   {.epochs = 60, .batch_size = 16, .early_stopping = EarlyStopping{.patience = 3}});
  const std::size_t best = best_epoch(history);
  REQUIRE(history.size() < 60);
  CHECK(history.size() == best + 3);
  CHECK(evaluate(network, validation).errors == history[best - 1].validation->errors);
  CHECK(evaluate(network, validation).loss == history[best - 1].validation->loss);
}

/// The parameters under way after each batch.
template <Model T>
class ParameterRecorder : public Observer {
 public:
  explicit ParameterRecorder(const Network<T>& network) : network_(network) {}
  void on_batch_end(const BatchProgress&) override {
    const auto arena = network_.parameter_arena();
    steps.emplace_back(arena.begin(), arena.end());
  }
  std::vector<std::vector<float>> steps;

 private:
  const Network<T>& network_;
};

/// A network trained on `data` by an optimizer, with the parameters after each batch.
template <Model T>
struct Followed {
  Followed(const auto& optimizer, const data::Dataset& data, const data::Dataset& validation, FitOptions options) {
    ParameterRecorder<T> recorder(network);
    options.observers = {&recorder};
    Trainer trainer{network, CrossEntropy{}, optimizer};
    history = trainer.fit(data, validation, options);
    steps = std::move(recorder.steps);
  }

  Network<T> network{Seed{1}};
  History history;
  std::vector<std::vector<float>> steps;
};

/// By whole steps, and by single operations.
using Layered = test::ByOperations<Shape<1, 6, 1>, Linear<6, 16>, BatchNorm<16>, ReLU, Linear<16, 3>>;

TEMPLATE_TEST_CASE("The average of the weights is evaluated and handed out, and the steps go on from the weights",
                   "[train]", M, Layered) {
  constexpr double decay = 0.8;
  const auto data = clouds(60, 6, 3, 1);
  const auto validation = clouds(40, 6, 3, 2);
  const Adam adam{.learning_rate = 1e-2};
  const FitOptions options{.epochs = 3, .batch_size = 16};
  const Followed<TestType> plain(adam, data, validation, options);
  const Followed<TestType> averaged(WeightAverage{adam, decay}, data, validation, options);
  CHECK(averaged.steps == plain.steps);
  std::vector<double> average(TestType::parameter_arena_size);
  double weights = 0.0;
  for (std::size_t step = 0; step < averaged.steps.size(); ++step) {
    const double weight = std::pow(decay, static_cast<double>(averaged.steps.size() - 1 - step));
    weights += weight;
    for (std::size_t i = 0; i < average.size(); ++i) {
      average[i] += weight * double{averaged.steps[step][i]};
    }
  }
  std::ranges::for_each(average, [&](double& value) { value /= weights; });
  CHECK(test::largest_difference(averaged.network.parameter_arena(), average) < 1e-6);
  CHECK(test::largest_difference(averaged.network.parameter_arena(), averaged.steps.back()) > 1e-3);
  CHECK(same_bits(averaged.network.buffer_arena(), plain.network.buffer_arena()));
  const Evaluation last = evaluate(averaged.network, validation);
  CHECK(averaged.history.back().validation->loss == last.loss);
  CHECK(averaged.history.back().validation->errors == last.errors);
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    CHECK(averaged.history[epoch].loss == plain.history[epoch].loss);
    CHECK(averaged.history[epoch].validation->loss != plain.history[epoch].validation->loss);
  }
}

TEST_CASE("An average without memory is the optimizer alone, bit for bit", "[train]") {
  const auto data = clouds(60, 6, 3, 1);
  for (const auto& clipping : {std::optional<GradientClipping>{}, std::optional{GradientClipping{0.1}}}) {
    const FitOptions options{.epochs = 3, .batch_size = 16, .clipping = clipping};
    const Followed<M> plain(Adam{}, data, data, options);
    const Followed<M> averaged(WeightAverage{Adam{}, 0.0}, data, data, options);
    CHECK(same_bits(averaged.network.parameter_arena(), plain.network.parameter_arena()));
    CHECK(same_results(averaged.history, plain.history));
  }
}

TEST_CASE("Early stopping puts the best epoch's average back", "[train]") {
  const auto data = clouds(60, 6, 3, 1, 1.0);
  const auto validation = clouds(40, 6, 3, 2, 1.0);
  const Followed<M> averaged(WeightAverage{Adam{.learning_rate = 5e-2}, 0.8}, data, validation,
                             {.epochs = 40, .batch_size = 16, .early_stopping = EarlyStopping{.patience = 3}});
  const std::size_t best = best_epoch(averaged.history);
  REQUIRE(best < averaged.history.size());
  CHECK(evaluate(averaged.network, validation).loss == averaged.history[best - 1].validation->loss);
}

/// The lengths of the rows of a tensor (out, in).
std::vector<double> row_lengths(const TensorInfo& tensor, const std::vector<float>& arena) {
  const std::size_t width = tensor.spec.fan_in;
  const auto values = tensor.in(std::span(arena));
  std::vector<double> lengths;
  for (std::size_t first = 0; first < values.size(); first += width) {
    double squares = 0.0;
    for (const float value : values.subspan(first, width)) {
      squares += double{value} * double{value};
    }
    lengths.push_back(std::sqrt(squares));
  }
  return lengths;
}

TEMPLATE_TEST_CASE("The weights of hidden units stay within their limit, and one out of reach changes nothing",
                   "[train]", M, Layered) {
  constexpr double limit = 0.5;
  const auto data = clouds(60, 6, 3, 1);
  const Adam adam{.learning_rate = 1e-2};
  const TensorInfo& hidden = TestType::parameters.front();
  const TensorInfo& output = TestType::parameters[TestType::parameters.size() - 2];
  REQUIRE((hidden.spec.fan_in == 6 && output.spec.fan_in == 16));
  for (const auto& clipping : {std::optional<GradientClipping>{}, std::optional{GradientClipping{0.5}}}) {
    const FitOptions options{.epochs = 3, .batch_size = 16, .clipping = clipping};
    const Followed<TestType> limited(MaxNorm{adam, limit}, data, data, options);
    for (const std::vector<float>& step : limited.steps) {
      CHECK_THAT(std::ranges::max(row_lengths(hidden, step)), WithinRel(limit, 1e-6));
    }
    CHECK(std::ranges::max(row_lengths(output, limited.steps.back())) > 1.1 * limit);
    for (const double decay : {0.0, 0.5}) {
      const Followed<TestType> averaged(WeightAverage{MaxNorm{adam, limit}, decay}, data, data, options);
      const auto arena = averaged.network.parameter_arena();
      const std::vector<float> answering(arena.begin(), arena.end());
      CHECK(std::ranges::max(row_lengths(hidden, answering)) < limit * (1 + 1e-6));
      CHECK((decay > 0 || same_bits(arena, limited.network.parameter_arena())));
    }
    const Followed<TestType> plain(adam, data, data, options);
    const Followed<TestType> out_of_reach(MaxNorm{adam, 1e6}, data, data, options);
    CHECK(std::ranges::max(row_lengths(hidden, plain.steps.front())) > 1.1 * limit);
    CHECK(same_bits(out_of_reach.network.parameter_arena(), plain.network.parameter_arena()));
    CHECK(same_results(out_of_reach.history, plain.history));
  }
}

TEST_CASE("Evaluation is of the network as it answers: without dropout, with running statistics", "[train]") {
  const auto data = clouds(40, 6, 3, 1, 1.0);
  const Trained<WithBatchNorm> trained(data, {.epochs = 3, .batch_size = 20});
  const auto logits = predict_all(trained.network, data);
  double loss = 0.0;
  std::size_t errors = 0;
  for (std::size_t sample = 0; sample < 40; ++sample) {
    const auto row = trained.network.predict(std::span<const float, 6>(data.view().reals + 6 * sample, 6));
    double sum = 0.0;
    for (std::size_t k = 0; k < 3; ++k) {
      CHECK_THAT(double{row[k]}, WithinAbs(double{logits[3 * sample + k]}, 1e-5));
      sum += std::exp(double{row[k]});
    }
    const std::uint32_t label = data.view().labels[sample];
    loss += std::log(sum) - double{row[label]};
    errors += std::max_element(row.begin(), row.end()) - row.begin() != label ? 1u : 0u;
  }
  const Evaluation evaluation = evaluate(trained.network, data);
  CHECK_THAT(evaluation.loss, WithinRel(loss / 40, 1e-5));
  CHECK(evaluation.errors == errors);
  CHECK_THAT(evaluation.accuracy, WithinAbs(1.0 - static_cast<double>(errors) / 40.0, 1e-12));
}

/// The heap's count after each batch.
class AllocationRecorder : public Observer {
 public:
  AllocationRecorder() { counts.reserve(100); }
  void on_batch_end(const BatchProgress&) override { counts.push_back(test::allocations); }
  std::vector<std::size_t> counts;
};

/// Trained by single operations, and by whole steps.
using Normalized = test::ByOperations<Shape<1, 28, 28>, Linear<784, 300>, BatchNorm<300>, ReLU, Dropout<0.5>,
                                      Linear<300, 200>, LayerNorm<200>, Tanh, Linear<200, 10>>;
using Perceptron = Sequential<Linear<784, 300>, ReLU, Dropout<0.5>, Linear<300, 200>, Tanh, Linear<200, 10>>;

TEMPLATE_TEST_CASE("A training step allocates nothing once warmed up", "[train]", Network<Normalized>,
                   Network<Perceptron>, (Network<Perceptron, backend::EigenBf16>)) {
  if (!test::counts_allocations) {
    retort::test::skip("allocations cannot be counted under a sanitizer");
    return;
  }
  TestType network{Seed{1}};
  Trainer trainer{network, CrossEntropy{}, Adam{}};
  AllocationRecorder recorder;
  trainer.fit(data::synthetic_digits(200, Seed{1}), {.epochs = 1,
                                                     .batch_size = 32,
                                                     .augmentation = {.shift = 2},
                                                     .clipping = GradientClipping{0.1},
                                                     .observers = {&recorder}});
  REQUIRE(recorder.counts.size() == 7);
  CHECK(recorder.counts.front() > 0);
  CHECK(recorder.counts.back() == recorder.counts.front());
}

TEST_CASE("A step with a term on batches allocates nothing once warmed up", "[train]") {
  if (!test::counts_allocations) {
    retort::test::skip("allocations cannot be counted under a sanitizer");
    return;
  }
  const Network<WithBatchNorm> teacher{Seed{2}};
  Network<WithBatchNorm> student{Seed{1}};
  DistillationTrainer trainer{teacher, student, WithTerm{CrossEntropy{}, Relational<2, 2>{}}, Adam{}};
  AllocationRecorder recorder;
  trainer.fit(clouds(60, 6, 3, 1), {.epochs = 1, .batch_size = 16, .observers = {&recorder}});
  REQUIRE(recorder.counts.size() == 4);
  CHECK(recorder.counts.back() == recorder.counts.front());
}

}  // namespace

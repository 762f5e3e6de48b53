// SPDX-License-Identifier: MIT
// A training that is interrupted and resumed ends with the bits of one that is not.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/adamw.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"
#include "train/recorder.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;
using retort::test::same_results;

using WithState = Sequential<Linear<30, 12>, BatchNorm<12>, ReLU, Dropout<0.25>, Linear<12, 4>>;
using Plain = Sequential<Linear<30, 8>, Tanh, Linear<8, 4>>;

const data::Dataset& images() {
  static const data::Dataset data = test::noise_images(50, {5, 6}, 4, 1);
  return data;
}

const data::Dataset& validation_images() {
  static const data::Dataset data = test::noise_images(40, {5, 6}, 4, 2);
  return data;
}

/// fit(network, options) trains `network` from wherever it is.
template <Model M, typename Fit>
void check_resume(const Fit& fit, FitOptions options) {
  const test::TemporaryFolder folder;
  options.epochs = 6;
  options.batch_size = 16;
  Network<M> straight{Seed{1}};
  const History expected = fit(straight, options);

  struct Point {
    std::size_t epoch, batch;
  };
  // After an epoch, in the midst of one, before the first has ended, and after the last.
  for (const auto [epoch, batch] : {Point{1, 0}, Point{3, 0}, Point{4, 2}, Point{6, 3}, Point{6, 0}}) {
    if (epoch > expected.size()) {
      continue;  // stopped early before
    }
    CAPTURE(epoch, batch);
    options.checkpoint = CheckpointOptions{folder / "run", true};
    std::filesystem::remove(folder / "run");
    test::Interrupter interrupter(epoch, batch);
    options.observers = {&interrupter};
    Network<M> first{Seed{1}};
    CHECK_THROWS_AS(fit(first, options), test::Interruption);
    options.observers.clear();
    // Another process begins with other numbers: all that counts must come from the file.
    Network<M> second{Seed{99}};
    CHECK(same_results(fit(second, options), expected));
    CHECK(same_bits(second.parameter_arena(), straight.parameter_arena()));
    CHECK(same_bits(second.buffer_arena(), straight.buffer_arena()));
  }
}

template <Model M, Optimizer O>
auto training_with(O optimizer) {
  return [optimizer](Network<M>& network, const FitOptions& options) {
    Trainer trainer{network, CrossEntropy{}, optimizer};
    return options.early_stopping ? trainer.fit(images(), validation_images(), options)
                                  : trainer.fit(images(), options);
  };
}

TEST_CASE("Dropout, running statistics, AdamW, a schedule, clipping and augmentation resume", "[train]") {
  check_resume<WithState>(training_with<WithState>(AdamW{.learning_rate = 1e-2}),
                          {.seed = Seed{3},
                           .shift = {1},
                           .schedule = LinearWarmup{.steps = 5, .then = CosineSchedule{}},
                           .clipping = GradientClipping{0.5},
                           .validation_fraction = 0.1});
}

TEST_CASE("Momentum resumes", "[train]") {
  check_resume<Plain>(training_with<Plain>(Sgd{.learning_rate = 0.05, .momentum = 0.9, .nesterov = true}), {});
}

TEST_CASE("Early stopping resumes, and brings back a best epoch from before the interruption", "[train]") {
  check_resume<WithState>(training_with<WithState>(Adam{.learning_rate = 3e-2}),
                          {.early_stopping = EarlyStopping{.patience = 4}});
}

TEST_CASE("Distillation resumes", "[train]") {
  const Network<WithState> teacher{Seed{4}};
  for (const std::size_t pixels : {0u, 1u}) {
    check_resume<Plain>(
        [&](Network<Plain>& student, const FitOptions& options) {
          DistillationTrainer distiller{teacher, student, HintonLoss{}, Adam{}};
          return distiller.fit(images(), options);
        },
        {.shift = {pixels}});
  }
}

/// What fit says to a checkpoint of other settings.
std::string refusal(const auto& fit) {
  try {
    fit();
  } catch (const OptionError& error) {
    return error.what();
  }
  return "no OptionError";
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

TEST_CASE("A checkpoint of another training is refused by what differs, and the network is left alone", "[train]") {
  const test::TemporaryFolder folder;
  const FitOptions original{.epochs = 2,
                            .batch_size = 16,
                            .early_stopping = EarlyStopping{},
                            .checkpoint = CheckpointOptions{folder / "run", true}};
  Network<Plain> trained{Seed{1}};
  training_with<Plain>(Adam{})(trained, original);
  const std::string file = test::read_file(folder / "run");

  const auto refused = [&](const auto& change) {
    FitOptions options = original;
    change(options);
    Network<Plain> network{Seed{1}};
    const Network<Plain> before = network;
    const std::string text = refusal([&] { training_with<Plain>(Adam{})(network, options); });
    CHECK(same_bits(network.parameter_arena(), before.parameter_arena()));
    return text;
  };
  CHECK(contains(refused([](FitOptions& options) { options.epochs = 3; }), "epochs = 2"));
  CHECK(contains(refused([](FitOptions& options) { options.batch_size = 17; }), "batch_size = 16"));
  CHECK(contains(refused([](FitOptions& options) { options.seed = Seed{1}; }), "seed = 0"));
  CHECK(contains(refused([](FitOptions& options) { options.shuffle = false; }), "shuffle = true"));
  CHECK(contains(refused([](FitOptions& options) { options.shift = {1}; }), "shift = 0"));
  CHECK(contains(refused([](FitOptions& options) { options.schedule = CosineSchedule{}; }), "schedule = Constant"));
  CHECK(contains(refused([](FitOptions& options) { options.clipping = GradientClipping{}; }), "clipping = none"));
  CHECK(contains(refused([](FitOptions& options) { options.early_stopping->patience = 4; }),
                 "early_stopping = EarlyStopping(patience=5"));

  Network<Plain> network{Seed{1}};
  CHECK(contains(refusal([&] { training_with<Plain>(Adam{.beta1 = 0.5})(network, original); }), "optimizer = Adam("));
  CHECK(contains(refusal([&] { training_with<Plain>(Sgd{})(network, original); }), "optimizer = Adam("));
  Network<WithState> other{Seed{1}};
  CHECK(contains(refusal([&] { training_with<WithState>(Adam{})(other, original); }),
                 "model = Linear(30, 8), Tanh, Linear(8, 4)"));
  const auto fit = [&](const data::Dataset& train, const data::Dataset& validation, const auto& loss) {
    Trainer trainer{network, loss, Adam{}};
    trainer.fit(train, validation, original);
  };
  const CrossEntropy plain;
  CHECK(contains(refusal([&] { fit(images(), validation_images(), CrossEntropy{.label_smoothing = 0.1}); }),
                 "loss = CrossEntropy(label_smoothing=0)"));
  CHECK(contains(refusal([&] { fit(validation_images(), validation_images(), plain); }),
                 "made with other training data than this run's, cannot be resumed with these"));
  CHECK(contains(refusal([&] { fit(images(), images(), plain); }),
                 "made with other validation data than this run's, cannot be resumed with these"));
  Network<Plain, backend::Eigen, double> wide{Seed{1}};
  CHECK(contains(refusal([&] {
                   Trainer trainer{wide, CrossEntropy{}, Adam{}};
                   trainer.fit(images(), validation_images(), original);
                 }),
                 "scalar = float"));

  CHECK(test::read_file(folder / "run") == file);
}

TEST_CASE("A checkpoint made with another teacher is refused", "[train]") {
  const test::TemporaryFolder folder;
  const FitOptions options{.epochs = 1, .checkpoint = CheckpointOptions{folder / "run", true}};
  const auto distil = [&](const Network<WithState>& teacher) {
    Network<Plain> student{Seed{1}};
    DistillationTrainer distiller{teacher, student, HintonLoss{}, Adam{}};
    distiller.fit(images(), options);
  };
  Network<WithState> teacher{Seed{4}};
  distil(teacher);
  CHECK_NOTHROW(distil(teacher));
  teacher.buffer(0)[3] += 1.0f;
  CHECK(contains(refusal([&] { distil(teacher); }),
                 "made with another teacher than this run's, cannot be resumed with this"));
}

TEST_CASE("A broken checkpoint, and one that cannot be written, are errors that lose nothing", "[train]") {
  const test::TemporaryFolder folder;
  FitOptions options{.epochs = 2, .checkpoint = CheckpointOptions{folder / "run", true}};
  Network<Plain> network{Seed{1}};
  const auto fit = training_with<Plain>(Adam{});
  fit(network, options);
  const std::string whole = test::read_file(folder / "run");

  const Network<Plain> before = network;
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{100}, whole.size() - 1}) {
    test::write_file(folder / "run", whole.substr(0, size));
    CHECK_THROWS_AS(fit(network, options), FormatError);
    CHECK(test::read_file(folder / "run") == whole.substr(0, size));
    CHECK(same_bits(network.parameter_arena(), before.parameter_arena()));
  }

  test::write_file(folder / "run", whole);
  std::filesystem::create_directory(folder / "run.tmp");
  options.checkpoint->resume = false;
  CHECK_THROWS_AS(fit(network, options), FileError);
  CHECK(test::read_file(folder / "run") == whole);
}

/// A checkpoint whose arrays are not those of the training that reads it.
TEST_CASE("A checkpoint with arrays missing or misshaped is a FormatError, and the network is left alone", "[train]") {
  const test::TemporaryFolder folder;
  const FitOptions options{
      .epochs = 2, .early_stopping = EarlyStopping{}, .checkpoint = CheckpointOptions{folder / "run", true}};
  const auto fit = training_with<WithState>(Adam{});
  Network<WithState> network{Seed{1}};
  fit(network, options);
  const auto file = io::SafetensorsFile::read(folder / "run");
  const Network<WithState> before = network;

  const auto check_refused = [&](const std::vector<io::Tensor>& tensors, const io::Metadata& metadata) {
    io::write_safetensors(folder / "run", tensors, metadata);
    CHECK_THROWS_AS(fit(network, options), FormatError);
    CHECK(same_bits(network.parameter_arena(), before.parameter_arena()));
    CHECK(same_bits(network.buffer_arena(), before.buffer_arena()));
  };
  const std::vector<io::Tensor> tensors{file.tensors().begin(), file.tensors().end()};
  REQUIRE(tensors.size() == 6);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    CAPTURE(tensors[i].name);
    auto missing = tensors;
    missing.erase(missing.begin() + static_cast<std::ptrdiff_t>(i));
    check_refused(missing, file.metadata());
    auto shorter = tensors;
    shorter[i].bytes = shorter[i].bytes.first(shorter[i].bytes.size() - 4);
    shorter[i].shape = {shorter[i].bytes.size()};
    check_refused(shorter, file.metadata());
    auto renamed = tensors;
    renamed[i].name += "x";
    check_refused(renamed, file.metadata());
  }

  auto metadata = file.metadata();
  const std::string history = metadata["history"];
  // Epochs that were not validated, epochs out of order, more than there can be.
  metadata["history"] = history.substr(0, 1) + R"({"epoch":1,"learning_rate":1,"loss":1,"accuracy":1,"errors":1,)" +
                        R"("seconds":1,"samples_per_second":1}])";
  check_refused(tensors, metadata);
  metadata["history"] = history.substr(0, history.size() - 1) + "," + history.substr(1);
  check_refused(tensors, metadata);
  metadata["history"] = "[]";
  check_refused(tensors, metadata);
}

}  // namespace

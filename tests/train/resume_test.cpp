// SPDX-License-Identifier: MIT
// A training that is interrupted and resumed ends with the bits of one that is not.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <regex>
#include <span>
#include <string>
#include <vector>

#include "catch.hpp"
#include "full_disk.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/teacher_logits_table.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/adamw.hpp"
#include "retort/optim/max_norm.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/optim/weight_average.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/json_lines_log.hpp"
#include "retort/train/preprocessing.hpp"
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
    // Another process: all that counts must come from the file.
    Network<M> second{Seed{1}};
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
                           .augmentation = {.shift = 1, .rotation = 10, .noise = 0.1},
                           .schedule = LinearWarmup{.steps = 5, .then = CosineSchedule{}},
                           .clipping = GradientClipping{0.5},
                           .validation_fraction = 0.1});
}

TEST_CASE("Momentum resumes", "[train]") {
  check_resume<Plain>(training_with<Plain>(Sgd{.learning_rate = 0.05, .momentum = 0.9, .nesterov = true}), {});
}

TEST_CASE("An average of the weights resumes, and so do limited weights", "[train]") {
  const WeightAverage optimizer{MaxNorm{AdamW{.learning_rate = 1e-2}, 0.8}, 0.9};
  check_resume<WithState>(training_with<WithState>(optimizer), {});
  check_resume<Plain>(training_with<Plain>(optimizer), {.early_stopping = EarlyStopping{.patience = 2}});
}

TEST_CASE("Early stopping resumes, and brings back a best epoch from before the interruption", "[train]") {
  check_resume<WithState>(training_with<WithState>(Adam{.learning_rate = 3e-2}),
                          {.early_stopping = EarlyStopping{.patience = 4}});
}

TEST_CASE("Distillation resumes", "[train]") {
  const Network<WithState> teacher{Seed{4}};
  for (const FitOptions& augmentation : {FitOptions{}, FitOptions{.augmentation = {.shift = 1}},
                                         FitOptions{.augmentation = {.shift = 1}, .views = {.count = 2}}}) {
    check_resume<Plain>(
        [&](Network<Plain>& student, const FitOptions& options) {
          DistillationTrainer distiller{teacher, student, HintonLoss{}, Adam{}};
          return distiller.fit(images(), options);
        },
        augmentation);
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
    CHECK_FALSE(network.preprocessing().has_value());
    return text;
  };
  CHECK(contains(refused([](FitOptions& options) { options.batch_size = 17; }), "batch_size = 16"));
  CHECK(contains(refused([](FitOptions& options) { options.seed = Seed{1}; }), "seed = 0"));
  CHECK(contains(refused([](FitOptions& options) { options.shuffle = false; }), "shuffle = true"));
  CHECK(contains(refused([](FitOptions& options) { options.augmentation = {.shift = 1}; }),
                 "augmentation = none, cannot be resumed with augmentation(shift=1, rotation=0, scale=0"));
  CHECK(contains(
      refused([](FitOptions& options) { options.augmentation.noise = 0.5; }),
      "augmentation = none, cannot be resumed with augmentation(shift=0, rotation=0, scale=0, shear=0, noise=0.5, "
      "elastic=0, elastic_sigma=4, mix=0)"));
  CHECK(contains(refused([](FitOptions& options) {
                   options.augmentation = {.shift = 1};
                   options.views = {4, Seed{1}};
                 }),
                 "augmentation = none"));
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

  network.initialize(Seed{2});
  CHECK(contains(refusal([&] { training_with<Plain>(Adam{})(network, original); }), "made with other initial weights"));

  CHECK(test::read_file(folder / "run") == file);
}

TEST_CASE("A checkpoint with an average of the weights knows its initial weights, and what its average was like",
          "[train]") {
  const test::TemporaryFolder folder;
  const FitOptions options{.epochs = 2, .checkpoint = CheckpointOptions{folder / "run", true}};
  Network<Plain> network{Seed{1}};
  training_with<Plain>(WeightAverage{Adam{}, 0.9})(network, options);
  network.initialize(Seed{2});
  CHECK(contains(refusal([&] { training_with<Plain>(WeightAverage{Adam{}, 0.9})(network, options); }),
                 "made with other initial weights"));
  network.initialize(Seed{1});
  CHECK(contains(refusal([&] { training_with<Plain>(WeightAverage{Adam{}, 0.8})(network, options); }),
                 "optimizer = WeightAverage(optimizer=Adam("));
}

TEST_CASE("A second training of equal options does not take over the first one's result", "[train]") {
  const test::TemporaryFolder folder;
  const FitOptions options{.epochs = 2, .checkpoint = CheckpointOptions{folder / "run", true}};
  const auto fit = training_with<Plain>(Adam{});
  Network<Plain> first{Seed{1}};
  fit(first, options);
  Network<Plain> second{Seed{2}};
  CHECK(contains(refusal([&] { fit(second, options); }), "made with other initial weights"));
  CHECK(contains(refusal([&] { fit(first, options); }),
                 "made with other initial weights"));  // which are the trained ones now
  Network<Plain> again{Seed{1}};
  fit(again, options);
  CHECK(same_bits(again.parameter_arena(), first.parameter_arena()));
  CHECK(again.preprocessing() == preprocessing_of(images()));
}

TEST_CASE("A checkpoint made on another processor, or by another compiler's program, is refused, unless any will do",
          "[train]") {
#ifdef __clang__
  const std::string processor = concatenate({instruction_set, ", clang++ ", __clang_major__});
#else
  const std::string processor = concatenate({instruction_set, ", g++ ", __GNUC__});
#endif
  const test::TemporaryFolder folder;
  FitOptions options{.epochs = 2, .checkpoint = CheckpointOptions{folder / "run", true}};
  const auto fit = training_with<Plain>(Adam{});
  Network<Plain> network{Seed{1}};
  fit(network, options);
  {
    const auto file = io::SafetensorsFile::read(folder / "run");
    io::Metadata metadata = file.metadata();
    CHECK(metadata.at("setting.processor") == processor);
    metadata["setting.processor"] = "an abacus";
    io::write_safetensors(folder / "run", file.tensors(), metadata);
  }
  Network<Plain> resumed{Seed{1}};
  CHECK(
      contains(refusal([&] { fit(resumed, options); }), "processor = an abacus, cannot be resumed with " + processor));
  options.checkpoint->any_processor = true;
  fit(resumed, options);
  CHECK(same_bits(resumed.parameter_arena(), network.parameter_arena()));
}

TEST_CASE("A training that has ended goes on with more epochs, as if it had been asked for them at once", "[train]") {
  const std::vector<Schedule> schedules{ConstantSchedule{}, StepSchedule{.every_epochs = 2, .decay = 0.5},
                                        LinearWarmup{.steps = 5, .then = StepSchedule{.every_epochs = 2}}};
  for (const Schedule& schedule : schedules) {
    CAPTURE(schedule.describe());
    const test::TemporaryFolder folder;
    const auto fit = training_with<WithState>(AdamW{.learning_rate = 1e-2});
    FitOptions options{.epochs = 5, .batch_size = 16, .schedule = schedule};
    Network<WithState> straight{Seed{1}};
    const History expected = fit(straight, options);
    options.checkpoint = CheckpointOptions{folder / "run", true};
    for (const std::size_t epochs : {2u, 3u, 5u}) {
      options.epochs = epochs;
      Network<WithState> network{Seed{1}};
      const History history = fit(network, options);
      REQUIRE(history.size() == epochs);
      if (epochs == 5) {
        CHECK(same_results(history, expected));
        CHECK(same_bits(network.parameter_arena(), straight.parameter_arena()));
        CHECK(same_bits(network.buffer_arena(), straight.buffer_arena()));
      }
    }
  }
}

/// A schedule of a user's own, which does not say whether it looks at the number of epochs.
struct Halving {
  double factor(const TrainingProgress& progress) const { return progress.epoch * 2 < progress.total_epochs ? 1 : 0.5; }
  void validate() const {}
  std::string describe() const { return "Halving()"; }
};

TEST_CASE("A schedule that looks at the number of epochs cannot be resumed with another", "[train]") {
  const std::vector<Schedule> schedules{CosineSchedule{}, LinearWarmup{.steps = 5, .then = CosineSchedule{}},
                                        Halving{}};
  for (const Schedule& schedule : schedules) {
    const test::TemporaryFolder folder;
    FitOptions options{.epochs = 2, .schedule = schedule, .checkpoint = CheckpointOptions{folder / "run", true}};
    const auto fit = training_with<Plain>(Adam{});
    Network<Plain> network{Seed{1}};
    fit(network, options);
    for (const std::size_t epochs : {1u, 3u}) {
      options.epochs = epochs;
      Network<Plain> other{Seed{1}};
      CHECK(contains(refusal([&] { fit(other, options); }), "made with epochs = 2, cannot be resumed with " +
                                                                to_text(epochs) + " under " + schedule.describe()));
    }
  }
  const test::TemporaryFolder folder;
  FitOptions options{.epochs = 3, .checkpoint = CheckpointOptions{folder / "run", true}};
  Network<Plain> network{Seed{1}};
  training_with<Plain>(Adam{})(network, options);
  options.epochs = 2;  // fewer than are done
  Network<Plain> other{Seed{1}};
  CHECK(contains(refusal([&] { training_with<Plain>(Adam{})(other, options); }),
                 "made with epochs = 3, cannot be resumed with 2: 3 are done"));
}

TEST_CASE("Checkpoints that are not written each epoch resume to the same bits and the same log", "[train]") {
  const test::TemporaryFolder folder;
  const auto fit = training_with<WithState>(Adam{.learning_rate = 1e-2});
  FitOptions options{.epochs = 8, .batch_size = 16};
  const auto run = [&](const std::string& name, std::optional<std::size_t> interruption) {
    JsonLinesLog log(folder / (name + ".jsonl"));
    JsonLinesObserver observer(log, "a phase");
    test::Interrupter interrupter(interruption.value_or(0));
    options.checkpoint = CheckpointOptions{.path = folder / name, .resume = true, .every_epochs = 3};
    options.observers = {&observer, &interrupter};
    Network<WithState> network{Seed{1}};
    if (interruption) {
      CHECK_THROWS_AS(fit(network, options), test::Interruption);
    } else {
      fit(network, options);
    }
    return network;
  };
  const auto untimed = [&](const std::string& name) {
    return std::regex_replace(test::read_file(folder / (name + ".jsonl")),
                              std::regex("\"(seconds|samples_per_second)\":[^,}]*"), "");
  };
  const auto straight = run("straight", {});
  for (const std::size_t epoch : {1u, 2u, 3u, 5u, 7u, 8u}) {
    CAPTURE(epoch);
    const std::string name = "run" + std::to_string(epoch);
    run(name, epoch);
    // The log is ahead of the checkpoint.
    CHECK(std::ranges::count(test::read_file(folder / (name + ".jsonl")), '\n') == static_cast<std::ptrdiff_t>(epoch));
    CHECK(std::filesystem::exists(folder / name) == (epoch >= 3));
    const auto resumed = run(name, {});
    CHECK(same_bits(resumed.parameter_arena(), straight.parameter_arena()));
    CHECK(same_bits(resumed.buffer_arena(), straight.buffer_arena()));
    CHECK(untimed(name) == untimed("straight"));
  }
}

TEST_CASE("A flipped bit in a checkpoint is an error, and the network is left alone", "[train]") {
  const test::TemporaryFolder folder;
  const FitOptions options{.epochs = 1, .checkpoint = CheckpointOptions{folder / "run", true}};
  const auto fit = training_with<Plain>(Adam{});
  Network<Plain> network{Seed{1}};
  fit(network, options);
  const std::string whole = test::read_file(folder / "run");
  network.initialize(Seed{1});
  const Network<Plain> before = network;
  for (const std::size_t from_end : {1u, 100u, 1000u, 2000u}) {
    std::string changed = whole;
    changed[whole.size() - from_end] ^= 4;
    test::write_file(folder / "run", changed);
    CHECK_THROWS_WITH(fit(network, options), Catch::Matchers::StartsWith((folder / "run").string() + ": checksum: "));
    CHECK(same_bits(network.parameter_arena(), before.parameter_arena()));
  }
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

TEST_CASE("A training from a table of logits resumes, and with another table is refused", "[train]") {
  const auto distil = [&](float logit) {
    return [logit](Network<Plain>& student, const FitOptions& options) {
      data::Matrix<float> logits(images().size(), 4);
      logits(7, 2) = logit;
      DistillationTrainer distiller{data::TeacherLogitsTable(logits, images()), student, HintonLoss{}, Adam{}};
      return distiller.fit(images(), options);
    };
  };
  check_resume<Plain>(distil(0.5f), {});
  const test::TemporaryFolder folder;
  const FitOptions options{.epochs = 1, .checkpoint = CheckpointOptions{folder / "run", true}};
  Network<Plain> student{Seed{1}};
  distil(0.5f)(student, options);
  Network<Plain> other{Seed{1}};
  CHECK(contains(refusal([&] { distil(0.75f)(other, options); }), "made with another teacher than this run's"));
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
  options.checkpoint->resume = false;
  {
    const test::FullDisk full(whole.size() / 2);
    CHECK_THROWS_AS(fit(network, options), FileError);
  }
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
  network.initialize(Seed{1});
  const auto file = io::SafetensorsFile::read(folder / "run");
  const Network<WithState> before = network;

  const auto check_refused = [&](const std::vector<io::Tensor>& tensors) {
    io::write_safetensors(folder / "run", tensors, file.metadata());
    CHECK_THROWS_AS(fit(network, options), FormatError);
    CHECK(same_bits(network.parameter_arena(), before.parameter_arena()));
    CHECK(same_bits(network.buffer_arena(), before.buffer_arena()));
  };
  const std::vector<io::Tensor> tensors{file.tensors().begin(), file.tensors().end()};
  REQUIRE(tensors.size() == 7);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    CAPTURE(tensors[i].name);
    auto missing = tensors;
    missing.erase(missing.begin() + static_cast<std::ptrdiff_t>(i));
    check_refused(missing);
    auto shorter = tensors;
    shorter[i].bytes = shorter[i].bytes.first(shorter[i].bytes.size() - 4);
    shorter[i].shape = {shorter[i].bytes.size()};
    check_refused(shorter);
    auto renamed = tensors;
    renamed[i].name += "x";
    check_refused(renamed);
  }

  const auto found = file.at("history").bytes;
  const std::string history(reinterpret_cast<const char*>(found.data()), found.size());
  const std::size_t accuracy = history.find(",\"accuracy\":");
  const std::size_t after_accuracy = history.find(',', accuracy + 1);
  // An epoch without the accuracy that labels give, epochs that were not validated, out of order, more than there
  // can be, none.
  for (const std::string& other :
       {history.substr(0, accuracy) + history.substr(after_accuracy),
        history.substr(0, 1) + R"({"epoch":1,"learning_rate":1,"loss":1,"accuracy":1,"errors":1,)" +
            R"("seconds":1,"samples_per_second":1}])",
        history.substr(0, history.size() - 1) + "," + history.substr(1), std::string("[]")}) {
    auto changed = tensors;
    const auto place = std::ranges::find(changed, "history", &io::Tensor::name);
    place->shape = {other.size()};
    place->bytes = std::as_bytes(std::span(other));
    check_refused(changed);
  }
}

}  // namespace

// SPDX-License-Identifier: MIT
#include "retort/train/fit.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "catch.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"
#include "train/recorder.hpp"
#include "train/scripted_trainer.hpp"

namespace {

using namespace retort;
using retort::detail::fit;
using retort::test::Recorder;
using retort::test::ScriptedTrainer;

/// Sample i has the one feature i.
data::Dataset numbered(std::size_t count) {
  std::vector<float> features(count);
  std::iota(features.begin(), features.end(), 0.0f);
  return test::make_dataset(features, std::vector<std::uint32_t>(count, 0), 2);
}

std::vector<float> features_of(const data::Dataset& data) {
  return {data.view().reals, data.view().reals + data.size()};
}

TEST_CASE("Each epoch has an order of its own, a permutation that follows from the seed", "[train]") {
  const data::Dataset data = numbered(50);
  const auto orders = [&](Seed seed, bool shuffle) {
    ScriptedTrainer trainer;
    fit(trainer, data, nullptr, {.epochs = 3, .batch_size = 16, .seed = seed, .shuffle = shuffle});
    return trainer.orders;
  };
  std::vector<std::uint32_t> sorted(50);
  std::iota(sorted.begin(), sorted.end(), 0u);

  const auto shuffled = orders(Seed{1}, true);
  REQUIRE(shuffled.size() == 3);
  for (auto order : shuffled) {
    CHECK(order != sorted);
    std::ranges::sort(order);
    CHECK(order == sorted);
  }
  CHECK(shuffled[0] != shuffled[1]);
  CHECK(shuffled[1] != shuffled[2]);
  CHECK(orders(Seed{1}, true) == shuffled);
  CHECK(orders(Seed{2}, true) != shuffled);
  CHECK(orders(Seed{1}, false) == std::vector(3, sorted));
  for (std::uint32_t epoch = 0; epoch < 3; ++epoch) {
    std::vector<std::uint32_t> expected(50);
    random_permutation(expected, RandomStream{Seed{1}, Stream::shuffle, epoch});
    CHECK(shuffled[epoch] == expected);
  }
}

TEST_CASE("Without the last batch fewer steps are counted, and metrics are of the samples trained on", "[train]") {
  ScriptedTrainer trainer;
  const History history =
      fit(trainer, numbered(50), nullptr, {.epochs = 2, .batch_size = 16, .drop_last = true, .seed = Seed{9}});
  REQUIRE(trainer.epochs.size() == 2);
  CHECK(trainer.epochs[1].progress.step == 3);
  CHECK(trainer.epochs[1].progress.total_steps == 6);
  CHECK(trainer.epochs[1].trained(50) == 48);
  CHECK(history[0].errors == 48);
  CHECK(history[0].loss == trainer.loss);
  const std::string refused = [&] {
    try {
      fit(trainer, numbered(10), nullptr, {.batch_size = 16, .drop_last = true});
    } catch (const OptionError& error) {
      return std::string(error.what());
    }
    return std::string();
  }();
  CHECK(refused.find("drop_last with 10 samples and a batch_size of 16") != std::string::npos);
}

TEST_CASE("A stratified validation set has each class in its share", "[train]") {
  std::vector<std::uint32_t> labels(40, 0);
  std::fill(labels.begin(), labels.begin() + 10, 1);
  const data::Dataset data = test::make_dataset(std::vector<float>(40), labels, 2);
  ScriptedTrainer trainer{{1}};
  fit(trainer, data, nullptr, {.epochs = 1, .validation_fraction = 0.2, .stratified = true});
  const auto ones = [](const data::Dataset& part) { return std::ranges::count(part.labels(), 1u); };
  CHECK(trainer.validation_data.back().size() == 8);
  CHECK(ones(trainer.validation_data.back()) == 2);
  CHECK(ones(trainer.training_data.back()) == 8);
}

TEST_CASE("Steps are counted through all epochs", "[train]") {
  ScriptedTrainer trainer;
  fit(trainer, numbered(50), nullptr, {.epochs = 3, .batch_size = 16, .seed = Seed{9}});
  REQUIRE(trainer.epochs.size() == 3);
  for (std::uint32_t index = 0; index < 3; ++index) {
    const internal::Epoch& epoch = trainer.epochs[index];
    CHECK(epoch.batch_size == 16);
    CHECK(epoch.seed == Seed{9});
    CHECK(epoch.index() == index);
    CHECK(epoch.shuffle);
    CHECK(epoch.progress.step == 4 * index);
    CHECK(epoch.progress.total_steps == 12);
    CHECK(epoch.progress.epoch == index);
    CHECK(epoch.progress.total_epochs == 3);
  }
}

TEST_CASE("Observers are told in order, each event by all before the next", "[train]") {
  std::vector<std::string> events;
  Recorder first(events, "a: ");
  Recorder second(events, "b: ");
  ScriptedTrainer trainer;
  fit(trainer, numbered(5), nullptr, {.epochs = 2, .batch_size = 3, .observers = {&first, &second}});
  std::vector<std::string> expected;
  for (const std::string event : {"begin 0/2", "batch 1/2 of epoch 1/2", "batch 2/2 of epoch 1/2", "epoch 1/2",
                                  "batch 1/2 of epoch 2/2", "batch 2/2 of epoch 2/2", "epoch 2/2", "end 2"}) {
    expected.push_back("a: " + event);
    expected.push_back("b: " + event);
  }
  CHECK(events == expected);
}

TEST_CASE("validation_fraction holds samples out that training never sees", "[train]") {
  ScriptedTrainer trainer({3, 2});
  const auto history = fit(trainer, numbered(50), nullptr, {.epochs = 2, .batch_size = 16, .validation_fraction = 0.2});
  REQUIRE(trainer.training_data.size() == 1);
  REQUIRE(trainer.validation_data.size() == 1);
  CHECK(trainer.evaluations == 2);
  CHECK(trainer.training_data[0].size() == 40);
  CHECK(trainer.validation_data[0].size() == 10);
  std::set<float> all;
  for (const auto& part : {features_of(trainer.training_data[0]), features_of(trainer.validation_data[0])}) {
    all.insert(part.begin(), part.end());
  }
  CHECK(all.size() == 50);
  CHECK(trainer.orders[0].size() == 40);
  CHECK(history[0].validation->errors == 3);
  CHECK(history[1].validation->errors == 2);

  ScriptedTrainer again({3, 2});
  fit(again, numbered(50), nullptr, {.epochs = 2, .batch_size = 16, .validation_fraction = 0.2});
  CHECK(features_of(again.training_data[0]) == features_of(trainer.training_data[0]));
}

TEST_CASE("A validation set that is given is used whole, and then nothing is held out", "[train]") {
  const data::Dataset validation = numbered(7);
  ScriptedTrainer trainer({1});
  fit(trainer, numbered(50), &validation, {.epochs = 1, .validation_fraction = 0.2});
  CHECK(trainer.training_data[0].size() == 50);
  CHECK(trainer.validation_data[0].size() == 7);
  CHECK(trainer.evaluations == 1);
}

TEST_CASE("Without validation the history has none", "[train]") {
  ScriptedTrainer trainer;
  const auto history = fit(trainer, numbered(4), nullptr, {.epochs = 2, .batch_size = 3});
  REQUIRE(history.size() == 2);
  CHECK(trainer.validation_data.empty());
  CHECK(trainer.evaluations == 0);
  CHECK(history[0].epoch == 1);
  CHECK(history[1].epoch == 2);
  CHECK_FALSE(history[1].validation);
  CHECK_THAT(history[1].loss, WithinRel(0.25, 1e-15));
  CHECK(history[1].seconds >= 0.0);
}

/// The epochs trained, and the parameters left.
struct Stopped {
  std::size_t epochs;
  std::size_t parameter;
};

Stopped stop(const std::vector<std::size_t>& errors, EarlyStopping early_stopping) {
  const data::Dataset validation = numbered(20);
  ScriptedTrainer trainer(errors);
  const auto history = fit(trainer, numbered(20), &validation,
                           {.epochs = errors.size(), .batch_size = 20, .early_stopping = early_stopping});
  CHECK(history.size() == trainer.epochs.size());
  return {history.size(), trainer.parameter};
}

TEST_CASE("Early stopping ends after `patience` epochs without a gain, and puts the best epoch back", "[train]") {
  const auto [epochs, parameter] = stop({10, 8, 9, 7, 7, 8, 9, 1}, {.patience = 3});
  CHECK(epochs == 7);     // 7, 8 and 9 are no better than the 7 of epoch 4
  CHECK(parameter == 4);  // the first of equals
}

TEST_CASE("Early stopping goes to the last epoch while there are gains", "[train]") {
  const auto [epochs, parameter] = stop({10, 9, 9, 8, 8, 7}, {.patience = 2});
  CHECK(epochs == 6);
  CHECK(parameter == 6);
}

TEST_CASE("The best epoch comes back also when the epochs run out first", "[train]") {
  const auto [epochs, parameter] = stop({5, 9, 8}, {.patience = 10});
  CHECK(epochs == 3);
  CHECK(parameter == 1);
}

TEST_CASE("A gain of minimum_gain errors is none", "[train]") {
  const auto [epochs, parameter] = stop({10, 8, 9, 1}, {.patience = 2, .minimum_gain = 2});
  CHECK(epochs == 3);  // neither 8 nor 9 is more than 2 below 10
  CHECK(parameter == 1);
  CHECK(stop({10, 7, 7, 7, 0}, {.patience = 2, .minimum_gain = 2}).parameter == 2);
}

TEST_CASE("best_epoch is the first of the fewest errors", "[train]") {
  History history;
  CHECK(best_epoch(history) == 0);
  for (const std::size_t errors : {5u, 3u, 4u, 3u}) {
    history.push_back({.epoch = history.size() + 1, .validation = Evaluation{.errors = errors}});
  }
  CHECK(best_epoch(history) == 2);
  CHECK(best_epoch(history, 2) == 1);
  CHECK(best_epoch(history, SIZE_MAX) == 1);  // no gain is as large
}

TEST_CASE("Early stopping without held-out samples is refused", "[train]") {
  ScriptedTrainer trainer;
  CHECK_THROWS_AS(fit(trainer, numbered(20), nullptr, {.early_stopping = EarlyStopping{}}), OptionError);
  CHECK(trainer.training_data.empty());
}

TEST_CASE("A loss that is not finite ends training with an error", "[train]") {
  for (const double loss : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    ScriptedTrainer trainer;
    trainer.loss = loss;
    try {
      fit(trainer, numbered(20), nullptr, {.epochs = 3});
      FAIL("no error");
    } catch (const DivergenceError& error) {
      const std::string text = error.what();
      CHECK(text.find("training has diverged") != std::string::npos);
      CHECK(text.find("epoch 1") != std::string::npos);
    }
  }
}

TEST_CASE("Parameters that are not finite end training with an error before a checkpoint is written", "[train]") {
  const test::TemporaryFolder folder;
  ScriptedTrainer trainer;
  trainer.finite = false;
  CHECK_THROWS_AS(fit(trainer, numbered(20), nullptr,
                      {.epochs = 3, .checkpoint = CheckpointOptions{.path = folder / "checkpoint"}}),
                  DivergenceError);
  CHECK_FALSE(std::filesystem::exists(folder / "checkpoint"));
}

TEST_CASE("A training keeps no numbers that no file may hold", "[train]") {
  const test::TemporaryFolder folder;
  const data::Dataset validation = numbered(20);
  const auto diverges_after = [&](std::size_t epoch, const data::Dataset* held_out, const FitOptions& options) {
    ScriptedTrainer trainer({1, 2, 3, 4, 5});
    trainer.fault = "0.weight: element 3 is 3e+38, expected less";
    CHECK_THROWS_WITH(fit(trainer, numbered(20), held_out, options),
                      "training has diverged: after epoch " + std::to_string(epoch) +
                          " the loss is 0.25 (0.weight: element 3 is 3e+38, expected less); try a smaller learning "
                          "rate, gradient clipping or smaller inputs");
  };
  SECTION("at its end") { diverges_after(3, nullptr, {.epochs = 3}); }
  SECTION("in a checkpoint") {
    diverges_after(2, nullptr,
                   {.epochs = 5, .checkpoint = CheckpointOptions{.path = folder / "checkpoint", .every_epochs = 2}});
    CHECK_FALSE(std::filesystem::exists(folder / "checkpoint"));
  }
  SECTION("as its best epoch") { diverges_after(1, &validation, {.epochs = 5, .early_stopping = EarlyStopping{}}); }
}

/// In how many epochs of `epochs` a checkpoint was written, and after which.
class CheckpointWatcher : public Observer {
 public:
  explicit CheckpointWatcher(std::filesystem::path path) : path_(std::move(path)) {}
  void on_epoch_end(const EpochMetrics& metrics, std::size_t /*epochs*/) override {
    if (std::filesystem::exists(path_) && internal::load_checkpoint(path_, {}).history.size() == metrics.epoch) {
      written.push_back(metrics.epoch);
    }
  }
  std::vector<std::size_t> written;

 private:
  std::filesystem::path path_;
};

TEST_CASE("A checkpoint is written as often as it is asked for, and always after the last epoch", "[train]") {
  const data::Dataset data = numbered(20);
  const auto written = [&](CheckpointOptions checkpoint, const std::vector<std::size_t>& errors = {}) {
    const test::TemporaryFolder folder;
    checkpoint.path = folder / "run";
    CheckpointWatcher watcher(checkpoint.path);
    ScriptedTrainer trainer(errors);
    FitOptions options{.epochs = 7, .checkpoint = checkpoint, .observers = {&watcher}};
    if (!errors.empty()) {
      options.early_stopping = EarlyStopping{.patience = 2};
    }
    fit(trainer, data, errors.empty() ? nullptr : &data, options);
    return watcher.written;
  };
  using Epochs = std::vector<std::size_t>;
  CHECK(written({}) == Epochs{1, 2, 3, 4, 5, 6, 7});
  CHECK(written({.every_epochs = 3}) == Epochs{3, 6, 7});
  CHECK(written({.every_epochs = 100}) == Epochs{7});
  CHECK(written({.every_seconds = 3600}) == Epochs{7});
  CHECK(written({.every_epochs = 2, .every_seconds = 1e-9}) == Epochs{2, 4, 6, 7});
  CHECK(written({.every_epochs = 100}, {5, 4, 3, 9, 9, 9, 9}) == Epochs{5});
}

TEST_CASE("An epoch of no time is written down so that it can be read", "[train]") {
  const test::TemporaryFolder folder;
  const data::Dataset data = numbered(20);
  const FitOptions options{.epochs = 1, .checkpoint = CheckpointOptions{.path = folder / "run", .resume = true}};
  ScriptedTrainer trainer;
  retort::detail::Fit training(trainer, data, nullptr, options);
  training.begin();
  training.finish_epoch({}, 0.0, true, [] { return Evaluation{}; });
  training.end();
  ScriptedTrainer resumed;
  const History history = fit(resumed, data, nullptr, options);
  CHECK(resumed.epochs.empty());
  CHECK(history.at(0).samples_per_second == 20 / 1e-9);
}

TEST_CASE("A checkpoint is counted from the one that a run was resumed from", "[train]") {
  const test::TemporaryFolder folder;
  const data::Dataset data = numbered(20);
  FitOptions options{.epochs = 3, .checkpoint = CheckpointOptions{.path = folder / "run", .resume = true}};
  options.checkpoint->every_epochs = 4;
  ScriptedTrainer first;
  fit(first, data, nullptr, options);
  CheckpointWatcher watcher(folder / "run");
  options.epochs = 12;
  options.observers = {&watcher};
  ScriptedTrainer second;
  fit(second, data, nullptr, options);
  CHECK(watcher.written == std::vector<std::size_t>{7, 11, 12});
}

TEST_CASE("A validation loss that is not finite ends training with an error before a checkpoint is written",
          "[train]") {
  const test::TemporaryFolder folder;
  const data::Dataset data = numbered(20);
  const FitOptions options{.epochs = 3, .checkpoint = CheckpointOptions{.path = folder / "run.checkpoint"}};
  const auto diverge = [&](double loss) {
    ScriptedTrainer trainer({1, 1, 1});
    trainer.validation_loss = loss;
    fit(trainer, data, &data, options);
  };
  CHECK_THROWS_AS(diverge(std::numeric_limits<double>::quiet_NaN()), DivergenceError);
  CHECK_THROWS_WITH(diverge(std::numeric_limits<double>::infinity()),
                    "training has diverged: after epoch 1 the validation loss is inf; "
                    "try a smaller learning rate, gradient clipping or smaller inputs");
  CHECK_FALSE(std::filesystem::exists(folder / "run.checkpoint"));
}

TEST_CASE("A validation fraction holds out the samples it says, or is refused by its own name", "[train]") {
  ScriptedTrainer trainer;
  trainer.validation_errors = {1};
  fit(trainer, numbered(10), nullptr, {.validation_fraction = 0.9});
  CHECK(trainer.training_data.back().size() == 1);
  CHECK_THROWS_WITH(fit(trainer, numbered(10), nullptr, {.validation_fraction = 0.05}),
                    Catch::Matchers::StartsWith("fit: validation_fraction is 0.05"));
}

TEST_CASE("Options outside their range are refused by name, before anything is done", "[train]") {
  const auto message = [](const FitOptions& options) -> std::string {
    ScriptedTrainer trainer;
    try {
      fit(trainer, numbered(20), nullptr, options);
    } catch (const OptionError& error) {
      CHECK(trainer.training_data.empty());
      return error.what();
    }
    return "no error";
  };
  const auto names = [&](const FitOptions& options, const std::string& name) {
    INFO(message(options));
    return message(options).find(name) != std::string::npos;
  };
  CHECK(names({.epochs = 0}, "epochs is 0"));
  CHECK(names({.batch_size = 0}, "batch_size is 0"));
  CHECK(names({.validation_fraction = 1.0}, "validation_fraction is 1"));
  CHECK(names({.validation_fraction = -0.1}, "validation_fraction is -0.1"));
  CHECK(names({.validation_fraction = std::numeric_limits<double>::quiet_NaN()}, "validation_fraction is nan"));
  CHECK(names({.schedule = CosineSchedule{2.0}}, "final_factor is 2"));
  CHECK(names({.clipping = GradientClipping{-1.0}}, "max_norm is -1"));
  CHECK(names({.early_stopping = EarlyStopping{.patience = 0}}, "patience is 0"));
  CHECK(names({.epochs = std::size_t{1} << 40}, "2^32 - 1 steps"));
  CHECK(names({.checkpoint = CheckpointOptions{.every_epochs = 0}}, "every_epochs is 0"));
  CHECK(names({.checkpoint = CheckpointOptions{.every_seconds = -1}}, "every_seconds is -1"));
  CHECK(names({.checkpoint = CheckpointOptions{.every_seconds = std::numeric_limits<double>::quiet_NaN()}},
              "every_seconds is nan"));
}

TEST_CASE("An interrupted training goes on after its last whole epoch", "[train]") {
  const test::TemporaryFolder folder;
  const data::Dataset data = numbered(20);
  const auto options = [&](std::vector<Observer*> observers, bool resume) {
    return FitOptions{.epochs = 5,
                      .batch_size = 8,
                      .checkpoint = CheckpointOptions{folder / "run.checkpoint", resume},
                      .observers = std::move(observers)};
  };
  test::Interrupter interrupter(3, 2);
  ScriptedTrainer first;
  CHECK_THROWS_AS(fit(first, data, nullptr, options({&interrupter}, false)), test::Interruption);
  CHECK(first.parameter == 3);  // two whole epochs and a part of the third

  std::vector<std::string> events;
  Recorder recorder(events);
  ScriptedTrainer second;
  const auto history = fit(second, data, nullptr, options({&recorder}, true));
  CHECK(second.epochs.size() == 3);
  CHECK(second.epochs[0].index() == 2);
  CHECK(second.epochs[0].progress.step == 6);
  CHECK(second.parameter == 5);
  CHECK(history.size() == 5);
  CHECK(history[0].epoch == 1);
  REQUIRE(events.size() >= 2);
  CHECK(events[0] == "begin 2/5");
  CHECK(events[1] == "batch 1/3 of epoch 3/5");

  ScriptedTrainer straight;
  const auto expected = fit(straight, data, nullptr, {.epochs = 5, .batch_size = 8});
  CHECK(test::same_results(history, expected));
  CHECK(straight.orders[3] == second.orders[1]);

  // What is done stays done.
  ScriptedTrainer third;
  CHECK(test::same_results(fit(third, data, nullptr, options({}, true)), expected));
  CHECK(third.epochs.empty());
  CHECK(third.parameter == 5);
}

TEST_CASE("Without `resume` a checkpoint that is there is not read, but replaced", "[train]") {
  const test::TemporaryFolder folder;
  test::write_file(folder / "run.checkpoint", "no checkpoint at all");
  ScriptedTrainer trainer;
  fit(trainer, numbered(20), nullptr, {.epochs = 2, .checkpoint = CheckpointOptions{folder / "run.checkpoint", false}});
  CHECK(trainer.epochs.size() == 2);
  ScriptedTrainer resumed;
  fit(resumed, numbered(20), nullptr, {.epochs = 2, .checkpoint = CheckpointOptions{folder / "run.checkpoint", true}});
  CHECK(resumed.epochs.empty());
}

TEST_CASE("Early stopping resumes with its best epoch", "[train]") {
  const std::vector<std::size_t> errors{10, 4, 9, 8, 7, 6, 5};
  const data::Dataset data = numbered(20);
  const test::TemporaryFolder folder;
  for (std::size_t epoch = 1; epoch <= 5; ++epoch) {
    CAPTURE(epoch);
    std::filesystem::remove(folder / "run.checkpoint");
    FitOptions options{.epochs = errors.size(),
                       .early_stopping = EarlyStopping{.patience = 3},
                       .checkpoint = CheckpointOptions{folder / "run.checkpoint", true}};
    test::Interrupter interrupter(epoch);
    options.observers = {&interrupter};
    ScriptedTrainer first(errors);
    CHECK_THROWS_AS(fit(first, data, &data, options), test::Interruption);
    options.observers.clear();
    ScriptedTrainer second(errors);
    CHECK(fit(second, data, &data, options).size() == 5);
    CHECK(second.parameter == 2);
  }
}

}  // namespace

// SPDX-License-Identifier: MIT
#include "retort/train/stop_request.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/relu.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/checkpoint.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"
#include "train/recorder.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;
using retort::test::same_results;

using M = Sequential<Linear<30, 8>, Dropout<0.25>, ReLU, Linear<8, 4>>;

const data::Dataset& images() {
  static const data::Dataset data = test::noise_images(50, {5, 6}, 4, 1);
  return data;
}

/// Makes the request after a batch of an epoch, both from 1; at the epoch's end where `batch` is 0. Counts the batches.
class Stopper : public Observer {
 public:
  Stopper(StopRequest& request, std::size_t epoch, std::size_t batch)
      : request_(request), epoch_(epoch), batch_(batch) {}

  void on_batch_end(const BatchProgress& progress) override {
    ++batches;
    if (progress.epoch == epoch_ && progress.batch == batch_) {
      request_.make();
    }
  }
  void on_epoch_end(const EpochMetrics& metrics, std::size_t /*epochs*/) override {
    if (metrics.epoch == epoch_ && batch_ == 0) {
      request_.make();
    }
  }

  std::size_t batches = 0;

 private:
  StopRequest& request_;
  std::size_t epoch_;
  std::size_t batch_;
};

History fit(Network<M>& network, const FitOptions& options) {
  return Trainer{network, CrossEntropy{}, Adam{.learning_rate = 1e-2}}.fit(images(), options);
}

TEST_CASE("A training that is asked to stop ends its step, and resumes to the same bits", "[train]") {
  const FitOptions plain{.epochs = 5, .batch_size = 16, .seed = Seed{3}};  // of 4 batches each
  Network<M> straight{Seed{1}};
  const History expected = fit(straight, plain);

  struct Point {
    std::size_t epoch, batch, done;
  };
  for (const auto& [epoch, batch, done] : {Point{1, 1, 0}, Point{3, 2, 2}, Point{3, 0, 3}, Point{5, 3, 4}}) {
    CAPTURE(epoch, batch);
    const test::TemporaryFolder folder;
    StopRequest request;
    Stopper stopper(request, epoch, batch);
    FitOptions options = plain;
    options.checkpoint = CheckpointOptions{.path = folder / "run", .resume = true};
    options.observers = {&stopper};
    options.stop = &request;
    Network<M> network{Seed{1}};
    std::string message;
    try {
      fit(network, options);
    } catch (const StoppedError& error) {
      message = error.what();
    }
    CHECK(message == "training stopped as asked, after epoch " + to_text(done) + " of 5");
    CHECK(stopper.batches == (batch == 0 ? 4 * epoch : 4 * (epoch - 1) + batch));
    CHECK(std::filesystem::exists(folder / "run") == (done > 0));

    // As long as the request is not withdrawn, nothing begins.
    CHECK_THROWS_AS(fit(network, options), StoppedError);
    CHECK(std::filesystem::exists(folder / "run") == (done > 0));
    request.withdraw();
    options.observers.clear();
    Network<M> resumed{Seed{1}};
    CHECK(same_results(fit(resumed, options), expected));
    CHECK(same_bits(resumed.parameter_arena(), straight.parameter_arena()));
  }
}

TEST_CASE("A stop loses no epoch that was done since the last checkpoint", "[train]") {
  const FitOptions plain{.epochs = 5, .batch_size = 16, .seed = Seed{3}};
  Network<M> straight{Seed{1}};
  const History expected = fit(straight, plain);
  for (const CheckpointOptions& spaced :
       {CheckpointOptions{.every_epochs = 3}, CheckpointOptions{.every_seconds = 1e9}}) {
    const test::TemporaryFolder folder;
    StopRequest request;
    Stopper stopper(request, 2, 1);
    FitOptions options = plain;
    options.checkpoint = spaced;
    options.checkpoint->path = folder / "run";
    options.checkpoint->resume = true;
    options.observers = {&stopper};
    options.stop = &request;
    Network<M> network{Seed{1}};
    CHECK_THROWS_WITH(fit(network, options), "training stopped as asked, after epoch 1 of 5");
    CHECK(stopper.batches == 5);  // one of the second epoch, though the first was in no file yet
    request.withdraw();
    options.observers.clear();
    Network<M> resumed{Seed{1}};
    CHECK(same_results(fit(resumed, options), expected));
    CHECK(same_bits(resumed.parameter_arena(), straight.parameter_arena()));
  }
}

TEST_CASE("Checkpoints are as far apart as they are asked to be, and the last is of the end", "[train]") {
  const test::TemporaryFolder folder;
  Network<M> network{Seed{1}};
  FitOptions options{.epochs = 5, .batch_size = 16};
  options.checkpoint = CheckpointOptions{.path = folder / "run", .every_epochs = 2};
  struct Watcher : Observer {
    explicit Watcher(std::filesystem::path file) : path(std::move(file)) {}
    void on_epoch_end(const EpochMetrics&, std::size_t) override {
      written.push_back(std::filesystem::exists(path));
      std::filesystem::remove(path);
    }
    std::filesystem::path path;
    std::vector<bool> written;
  } watcher(folder / "run");
  options.observers = {&watcher};
  fit(network, options);
  CHECK(watcher.written == std::vector<bool>{false, true, false, true, true});
  options.checkpoint->every_epochs = 0;
  CHECK_THROWS_AS(fit(network, options), OptionError);
  options.checkpoint = CheckpointOptions{.path = folder / "run", .every_seconds = -1.0};
  CHECK_THROWS_AS(fit(network, options), OptionError);
}

TEST_CASE("A training that is asked to stop when it is done has ended", "[train]") {
  StopRequest request;
  Stopper stopper(request, 2, 0);
  Network<M> network{Seed{1}};
  const History history = fit(network, {.epochs = 2, .batch_size = 16, .observers = {&stopper}, .stop = &request});
  CHECK(history.size() == 2);
}

TEST_CASE("A checkpoint that cannot be written is found before anything is trained", "[train]") {
  const test::TemporaryFolder folder;
  StopRequest never;
  Stopper counter(never, 0, 0);
  Network<M> network{Seed{1}};
  FitOptions options{.epochs = 1, .batch_size = 16, .observers = {&counter}};
  options.checkpoint = CheckpointOptions{.path = folder / "no/run"};
  CHECK_THROWS_AS(fit(network, options), FileError);
  options.checkpoint = CheckpointOptions{.path = folder.path()};
  CHECK_THROWS_AS(fit(network, options), FileError);
  CHECK(counter.batches == 0);
}

}  // namespace

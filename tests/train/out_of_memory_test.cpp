// SPDX-License-Identifier: MIT
// Memory that runs out at any moment of a training, on any thread, is a std::bad_alloc: it never ends the program, and
// what is left can be used again.

#include <cstddef>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "brief.hpp"
#include "by_operations.hpp"
#include "catch.hpp"
#include "failing_allocations.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/relu.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/json_lines_log.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/sweep_grid.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;
using retort::test::stays_out;
using retort::test::successes_left;

using Wide = Sequential<Linear<30, 24>, BatchNorm<24>, ReLU, Linear<24, 4>>;
/// Of the first a step is taken as a whole, of the second by single operations.
using Panels = Sequential<Linear<30, 40>, Dropout<0.25>, ReLU, Linear<40, 4>>;
using Layers = test::ByOperations<Shape<1, 5, 6>, Linear<30, 40>, BatchNorm<40>, ReLU, Linear<40, 4>>;

constexpr std::size_t samples = test::brief ? 100 : 300;

const data::Dataset& images() {
  static const data::Dataset data = test::noise_images(samples, {5, 6}, 4, 1);
  return data;
}

/// Runs `work` on a thread of its own, whose memory is fresh, so that the allocation after `successes` fails, and in
/// the second mode all after it. Returns whether one failed. `work` may end with std::bad_alloc and nothing else.
bool fails_within(long successes, bool all_after, const std::function<void()>& work, std::string& complaint) {
  bool failed = false;
  std::thread([&] {
    stays_out = all_after;
    successes_left = successes;
    try {
      work();
    } catch (const std::bad_alloc&) {
    } catch (...) {
      successes_left = -1;
      try {
        throw;
      } catch (const std::exception& error) {
        complaint = error.what();
      } catch (...) {
        complaint = "no std::exception";
      }
    }
    failed = successes_left == (all_after ? 0 : -1) || !complaint.empty();
    successes_left = -1;
  }).join();
  return failed;
}

/// `work` with a failure at each of its allocations, and at each fifth with all after it (in a brief run at each
/// seventh of these); `check` after some of them.
void fail_everywhere(const std::function<void()>& work, const std::function<void()>& check) {
  work();  // what is made once in the program's life
  for (const bool all_after : {false, true}) {
    long allocations = 0;
    std::string complaint;
    while (fails_within(allocations, all_after, work, complaint)) {
      CAPTURE(allocations, all_after);
      REQUIRE(complaint.empty());
      if (allocations % 32 == 0) {
        check();
      }
      allocations += (all_after ? 5 : 1) * (test::brief ? 7 : 1);
      REQUIRE(allocations < 100'000);
    }
    CHECK(allocations > 10);
    check();
  }
}

template <Model M, typename Backend>
void check_training() {
  const test::TemporaryFolder folder;
  const Network<Wide, Backend> teacher{Seed{3}, Backend{2}};
  const auto train = [&](Network<M, Backend>& student) {
    JsonLinesLog log(folder / "log");
    JsonLinesObserver observer(log, "student");
    DistillationTrainer trainer{teacher, student, HintonLoss{}, Adam{.learning_rate = 1e-2}};
    trainer.fit(images(), {.epochs = 2,
                           .batch_size = samples / 2,
                           .validation_fraction = 0.2,
                           .early_stopping = EarlyStopping{},
                           .checkpoint = CheckpointOptions{.path = folder / "checkpoint"},
                           .observers = {&observer}});
  };
  Network<M, Backend> expected{Seed{1}, Backend{2}};
  train(expected);
  fail_everywhere(
      [&] {
        Network<M, Backend> student{Seed{1}, Backend{2}};
        train(student);
        io::save_safetensors(student, folder / "student");
        evaluate(student, images());
      },
      [&] {
        Network<M, Backend> student{Seed{1}, Backend{2}};
        train(student);
        CHECK(same_bits(student.parameter_arena(), expected.parameter_arena()));
      });
}

TEST_CASE("Memory may run out anywhere in a training of panels", "[train]") {
  check_training<Panels, backend::Eigen>();
}

TEST_CASE("Memory may run out anywhere in a training by operations", "[train]") {
  check_training<Layers, backend::Eigen>();
}

TEST_CASE("Memory may run out anywhere in a network's use, and it stays as it was", "[train]") {
  const test::TemporaryFolder folder;
  Network<Panels> network{Seed{1}, backend::Eigen{2}};
  io::save_safetensors(network, folder / "file");
  const std::string file = test::read_file(folder / "file");
  const auto before = network.copy_parameters();
  const std::vector<float> expected = predict_all(network, images());
  const std::vector<float> inputs(200 * 30, 0.5f);
  std::vector<float> logits(200 * 4);
  fail_everywhere(
      [&] {
        // Threads of its own, whose memory is fresh.
        Network<Panels> copy{Seed{1}, backend::Eigen{3}};
        copy.predict(inputs, logits);
        network.predict(inputs, logits);
        io::save_safetensors(network, folder / "file");
        io::load_safetensors(network, folder / "file");
        data::random_split(images(), 0.5, Seed{1});
      },
      [&] {
        CHECK(same_bits(network.parameter_arena(), before.span()));
        CHECK(test::read_file(folder / "file") == file);
        CHECK(predict_all(network, images()) == expected);
      });
}

TEST_CASE("Memory may run out anywhere in a sweep, on any of its threads", "[train]") {
  const test::TemporaryFolder folder;
  const Network<Wide> teacher{Seed{3}};
  const auto run = [&] {
    const Sweep<Panels> sweep{teacher,
                              sweep_grid(SweepSetting<>{}, SweepAxis{&SweepSetting<>::seed, consecutive_seeds(2)}),
                              backend::Eigen{2}};
    SweepOptions options{.epochs = 1, .batch_size = samples / 2};
    options.checkpoints = SweepCheckpointOptions{.folder = folder / "students"};
    return sweep.fit(images(), images(), options);
  };
  const auto expected = run();
  fail_everywhere([&] { run(); },
                  [&] {
                    const auto found = run();
                    CHECK(same_bits(found[1].network.parameter_arena(), expected[1].network.parameter_arena()));
                  });
}

}  // namespace

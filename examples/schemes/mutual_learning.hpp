// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Deep mutual learning: two students that teach each other from the first step on, without a teacher.

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <retort/retort.hpp>
#include <thread>

#include "task.hpp"

namespace schemes {

/// Two threads, of which one runs at a time.
class Turns {
 public:
  void wait(std::size_t who) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return turn_ == who; });
  }
  /// The other goes on, unless it has left.
  void pass(std::size_t who) {
    const std::lock_guard lock(mutex_);
    turn_ = has_left_[1 - who] ? who : 1 - who;
    changed_.notify_all();
  }
  void leave(std::size_t who) {
    const std::lock_guard lock(mutex_);
    has_left_[who] = true;
    turn_ = 1 - who;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t turn_ = 0;
  std::array<bool, 2> has_left_{};
};

/// Passes the turn on after each batch, and waits until it comes again.
class TakesTurns final : public rt::Observer {
 public:
  TakesTurns(Turns& turns, std::size_t who) : turns_(turns), who_(who) {}

  void on_fit_begin(const rt::History& /*restored*/, std::size_t /*epochs*/) override { let_other_go_on(); }
  void on_batch_end(const rt::BatchProgress& /*progress*/) override { let_other_go_on(); }

 private:
  void let_other_go_on() {
    turns_.pass(who_);
    turns_.wait(who_);
  }

  Turns& turns_;
  std::size_t who_;
};

/// Zhang et al., "Deep Mutual Learning", arXiv:1706.00384, algorithm 1 for two networks. Both see the same batches. In
/// turn each takes a step on the labels and on the other's present answers, which are held constant. A training asks
/// its teacher anew for each batch because the images are moved anew in each epoch; else it would ask once, before the
/// first step.
inline void mutual_learning(Task& task, std::uint64_t seed) {
  // The paper's loss is the sum of the two terms, this one their mean: Adam takes the same steps.
  constexpr rt::HintonLoss mean_of_both{.temperature = 1, .hard_weight = 0.5};
  std::array students{Student{rt::Seed{2 * seed + 1}, task.cpu()}, Student{rt::Seed{1'000 + 2 * seed + 1}, task.cpu()}};
  Turns turns;
  std::array<std::exception_ptr, 2> failures;
  const auto train = [&](std::size_t who) noexcept {
    TakesTurns observer(turns, who);
    rt::FitOptions options = task.recipe(seed);
    options.observers = {&observer};
    turns.wait(who);
    try {
      rt::DistillationTrainer{students[1 - who], students[who], mean_of_both, adam}.fit(task.images, options);
    } catch (...) {
      failures[who] = std::current_exception();
    }
    turns.leave(who);
  };
  {
    const std::jthread other(train, 1);
    train(0);
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) {
      std::rethrow_exception(failure);
    }
  }
  task.report("mutual learning, one student", students[0]);
  task.report("mutual learning, the other", students[1]);
}

}  // namespace schemes

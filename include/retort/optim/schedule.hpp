// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How the learning rate changes during training: schedules, each a pure function of the progress, so that a resumed
/// run has the learning rates of the uninterrupted one without storing any state.

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numbers>
#include <string>
#include <string_view>
#include <utility>

#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/shared_handle.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The progress of a training before the current step.
struct TrainingProgress {
  std::uint64_t step = 0;         ///< optimizer steps already taken: 0 ... total_steps - 1
  std::uint64_t total_steps = 0;  ///< of the whole training
  std::size_t epoch = 0;          ///< epochs completed: 0 ... total_epochs - 1
  std::size_t total_epochs = 0;
};

/// A schedule S has
/// - `s.factor(progress)`, the factor of the optimizer's learning rate; precondition: valid settings,
/// - a table of hyperparameters, or `s.validate()` and `s.describe()`; see the concept Configured,
/// - if it looks neither at total_steps nor at total_epochs, `static constexpr bool any_length = true` (a schedule that
///   holds others may have a function `bool any_length() const`): a training that has ended can then be resumed with
///   more epochs.
template <typename S>
concept LearningRateSchedule =
    std::copyable<S> && Configured<S> && requires(const S& schedule, const TrainingProgress& progress) {
      { schedule.factor(progress) } -> std::same_as<double>;
    };

/// The optimizer's own learning rate throughout.
struct ConstantSchedule {
  static constexpr bool any_length = true;
  double factor(const TrainingProgress&) const { return 1.0; }
  void validate() const {}
  std::string describe() const { return "ConstantSchedule()"; }
};

/// Any schedule, as a value; the constant one by default. Copies share the schedule, which never changes.
class Schedule {
 public:
  Schedule() : Schedule(ConstantSchedule{}) {}

  template <typename S>
    requires(!std::same_as<S, Schedule> && LearningRateSchedule<S>)
  Schedule(S schedule) : schedule_(std::make_shared<Holder<S>>(std::move(schedule))) {}

  double factor(const TrainingProgress& progress) const { return schedule_->factor(progress); }
  void validate() const { schedule_->validate(); }
  std::string describe() const { return schedule_->describe(); }
  /// Whether its factors are the same for every length of training.
  bool any_length() const { return schedule_->any_length(); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual double factor(const TrainingProgress& progress) const = 0;
    virtual void validate() const = 0;
    virtual std::string describe() const = 0;
    virtual bool any_length() const = 0;
  };

  template <typename S>
  struct Holder final : Interface {
    explicit Holder(S held) : schedule(std::move(held)) {}
    double factor(const TrainingProgress& progress) const override { return schedule.factor(progress); }
    void validate() const override { validate_in<double>(schedule); }
    std::string describe() const override { return describe_settings(schedule); }
    bool any_length() const override {
      if constexpr (requires { schedule.any_length(); }) {
        return schedule.any_length();
      } else if constexpr (requires { S::any_length; }) {
        return S::any_length;
      } else {
        return false;
      }
    }
    S schedule;
  };

  internal::SharedHandle<const Interface> schedule_;
};

/// decay^floor(epoch / every_epochs): a drop after every `every_epochs` epochs.
struct StepSchedule {
  static constexpr std::string_view name = "StepSchedule";
  static constexpr bool any_length = true;
  std::size_t every_epochs = 1;
  double decay = 0.1;

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"every_epochs", &StepSchedule::every_epochs, allowed::count_above_zero},
                      Hyperparameter{"decay", &StepSchedule::decay, allowed::above_zero_to_one}};
  }

  double factor(const TrainingProgress& progress) const {
    const std::size_t drops = progress.epoch / every_epochs;
    return std::pow(decay, static_cast<double>(drops));
  }
};

/// Half a cosine from 1 to final_factor, step by step: Loshchilov and Hutter, "SGDR", arXiv:1608.03983, equation 5,
/// without restarts. It would reach final_factor in the step after the last.
struct CosineSchedule {
  static constexpr std::string_view name = "CosineSchedule";
  double final_factor = 0.0;

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"final_factor", &CosineSchedule::final_factor, allowed::zero_to_one}};
  }

  double factor(const TrainingProgress& progress) const {
    if (progress.step >= progress.total_steps) {
      return final_factor;
    }
    const double fraction = static_cast<double>(progress.step) / static_cast<double>(progress.total_steps);
    return final_factor + (1.0 - final_factor) * 0.5 * (1.0 + std::cos(std::numbers::pi * fraction));
  }
};

/// Rises in a straight line for `steps` steps, 1 / (steps + 1), 2 / (steps + 1), ..., and then follows another schedule
/// (Goyal et al., arXiv:1706.02677, section 2.2). That one sees the remaining steps, from 0, and the true epoch: a
/// cosine starts at its top and still ends with the training, and "every 10 epochs" are the training's epochs.
struct LinearWarmup {
  std::uint64_t steps = 0;
  Schedule then{};

  double factor(const TrainingProgress& progress) const {
    if (progress.step < steps) {
      return static_cast<double>(progress.step + 1) / (static_cast<double>(steps) + 1.0);
    }
    TrainingProgress rest = progress;
    rest.step -= steps;
    rest.total_steps -= steps < progress.total_steps ? steps : progress.total_steps;
    return then.factor(rest);
  }
  bool any_length() const { return then.any_length(); }
  void validate() const { then.validate(); }
  std::string describe() const { return concatenate({"LinearWarmup(steps=", steps, ", then=", then.describe(), ")"}); }
};

static_assert(LearningRateSchedule<ConstantSchedule> && LearningRateSchedule<StepSchedule> &&
              LearningRateSchedule<CosineSchedule> && LearningRateSchedule<LinearWarmup>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A trainer of epochs that learns nothing and follows a script, for the tests of the epoch loop.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/train/trainer_interface.hpp"

namespace retort::test {

class ScriptedTrainer : public internal::TrainerInterface {
 public:
  /// `validation_errors[e]`: what the evaluation after epoch e + 1 finds.
  explicit ScriptedTrainer(std::vector<std::size_t> errors = {}) : validation_errors(std::move(errors)) {}

  void begin(const data::Dataset& train, const data::Dataset* validation, const internal::Epoch& /*epoch*/) override {
    training_data.push_back(train);
    if (validation != nullptr) {
      validation_data.push_back(*validation);
    }
    validated = validation != nullptr;
  }

  internal::EpochResult train_epoch(const internal::Epoch& epoch, const internal::BatchCallback& after_batch) override {
    const std::size_t size = training_data.back().size();
    const std::size_t samples = epoch.trained(size);
    std::vector<std::uint32_t> order(size);
    if (epoch.shuffle) {
      epoch.order(size).fill(0, order);
    } else {
      std::iota(order.begin(), order.end(), 0u);
    }
    epochs.push_back(epoch);
    orders.push_back(std::move(order));
    ++parameter;
    internal::EpochResult result;
    std::size_t batch = 0;
    for (std::size_t first = 0; first < samples; first += epoch.batch_size) {
      result.sum.loss = loss * static_cast<double>(samples);
      after_batch(++batch, result.sum);
    }
    return result;
  }

  Evaluation evaluate() override {
    if (!validated) {
      throw Error("evaluated without validation data");
    }
    ++evaluations;
    return {.loss = validation_loss, .accuracy = 0.5, .errors = validation_errors.at(parameter - 1)};
  }

  bool is_finite() const override { return finite; }
  std::string describe_fault() const override { return fault; }

  internal::StateArrays state() const override {
    internal::StateArrays arrays = model_state();
    arrays.push_back({"moment.0", arrays.front().bytes});
    return arrays;
  }

  internal::StateArrays model_state() const override {
    std::vector<std::byte> bytes(sizeof(parameter));
    std::memcpy(bytes.data(), &parameter, sizeof(parameter));
    return {{"parameters", bytes}};
  }

  void restore(const internal::StateArrays& state) override {
    if (state.empty() || state.front().name != "parameters" || state.front().bytes.size() != sizeof(parameter)) {
      throw ShapeError("training state: not one of this training");
    }
    std::memcpy(&parameter, state.front().bytes.data(), sizeof(parameter));
  }

  void hand_out() override { ++handed_out; }

  std::string describe() const override { return "scripted"; }
  internal::Settings settings() const override { return {{"model", "scripted"}}; }

  double loss = 0.25;
  double validation_loss = 1.0;
  /// The epochs trained, counted by what a network would hold as its parameters.
  bool finite = true;
  std::string fault;  ///< what no file may hold
  std::size_t parameter = 0;
  std::vector<std::size_t> validation_errors;
  std::vector<data::Dataset> training_data;
  /// What `begin` was given.
  std::vector<data::Dataset> validation_data;
  bool validated = false;
  std::size_t evaluations = 0;
  std::size_t handed_out = 0;
  std::vector<internal::Epoch> epochs;
  std::vector<std::vector<std::uint32_t>> orders;  ///< of each epoch
};

}  // namespace retort::test

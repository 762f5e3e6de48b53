// SPDX-License-Identifier: MIT
// Losses of classes where there are none: a model of one output, targets.
// expect: retort: a loss of classes wants a model of two outputs or more: one output always wins
// expect: retort: add losses of labels, of real targets, or of yes/no targets, not of two kinds
// expect: retort: StandardizedLogits compares the logits of classes: expected a loss of labels
// expect: retort: SwappedLogits swaps the logits of classes: expected a loss of labels
// expect: retort: ClassWeighted weighs classes: expected a loss of labels
// expect: retort: TowardsTeacher wants a loss of real targets, such as MeanSquaredError or Huber
// expect: retort: evaluate counts errors over classes, and a model of one output has none

#include "retort/retort.hpp"

retort::Network<retort::Sequential<retort::Linear<3, 1>>> network{retort::Seed{1}};
retort::Trainer trainer{network, retort::CrossEntropy{}, retort::Adam{}};
const auto sum = 0.5 * retort::MeanSquaredError{} + 0.5 * retort::LogitMatching{};
const retort::StandardizedLogits<retort::MeanSquaredError> standardized{};
const retort::SwappedLogits<retort::BinaryHintonLoss> swapped{};
const retort::ClassWeighted<retort::Huber, 1> weighted{{}, {1.0}};
const retort::TowardsTeacher<retort::BinaryCrossEntropy> towards{};
const retort::Evaluation evaluation =
    retort::evaluate(network, retort::data::Dataset{retort::data::Matrix<float>(1, 3)});

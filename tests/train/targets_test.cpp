// SPDX-License-Identifier: MIT
// Training on targets in place of labels: real ones, and several yes/no ones.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/error.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/teacher_logits_table.hpp"
#include "retort/loss/binary_cross_entropy.hpp"
#include "retort/loss/binary_hinton.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/hint.hpp"
#include "retort/loss/huber.hpp"
#include "retort/loss/mean_squared_error.hpp"
#include "retort/loss/towards_teacher.hpp"
#include "retort/loss/weighted_sum.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/json_lines_log.hpp"
#include "retort/train/progress_printer.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/sweep_printer.hpp"
#include "retort/train/sweep_summary.hpp"
#include "retort/train/tensorboard_log.hpp"
#include "retort/train/trainer.hpp"
#include "separate_memory.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"
#include "train/recorder.hpp"

namespace {

using namespace retort;
using retort::test::contains;
using retort::test::message_of;
using retort::test::same_bits;
using retort::test::same_results;

using Curve = Sequential<Linear<1, 16>, Tanh, Linear<16, 1>>;
using Tagger = Sequential<Linear<4, 8>, Tanh, Linear<8, 3>>;

/// y = sin x at points of [-3, 3).
data::Dataset sine(std::size_t count = 200) {
  data::Matrix<float> x(count, 1, test::random_values<float>(count, 5, -3, 3));
  data::Matrix<float> y(count, 1);
  for (std::size_t i = 0; i < count; ++i) {
    y(i, 0) = std::sin(x(i, 0));
  }
  return data::Dataset{std::move(x)}.with_targets(std::move(y));
}

/// Three questions about the signs of four numbers.
data::Dataset tags(std::size_t count = 120, std::uint64_t seed = 6) {
  data::Matrix<float> x(count, 4, test::random_values<float>(count * 4, seed));
  data::Matrix<float> y(count, 3);
  for (std::size_t i = 0; i < count; ++i) {
    y(i, 0) = x(i, 0) > 0 ? 1.0f : 0.0f;
    y(i, 1) = x(i, 1) + x(i, 2) > 0 ? 1.0f : 0.0f;
    y(i, 2) = x(i, 3) < 0 ? 1.0f : 0.0f;
  }
  return data::Dataset{std::move(x)}.with_targets(std::move(y));
}

constexpr Adam adam{.learning_rate = 2e-2};
const FitOptions short_fit{.epochs = 4, .batch_size = 32, .seed = Seed{3}};

template <typename N, typename L>
History fit(N& network, const L& loss, const data::Dataset& data, const data::Dataset& validation,
            const FitOptions& options) {
  Trainer trainer{network, loss, adam};
  return trainer.fit(data, validation, options);
}

TEST_CASE("A network learns the sine from 200 points, and is judged by its RMSE", "[train]") {
  const data::Dataset data = sine();
  Network<Curve> network{Seed{1}};
  Trainer trainer{network, MeanSquaredError{}, adam};
  CHECK(contains(trainer.describe(), "single operations in float, not panels: the loss takes targets"));
  const History history = trainer.fit(data, data, {.epochs = 60, .batch_size = 20});
  CHECK(history.back().metric == Metric::rmse);
  CHECK_FALSE(history.back().accuracy);
  CHECK_FALSE(history.back().errors);
  const Evaluation found = evaluate(network, data, Huber{});
  CHECK(found.rmse() < 0.04);
  CHECK(found.rmse() == history.back().validation->rmse());
  CHECK(std::isnan(found.accuracy));

  double squares = 0;
  const std::vector<float> outputs = predict_all(network, data);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const double difference = double{outputs[i]} - double{data.targets()(i, 0)};
    squares += difference * difference;
  }
  CHECK_THAT(found.rmse(), WithinRel(std::sqrt(squares / 200.0), 1e-6));
  CHECK_THAT(found.loss, WithinRel(squares / 200.0, 1e-6));
}

TEST_CASE("A network learns three questions at once, and is judged by samples with no wrong answer", "[train]") {
  const data::Dataset data = tags();
  Network<Tagger> network{Seed{1}};
  const History history = fit(network, BinaryCrossEntropy{}, data, data, {.epochs = 40, .batch_size = 20});
  const Evaluation found = evaluate(network, data, BinaryCrossEntropy{});
  std::size_t errors = 0;
  const std::vector<float> logits = predict_all(network, data);
  for (std::size_t i = 0; i < data.size(); ++i) {
    bool wrong = false;
    for (std::size_t k = 0; k < 3; ++k) {
      wrong = wrong || (logits[3 * i + k] > 0) != (data.targets()(i, k) == 1.0f);
    }
    errors += wrong ? 1u : 0u;
  }
  CHECK(found.metric == Metric::exact_match);
  CHECK(found.errors == errors);
  CHECK(found.accuracy == 1.0 - static_cast<double>(errors) / 120.0);
  CHECK(found.accuracy > 0.9);
  CHECK(history.back().validation->errors == errors);
  CHECK(history.front().metric == Metric::exact_match);
  REQUIRE(history.front().errors);
  CHECK(*history.front().errors > *history.back().errors);
  CHECK(history.front().accuracy == static_cast<double>(120 - *history.front().errors) / 120.0);
}

TEST_CASE("A student learns a teacher's real outputs, from a network and from a table alike", "[train]") {
  const data::Dataset data = sine(60);
  const Network<Curve> teacher{Seed{7}};
  const auto loss = 0.0 * MeanSquaredError{} + 1.0 * TowardsTeacher{MeanSquaredError{}};
  Network<Curve> student{Seed{1}};
  DistillationTrainer trainer{teacher, student, loss, adam};
  const FitOptions options{.epochs = 50, .batch_size = 20};
  trainer.fit(data, options);
  const std::vector<float> answers = predict_all(teacher, data);
  const data::Dataset answered = data.with_targets(data::Matrix<float>(60, 1, answers));
  const double reached = evaluate(student, answered, loss).rmse();
  CHECK(reached < 0.05);
  CHECK(reached < 0.1 * evaluate(Network<Curve>{Seed{1}}, answered, loss).rmse());

  Network<Curve> other{Seed{1}};
  DistillationTrainer of_table{data::TeacherLogitsTable(data::Matrix<float>(60, 1, answers), data), other, loss, adam};
  of_table.fit(data, options);
  CHECK(same_bits(other.parameter_arena(), student.parameter_arena()));

  // The targets are not read, and need not be there.
  Network<Curve> without{Seed{1}};
  DistillationTrainer of_answers{teacher, without, loss, adam};
  const History history = of_answers.fit(data.without_labels(), options);
  CHECK(same_bits(without.parameter_arena(), student.parameter_arena()));
  CHECK_FALSE(history.back().accuracy);
}

TEST_CASE("Yes/no targets distil, with a hint too", "[train]") {
  const data::Dataset data = tags();
  Network<Tagger> teacher{Seed{7}};
  fit(teacher, BinaryCrossEntropy{}, data, data, {.epochs = 30, .batch_size = 20});
  Network<Tagger> student{Seed{1}};
  DistillationTrainer trainer{std::as_const(teacher), student,
                              WithTerm{BinaryHintonLoss{.hard_weight = 0.3}, Hint<1, 1>{.weight = 0.1}}, adam};
  const History history = trainer.fit(data, tags(60, 9), {.epochs = 30, .batch_size = 20});
  CHECK(history.back().metric == Metric::exact_match);
  CHECK(history.back().validation->accuracy > 0.8);
  CHECK(history.back().validation->errors < history.front().validation->errors);
}

TEST_CASE("Targets are copied to other memory once, and give the same bits there", "[train]") {
  const data::Dataset data = tags();
  const auto train = [&](auto& network) {
    const Network<Tagger, std::remove_cvref_t<decltype(network.backend())>> teacher{Seed{7}, network.backend()};
    DistillationTrainer trainer{teacher, network, BinaryHintonLoss{}, adam};
    return trainer.fit(data, tags(60, 9), short_fit);
  };
  Network<Tagger> host{Seed{1}};
  Network<Tagger, test::SeparateMemory> separate{Seed{1}};
  const History expected = train(host);
  const History found = train(separate);
  CHECK(same_bits(separate.copy_parameters().span(), host.copy_parameters().span()));
  CHECK_THAT(found.back().loss, WithinRel(expected.back().loss, 1e-13));
  CHECK(found.back().errors == expected.back().errors);
  CHECK(found.back().validation->loss == expected.back().validation->loss);
}

/// Resumes after the second epoch of five, and in the middle of the fourth.
template <Model M, typename L>
void check_resume(const L& loss, const data::Dataset& data, const data::Dataset& validation) {
  FitOptions options = short_fit;
  options.epochs = 5;
  options.early_stopping = EarlyStopping{.patience = 4};
  Network<M> straight{Seed{1}};
  const History expected = fit(straight, loss, data, validation, options);
  for (const auto& [epoch, batch] : {std::pair{2, 0}, std::pair{4, 1}}) {
    const test::TemporaryFolder folder;
    options.checkpoint = CheckpointOptions{folder / "run", true};
    test::Interrupter interrupter(static_cast<std::size_t>(epoch), static_cast<std::size_t>(batch));
    options.observers = {&interrupter};
    Network<M> first{Seed{1}};
    CHECK_THROWS_AS(fit(first, loss, data, validation, options), test::Interruption);
    options.observers.clear();
    Network<M> second{Seed{1}};
    const History found = fit(second, loss, data, validation, options);
    CHECK(same_results(found, expected));
    CHECK(found.front().metric == metric_of<L>);
    CHECK(same_bits(second.parameter_arena(), straight.parameter_arena()));

    const data::Dataset others = data.with_targets(data::Matrix<float>(data.size(), data.target_count()));
    Network<M> third{Seed{1}};
    CHECK(contains(message_of<SettingError>([&] { fit(third, loss, others, validation, options); }),
                   "other training data"));
  }
}

TEST_CASE("A training on targets that is resumed ends with the same bits", "[train]") {
  check_resume<Curve>(Huber{.delta = 0.5}, sine(90), sine(30));
  check_resume<Tagger>(BinaryCrossEntropy{}, tags(90), tags(40, 9));
}

TEST_CASE("The best epoch of real targets has the smallest RMSE", "[train]") {
  History history;
  for (const double loss : {0.5, 0.25, 0.25, 0.4}) {
    history.push_back({.validation = Evaluation{.loss = loss, .metric = Metric::rmse}, .metric = Metric::rmse});
  }
  CHECK(best_epoch(history) == 2);
}

TEST_CASE("A loss and data of another kind are refused, and both are named", "[train]") {
  const data::Dataset curve = sine(20);
  const data::Dataset labelled = test::clouds(20, 4, 3, 1);
  Network<Curve> network{Seed{1}};
  Network<Tagger> tagger{Seed{1}};
  const auto refused = [](auto& any, const auto& loss, const data::Dataset& train, const data::Dataset& validation,
                          const FitOptions& options = {}) {
    return message_of<Error>([&] { fit(any, loss, train, validation, options); });
  };
  CHECK(contains(refused(tagger, CrossEntropy{}, tags(), tags()),
                 "fit: the loss CrossEntropy(label_smoothing=0) takes labels, and the training data has 3 targets"));
  CHECK(contains(refused(tagger, BinaryCrossEntropy{}, labelled, labelled),
                 "fit: the loss BinaryCrossEntropy() takes targets, and the training data has none"));
  CHECK(contains(refused(tagger, BinaryCrossEntropy{}, tags(), labelled), "the validation data has none"));
  CHECK(contains(refused(tagger, CrossEntropy{}, labelled, tags()), "the validation data has 3 targets"));
  data::Matrix<float> pairs(20, 2);
  CHECK(contains(refused(network, MeanSquaredError{}, curve.with_targets(pairs), curve),
                 "the dataset has 1 features and 2 targets a sample, the model 1 inputs and 1 outputs, expected"));
  CHECK(contains(refused(network, MeanSquaredError{}, tags(), tags()),
                 "the dataset has 4 features and 3 targets a sample, the model 1 inputs and 1 outputs, expected"));
  data::Matrix<float> twos = tags().targets();
  twos(5, 1) = 2;
  CHECK(contains(refused(tagger, BinaryCrossEntropy{}, tags().with_targets(twos), tags()),
                 "target 1 of sample 5 of the training data is 2, expected a number from 0 to 1"));
  CHECK(
      contains(refused(network, MeanSquaredError{}, curve, curve, {.early_stopping = EarlyStopping{.minimum_gain = 1}}),
               "minimum_gain is 1 errors, expected 0"));
  Trainer trainer{network, MeanSquaredError{}, adam};
  CHECK(contains(message_of<OptionError>([&] { trainer.fit(curve, {.validation_fraction = 0.2, .stratified = true}); }),
                 "fit: stratified is true, expected false, as the samples have targets and no classes"));
  CHECK(contains(message_of<OptionError>([&] { evaluate(tagger, tags()); }), "evaluate: the dataset has targets"));
  CHECK(contains(message_of<OptionError>([&] { evaluate(tagger, labelled, BinaryCrossEntropy{}); }),
                 "evaluate: the loss BinaryCrossEntropy() takes targets, and the dataset has none"));
  const Network<Tagger> teacher{Seed{7}};
  const auto distil = [&](double hard_weight, const data::Dataset& data) {
    DistillationTrainer distiller{teacher, tagger, BinaryHintonLoss{.hard_weight = hard_weight}, adam};
    return message_of<OptionError>([&] { distiller.fit(data, {}); });
  };
  CHECK(distil(0, tags().without_labels()) == "<no exception>");
  CHECK(contains(distil(0.1, tags().without_labels()), "takes targets, and the training data has none"));
  CHECK(contains(distil(0, labelled),
                 "learns from the teacher alone, and the training data has labels, which it cannot use"));
  CHECK(evaluate(tagger, labelled, CrossEntropy{}).errors == evaluate(tagger, labelled).errors);
}

/// What a call prints to a file.
template <typename Call>
std::string printed(const Call& call) {
  const test::TemporaryFolder folder;
  std::FILE* file = std::fopen((folder / "text").c_str(), "w");
  call(file);
  std::fclose(file);
  return test::read_file(folder / "text");
}

TEST_CASE("Reports name the loss's metric, and no accuracy that means nothing", "[train]") {
  EpochMetrics real{.epoch = 1, .loss = 0.5, .metric = Metric::rmse};
  EpochMetrics yes_no{.epoch = 1, .loss = 0.5, .accuracy = 0.75, .errors = 2, .metric = Metric::exact_match};
  const auto line = [](const EpochMetrics& metrics) {
    return printed([&](std::FILE* file) { ProgressPrinter("x", file).on_epoch_end(metrics, 2); });
  };
  CHECK(line(real) == "x  epoch 1/2  loss 0.5000  0.00 s\n");
  CHECK(line(yes_no) == "x  epoch 1/2  loss 0.5000  exact match 75.00 %  errors 2  0.00 s\n");
  real.validation = Evaluation{.loss = 0.000625, .accuracy = std::nan(""), .metric = Metric::rmse};
  yes_no.validation = Evaluation{.accuracy = 0.5, .errors = 4, .metric = Metric::exact_match};
  CHECK(line(real) == "x  epoch 1/2  loss 0.5000  RMSE 0.025  0.00 s\n");
  CHECK(line(yes_no) == "x  epoch 1/2  loss 0.5000  exact match 50.00 %  errors 4  0.00 s\n");

  const test::TemporaryFolder folder;
  const auto logged = [&](const EpochMetrics& metrics) {
    std::filesystem::remove(folder / "log");
    JsonLinesLog(folder / "log").append("x", metrics);
    return test::read_file(folder / "log");
  };
  CHECK(contains(logged(real), R"("accuracy":null,"errors":null,"rmse":0.025,"seconds")"));
  CHECK(contains(logged(yes_no), R"("accuracy":null,"errors":4,"exact_match":0.5,"seconds")"));

  TensorBoardLog board(folder / "board");
  board.on_epoch_end(real, 1);
  board.on_epoch_end(yes_no, 1);
  for (const auto& entry : std::filesystem::directory_iterator(folder / "board")) {
    const std::string bytes = test::read_file(entry.path());
    CHECK(contains(bytes, "rmse/validation"));
    CHECK(contains(bytes, "exact_match/validation"));
    CHECK(contains(bytes, "exact_match/training"));
    CHECK_FALSE(contains(bytes, "rmse/training"));
    CHECK_FALSE(contains(bytes, "accuracy"));
  }
}

TEST_CASE("A sweep trains on targets", "[train]") {
  const data::Dataset data = sine(60);
  std::vector<SweepSetting<Huber, Adam>> settings(2);
  settings[1].loss.delta = 0.1;
  const Sweep<Curve, backend::Eigen, Huber, Adam> sweep{settings, backend::Eigen{2}};
  std::vector<std::string> lines;
  const auto results = sweep.fit(data, data, {.epochs = 2});
  Network<Curve> network{Seed{}};
  Trainer trainer{network, settings[1].loss, settings[1].optimizer};
  trainer.fit(data, {.epochs = 2});
  CHECK(same_bits(results[1].network.parameter_arena(), network.parameter_arena()));
  CHECK(results[1].evaluation->rmse() == evaluate(network, data, Huber{}).rmse());
  const auto summary = summarize(results)[1];
  CHECK(summary.rmse.mean == results[1].evaluation->rmse());
  CHECK(summary.accuracy.count == 0);
  CHECK(summary.errors.count == 0);
  const std::string line = printed([&](std::FILE* file) { SweepPrinter(file).on_student_end(results[1], {1, 2}); });
  CHECK(contains(line, "RMSE "));
  CHECK_FALSE(contains(line, "accuracy"));
  CHECK_FALSE(contains(line, "errors"));
}

}  // namespace

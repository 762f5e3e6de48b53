// SPDX-License-Identifier: MIT
// Training with terms on whole batches: gradients by finite differences of predictions, caches, threads, checkpoints.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "finite_difference.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/error.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/text.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/teacher_logits_table.hpp"
#include "retort/loss/activation_profile.hpp"
#include "retort/loss/at_epoch.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/dist.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/hint.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/relational.hpp"
#include "retort/loss/similarity_preserving.hpp"
#include "retort/loss/weighted_sum.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/gradient_clipping.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/epoch_trainer.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/fit_options.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/teacher.hpp"
#include "separate_memory.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using test::same_bits;

using TeacherModel = Sequential<Linear<6, 9>, Tanh, Linear<9, 7>, Tanh, Linear<7, 3>>;
using StudentModel = Sequential<Linear<6, 5>, Tanh, Linear<5, 3>>;

constexpr std::size_t samples = 12;

const data::Dataset& points() {
  static const data::Dataset data = test::clouds(samples, 6, 3, 1);
  return data;
}

template <typename Scalar>
std::vector<Scalar> inputs_of(const data::Dataset& data) {
  std::vector<std::uint32_t> indices(data.size());
  std::iota(indices.begin(), indices.end(), 0u);
  std::vector<Scalar> inputs(data.size() * data.feature_count());
  gather_batch(backend::Eigen{}, data.view(), indices.data(), data.size(), data::View{}, inputs.data());
  return inputs;
}

std::vector<double> parameters_of(const internal::StateArrays& state) {
  const auto array = std::ranges::find(state, "parameters", &internal::StateArray::name);
  REQUIRE(array != state.end());
  std::vector<double> values(array->bytes.size() / sizeof(double));
  std::memcpy(values.data(), array->bytes.data(), array->bytes.size());
  return values;
}

/// The layer's outputs for all points, or the logits.
template <std::size_t Layer, typename M>
std::vector<double> outputs_of(const Network<M, backend::Eigen, double>& network) {
  std::vector<double> outputs(samples * M::widths[Layer + 1]);
  const std::vector<double> inputs = inputs_of<double>(points());
  if constexpr (Layer + 1 == M::layer_count) {
    network.predict(inputs, outputs);
  } else {
    network.template predict_layer<Layer>(inputs, outputs);
  }
  return outputs;
}

/// The mean of a term over all points.
template <std::size_t Student, std::size_t Teacher, typename T>
double value_of(const T& term, const std::vector<double>& student, const std::vector<double>& teacher) {
  std::vector<double> losses(samples);
  std::vector<double> gradient(student.size());
  std::vector<double> scratch(T::template scratch_size<Student, Teacher>(samples));
  const backend::Eigen eigen;
  term.template evaluate<Student, Teacher>(
      backend::detail::Passes(eigen),
      TermBatch<double>{student.data(), teacher.data(), samples, 1.0, gradient.data(), losses.data(), scratch.data()});
  return std::accumulate(losses.begin(), losses.end(), 0.0) / samples;
}

/// One step on all points, in memory with room for some more, from a teacher whose answers are kept.
template <std::size_t StudentLayer, std::size_t TeacherLayer, typename T>
void check_step(const T& term) {
  CAPTURE(T::name);
  const WithTerm loss{CrossEntropy{}, term};
  using Network64 = Network<StudentModel, backend::Eigen, double>;
  const Network<TeacherModel, backend::Eigen, double> teacher{Seed{3}};
  Network64 student{Seed{1}};
  internal::EpochTrainer<StudentModel, backend::Eigen, double, WithTerm<CrossEntropy, T>, Sgd,
                         internal::Teacher<TeacherModel, backend::Eigen, double>>
      epoch_trainer(student, loss, Sgd{.learning_rate = 1.0}, {&teacher});
  const Schedule schedule;
  internal::Epoch epoch{.batch_size = samples + 13, .seed = Seed{7}, .schedule = &schedule};
  epoch_trainer.begin(points(), nullptr, epoch);
  epoch.batch_size = samples;
  const std::vector<double> before = parameters_of(epoch_trainer.state());
  const auto loss_at = [&](const std::vector<double>& parameters) {
    Network64 changed{Seed{0}};
    changed.assign_parameters(parameters);
    const std::vector<double> logits = outputs_of<2>(changed);
    double sum = 0.0;
    for (std::size_t i = 0; i < samples; ++i) {
      std::array<double, 3> ignored{};
      sum += CrossEntropy{}.row<3>(StudentLogits<double>{logits.data() + 3 * i}, TeacherLogits<double>{nullptr},
                                   points().labels()[i], 1.0, ignored.data());
    }
    return sum / samples + value_of<StudentModel::widths[StudentLayer + 1], TeacherModel::widths[TeacherLayer + 1]>(
                               term, outputs_of<StudentLayer>(changed), outputs_of<TeacherLayer>(teacher));
  };
  const internal::EpochResult result = epoch_trainer.train_epoch(epoch, [](std::size_t, const backend::LossSum&) {});
  CHECK_THAT(result.sum.loss / samples, WithinRel(loss_at(before), 1e-11));
  std::vector<double> gradient = parameters_of(epoch_trainer.state());
  std::ranges::transform(before, gradient, gradient.begin(), std::minus<>{});
  CHECK(test::worst_gradient_difference(loss_at, before, gradient, 1e-4).relative_error < 1e-6);
}

TEST_CASE("A step with a term on batches follows the gradient of loss and term", "[train]") {
  check_step<1, 3>(SimilarityPreserving<1, 3>{.weight = 30});
  check_step<0, 2>(Relational<0, 2>{});  // a Linear with a chain behind it
  check_step<1, 1>(ActivationProfile<1, 1>{.weight = 10});
  check_step<2, 4>(Dist{.temperature = 2});
}

template <typename Term, typename Backend = backend::Eigen>
AlignedBuffer<float> trained(const Term& term, const FitOptions& options, const Backend& backend = Backend{},
                             const data::Dataset& data = points()) {
  const Network<TeacherModel, Backend> teacher{Seed{3}, backend};
  Network<StudentModel, Backend> student{Seed{1}, backend};
  DistillationTrainer{teacher, student, WithTerm{CrossEntropy{}, term}, Adam{.learning_rate = 1e-2}}.fit(data, options);
  return student.copy_parameters();
}

template <typename Function>
void for_every_term(const Function& function) {
  function(SimilarityPreserving<1, 3>{});
  function(Relational<1, 3>{});
  function(ActivationProfile<1, 3>{});
  function(Dist{});
}

TEST_CASE("Terms on batches train to the same bits on any number of threads, and in memory that is not the host's",
          "[train]") {
  const FitOptions options{.epochs = 2, .batch_size = 8, .clipping = GradientClipping{.max_norm = 1}};
  for_every_term([&](const auto& term) {
    CAPTURE(describe_settings(term));
    const auto alone = trained(term, options);
    CHECK(same_bits(trained(term, options, backend::Eigen{3}).span(), alone.span()));
    CHECK(same_bits(trained(term, options, test::SeparateMemory{}).span(), alone.span()));
  });
}

TEST_CASE("A term's memory is taken before the first step", "[train]") {
  const auto allocations = [](std::size_t epochs) {
    const test::SeparateMemory backend;
    trained(Relational<1, 3>{}, {.epochs = epochs, .batch_size = 8}, backend);
    return backend.allocations();
  };
  CHECK(allocations(4) == allocations(1));
}

TEST_CASE("With weight 0 a term on batches changes no bit of the student", "[train]") {
  const FitOptions options{.epochs = 2, .batch_size = 8};
  const auto plain = trained(Hint<1, 3>{.weight = 0}, options);
  CHECK(same_bits(trained(SimilarityPreserving<1, 3>{.weight = 0}, options).span(), plain.span()));
  CHECK(same_bits(trained(Relational<1, 3>{.distance_weight = 0, .angle_weight = 0}, options).span(), plain.span()));
  CHECK(same_bits(trained(Dist{.beta = 0, .gamma = 0}, options).span(), plain.span()));
}

TEST_CASE("Terms on batches are learned from cached answers, from augmented inputs and from samples without labels",
          "[train]") {
  const data::Dataset images = test::noise_images(60, {2, 3}, 3, 1);
  const auto check = [](const auto& term, const data::Dataset& data, std::size_t shift) {
    CAPTURE(describe_settings(term), shift);
    const Network<TeacherModel> teacher{Seed{3}};
    Network<StudentModel> student{Seed{1}};
    DistillationTrainer trainer{teacher, student, WithTerm{CrossEntropy{}, term}, Adam{.learning_rate = 1e-2}};
    const History history = trainer.fit(data, {.epochs = 12, .batch_size = 20, .augmentation = {.shift = shift}});
    CHECK(history.back().loss < 0.8 * history.front().loss);
  };
  for_every_term([&](const auto& term) { check(term, images.without_labels(), 0); });
  check(SimilarityPreserving<1, 3>{}, images, 1);
  check(Dist{.beta = 10, .gamma = 10}, images, 1);
}

TEST_CASE("A training with a term on batches that was interrupted goes on to the same bits", "[train]") {
  const test::TemporaryFolder folder;
  const auto train = [&](std::size_t epochs, const std::string& checkpoint) {
    return trained(Relational<1, 3>{}, {.epochs = epochs,
                                        .batch_size = 8,
                                        .checkpoint = CheckpointOptions{.path = folder / checkpoint, .resume = true}});
  };
  const auto whole = train(4, "whole");
  train(2, "parts");
  CHECK(same_bits(train(4, "parts").span(), whole.span()));
}

TEST_CASE("Dist learns from a table of logits, and in a sweep, as from the network", "[train]") {
  const FitOptions options{.epochs = 2, .batch_size = 8, .seed = Seed{5}};
  const Network<TeacherModel> teacher{Seed{3}};
  const WithTerm loss{CrossEntropy{}, Dist{}};
  Network<StudentModel> by_network{Seed{1}};
  DistillationTrainer{teacher, by_network, loss, Adam{}}.fit(points(), options);

  data::Matrix<float> logits(samples, 3);
  std::ranges::copy(predict_all(teacher, points()), logits.values().begin());  // as a training asks its teacher
  Network<StudentModel> by_table{Seed{1}};
  DistillationTrainer{data::TeacherLogitsTable(std::move(logits), points()), by_table, loss, Adam{}}.fit(points(),
                                                                                                         options);
  CHECK(same_bits(by_table.parameter_arena(), by_network.parameter_arena()));

  using Loss = WithTerm<CrossEntropy, Dist>;
  const std::vector<SweepSetting<Loss>> settings(2, {.loss = loss, .optimizer = Adam{}, .seed = Seed{5}});
  const auto results = Sweep<StudentModel, backend::Eigen, Loss>{teacher, settings, backend::Eigen{2}}.fit(
      points(), {.epochs = 2, .batch_size = 8});
  Network<StudentModel> alone{settings.front().weights_seed()};
  DistillationTrainer{teacher, alone, loss, Adam{}}.fit(points(), options);
  CHECK(same_bits(results.back().network.parameter_arena(), alone.parameter_arena()));
}

TEST_CASE("Terms refuse batches in which they have nothing to compare", "[train]") {
  const auto refusal_by = [](const auto& term, const data::Dataset& data, const FitOptions& options) -> std::string {
    try {
      trained(term, options, backend::Eigen{}, data);
      return "";
    } catch (const OptionError& error) {
      return error.what();
    }
  };
  const auto refusal = [&](const data::Dataset& data, const FitOptions& options) {
    return refusal_by(Dist{}, data, options);
  };
  CHECK(refusal(points(), {.epochs = 1, .batch_size = 11}) ==
        "fit: batch_size is 11 and leaves a last batch of 1 of 12 samples, expected at least 2 for the loss's term "
        "Dist");
  CHECK(refusal(points(), {.epochs = 1, .batch_size = 1, .drop_last = true}).find("expected at least 2") !=
        std::string::npos);
  CHECK(refusal(points(), {.epochs = 1, .batch_size = 11, .drop_last = true}).empty());
  CHECK(refusal(test::clouds(1, 6, 3, 1), {.epochs = 1, .batch_size = 8}) ==
        "fit: the only batch has 1 samples, expected at least 2 for the loss's term Dist");
  CHECK(refusal_by(SimilarityPreserving<1, 3>{}, points(), {.epochs = 1, .batch_size = 1}) ==
        "fit: batch_size is 1, expected at least 2 for the loss's term SimilarityPreserving");
  CHECK(refusal_by(SimilarityPreserving<1, 3>{}, points(), {.epochs = 1, .batch_size = 2}).empty());
  CHECK(refusal_by(Relational<1, 3>{}, points(), {.epochs = 1, .batch_size = 5}) ==
        "fit: batch_size is 5 and leaves a last batch of 2 of 12 samples, expected at least 3 for the loss's term "
        "Relational");
  CHECK(refusal_by(Relational<1, 3>{}, points(), {.epochs = 1, .batch_size = 3}).empty());
}

TEST_CASE("A trainer says why no faster engine takes a term on batches", "[train]") {
  const Network<TeacherModel> teacher{Seed{3}};
  Network<StudentModel> student{Seed{1}};
  for_every_term([&](const auto& term) {
    CHECK(DistillationTrainer{teacher, student, WithTerm{CrossEntropy{}, term}, Adam{}}.describe() ==
          "single operations in float, not panels: the loss has a term on whole batches");
  });
}

/// Hinton's loss, with a weight that falls from 4 to 1 in `epochs` epochs.
struct FallingHinton {
  static constexpr std::string_view name = "FallingHinton";
  static constexpr bool needs_teacher = true;

  double weight = 4.0;
  std::size_t epochs = 2;
  HintonLoss loss{.temperature = 3.0};

  void validate() const { validate_in<float>(loss); }
  std::string describe() const { return concatenate({name, "(epochs=", epochs, ", ", describe_settings(loss), ")"}); }

  FallingHinton at_epoch(std::size_t epoch) const {
    FallingHinton fallen = *this;
    fallen.weight = std::max(1.0, 4.0 - 3.0 * static_cast<double>(epoch) / static_cast<double>(epochs - 1));
    return fallen;
  }

  template <std::size_t Classes, typename Scalar>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, std::uint32_t label,
                                Scalar gradient_scale, Scalar* gradient) const {
    const auto factor = static_cast<Scalar>(weight);
    return factor * loss.row<Classes>(student, teacher, label, factor * gradient_scale, gradient);
  }
};

TEST_CASE("Hints come first, then a loss whose weight falls from 4 to 1: FitNets in two stages", "[train]") {
  const Network<TeacherModel> teacher{Seed{3}};
  Network<StudentModel> student{Seed{1}};
  const Network<StudentModel> before = student;

  // Up to the hinted layer: nothing behind it learns.
  DistillationTrainer first{teacher, student, WithTerm{0.0 * CrossEntropy{}, Hint<1, 3>{}},
                            Adam{.learning_rate = 1e-2}};
  const History hinted = first.fit(points(), {.epochs = 20, .batch_size = 8});
  CHECK(hinted.back().loss < 0.7 * hinted.front().loss);
  const auto layer = [](const Network<StudentModel>& network, std::size_t index) {
    const auto arena = network.parameter_arena();
    const std::size_t offset = StudentModel::parameter_offset(index);
    return arena.subspan(offset, StudentModel::parameter_offset(index + 1) - offset);
  };
  CHECK(same_bits(layer(student, 2), layer(before, 2)));
  CHECK_FALSE(same_bits(layer(student, 0), layer(before, 0)));

  // Then all of it.
  constexpr std::size_t epochs = 7;
  const FallingHinton loss{.epochs = epochs};
  CHECK(loss_at_epoch(loss, 0).weight == 4.0);
  CHECK(loss_at_epoch(loss, 3).weight == 2.5);
  CHECK(loss_at_epoch(loss, epochs - 1).weight == 1.0);
  DistillationTrainer second{teacher, student, loss, Adam{.learning_rate = 1e-2}};
  const History learned = second.fit(points(), {.epochs = epochs, .batch_size = 8});
  CHECK(learned.back().loss < learned.front().loss / 4);
}

}  // namespace

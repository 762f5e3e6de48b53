// SPDX-License-Identifier: MIT
#include "retort/train/distillation_trainer.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "by_operations.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/data/split.hpp"
#include "retort/data/teacher_logits_table.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/dkd.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/weighted_sum.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/tabulate_logits.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"
#include "train/recorder.hpp"

namespace {

using namespace retort;
using retort::test::clouds;
using retort::test::same_bits;
using retort::test::same_results;

/// It answers a dataset and a gathered batch by the same operations.
using TeacherModel =
    test::ByOperations<Shape<1, 5, 6>, Linear<30, 24>, BatchNorm<24>, Dropout<0.5>, ReLU, Linear<24, 4>>;
using StudentModel = Sequential<Linear<30, 8>, Dropout<0.1>, ReLU, Linear<8, 4>>;
using TeacherNetwork = Network<TeacherModel>;
using Student = Network<StudentModel>;

const HintonLoss hinton{.temperature = 3, .hard_weight = 0.25};

const data::Dataset& images() {
  static const data::Dataset data = test::noise_images(75, {5, 6}, 4, 1);
  return data;
}

/// With running statistics that are not those of a fresh network.
TeacherNetwork trained_teacher() {
  TeacherNetwork teacher{Seed{3}};
  Trainer trainer{teacher, CrossEntropy{}, Adam{.learning_rate = 1e-2}};
  trainer.fit(images(), {.epochs = 3, .batch_size = 25});
  return teacher;
}

TEST_CASE("Distilling changes no byte of the teacher", "[train]") {
  TeacherNetwork teacher = trained_teacher();
  const TeacherNetwork before = teacher;
  for (const std::size_t pixels : {0u, 1u}) {
    Student student{Seed{1}};
    const Student fresh = student;
    DistillationTrainer distiller{teacher, student, hinton, Adam{}};
    distiller.fit(images(), {.epochs = 2, .batch_size = 16, .augmentation = {.shift = pixels}});
    CHECK(same_bits(teacher.parameter_arena(), before.parameter_arena()));
    CHECK(same_bits(teacher.buffer_arena(), before.buffer_arena()));
    CHECK_FALSE(same_bits(student.parameter_arena(), fresh.parameter_arena()));
  }
}

TEST_CASE("Validation changes no bit of what is distilled", "[train]") {
  const TeacherNetwork teacher = trained_teacher();
  for (const std::size_t pixels : {0u, 1u}) {
    const FitOptions options{.epochs = 3, .batch_size = 16, .augmentation = {.shift = pixels}};
    Student alone{Seed{1}};
    Student validated{Seed{1}};
    DistillationTrainer{teacher, alone, hinton, Adam{}}.fit(images(), options);
    DistillationTrainer distiller{teacher, validated, hinton, Adam{}};
    const History history = distiller.fit(images(), test::noise_images(20, {5, 6}, 4, 2), options);
    REQUIRE(history.back().validation);
    CHECK(same_bits(validated.parameter_arena(), alone.parameter_arena()));
  }
}

TEST_CASE("With hard weight 1 distilling is training on labels, bit for bit", "[train]") {
  const TeacherNetwork teacher = trained_teacher();
  for (const std::size_t pixels : {0u, 1u}) {
    const FitOptions options{.epochs = 3, .batch_size = 16, .seed = Seed{4}, .augmentation = {.shift = pixels}};
    Student distilled{Seed{1}};
    DistillationTrainer distiller{teacher, distilled, HintonLoss{.temperature = 5, .hard_weight = 1}, Adam{}};
    const auto history = distiller.fit(images(), options);
    Student trained{Seed{1}};
    Trainer trainer{trained, CrossEntropy{}, Adam{}};
    CHECK(same_results(history, trainer.fit(images(), options)));
    CHECK(same_bits(distilled.parameter_arena(), trained.parameter_arena()));
  }
}

/// Hinton's loss whose hard term is removed by hand from the samples of class 3.
struct HardTermRemoved {
  static constexpr std::string_view name = "HardTermRemoved";
  static constexpr bool needs_teacher = true;
  void validate() const {}
  std::string describe() const { return std::string(name); }
  template <std::size_t Classes, typename Scalar>
  Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, std::uint32_t label, Scalar gradient_scale,
             Scalar* gradient) const {
    const HintonLoss soft{.temperature = hinton.temperature, .hard_weight = 0};
    return label == 3 ? (0.75 * soft).template row<Classes>(student, teacher, label, gradient_scale, gradient)
                      : hinton.template row<Classes>(student, teacher, label, gradient_scale, gradient);
  }
};

data::Dataset without_labels_of_class_3(const data::Dataset& data) {
  data::Labels labels = data.labels();
  std::ranges::replace(labels, 3u, data::unlabelled);
  return {data.features(), labels, data.classes(), data.image(), data.normalization()};
}

TEST_CASE("Without labels distilling is distilling without a hard term, bit for bit", "[train]") {
  const TeacherNetwork teacher = trained_teacher();
  const data::Dataset unlabelled{images().features(), images().image(), images().normalization()};
  for (const std::size_t pixels : {0u, 1u}) {
    const FitOptions options{.epochs = 3, .batch_size = 16, .seed = Seed{4}, .augmentation = {.shift = pixels}};
    const auto distil = [&](const auto& loss, const data::Dataset& data, History& history) {
      Student student{Seed{1}};
      DistillationTrainer distiller{teacher, student, loss, Adam{}};
      history = distiller.fit(data, options);
      return student;
    };
    const HintonLoss soft{.temperature = 4, .hard_weight = 0};
    History expected;
    History found;
    const Student on_labels = distil(soft, images(), expected);
    CHECK(same_bits(distil(soft, unlabelled, found).parameter_arena(), on_labels.parameter_arena()));
    CHECK(found.back().loss == expected.back().loss);
    CHECK(expected.back().errors);
    CHECK_FALSE(found.back().errors);
    CHECK_FALSE(found.back().accuracy);
    // The soft term keeps its weight.
    const Student weighted = distil(0.75 * soft, images(), expected);
    const HintonLoss mixed{.temperature = 4, .hard_weight = 0.25};
    CHECK(same_bits(distil(mixed, unlabelled, found).parameter_arena(), weighted.parameter_arena()));
    CHECK(found.back().loss == expected.back().loss);
  }
}

TEST_CASE("A sample without a label has no hard term and counts in no metric", "[train]") {
  using Model = Sequential<Linear<30, 4>>;
  const TeacherNetwork teacher = trained_teacher();
  const data::Dataset partly = without_labels_of_class_3(images());
  const FitOptions options{.epochs = 2, .batch_size = 16, .seed = Seed{4}};
  const auto distil = [&](const auto& loss, const data::Dataset& data, History& history) {
    Network<Model> student{Seed{1}};
    DistillationTrainer distiller{teacher, student, loss, Adam{.learning_rate = 1e-2}};
    history = distiller.fit(data, partly, options);
    return student;
  };
  History expected;
  History found;
  const Network<Model> by_hand = distil(HardTermRemoved{}, images(), expected);
  const Network<Model> student = distil(hinton, partly, found);
  CHECK(test::largest_difference(student.parameter_arena(), by_hand.parameter_arena()) < 1e-6);
  CHECK_THAT(found.back().loss, WithinRel(expected.back().loss, 1e-5));

  const Evaluation of_labelled = evaluate(student, data::labelled_part(partly));
  REQUIRE(found.back().validation);
  CHECK(found.back().validation->errors == of_labelled.errors);
  CHECK(found.back().validation->accuracy == of_labelled.accuracy);
  CHECK_THAT(found.back().validation->loss, WithinRel(of_labelled.loss, 1e-12));

  // In training too, whichever samples are dropped.
  data::Labels labels = images().labels();
  std::fill(labels.begin() + 40, labels.end(), data::unlabelled);
  const data::Dataset first_labelled{images().features(), labels, 4, images().image(), images().normalization()};
  for (const bool shuffle : {false, true}) {
    Network<Model> fixed{Seed{1}};
    DistillationTrainer distiller{teacher, fixed, hinton, Sgd{.learning_rate = 0}};
    const History history =
        distiller.fit(first_labelled, {.batch_size = 16, .drop_last = true, .seed = Seed{4}, .shuffle = shuffle});
    std::vector<std::uint32_t> order(75);
    std::iota(order.begin(), order.end(), 0u);
    if (shuffle) {
      random_permutation(order, RandomStream{Seed{4}, Stream::shuffle, 0});
    }
    order.resize(64);
    const Evaluation of_trained = evaluate(fixed, first_labelled.subset(order));
    CHECK(history[0].errors == of_trained.errors);
    REQUIRE(history[0].accuracy);
    CHECK_THAT(*history[0].accuracy, WithinAbs(of_trained.accuracy, 1e-12));
  }
}

TEST_CASE("Samples without labels are refused where nothing is learned from them, before the first step", "[train]") {
  const TeacherNetwork teacher = trained_teacher();
  const data::Dataset partly = without_labels_of_class_3(images());
  const std::size_t missing = partly.size() - partly.labelled_count();
  REQUIRE(missing > 0);
  const std::string expected = concatenate({"fit: ", missing, " of 75 training samples have no label, and the loss "});
  const std::string rest = " does not learn from these, expected labels (data::labelled_part has the others)";
  Student student{Seed{1}};
  const Student fresh = student;
  Trainer trainer{student, CrossEntropy{}, Adam{}};
  CHECK_THROWS_WITH(trainer.fit(partly, {}), expected + "CrossEntropy(label_smoothing=0)" + rest);
  DistillationTrainer ranked{teacher, student, 0.5 * hinton + Dkd{}, Adam{}};
  CHECK_THROWS_WITH(ranked.fit(partly, {}), Catch::Matchers::StartsWith(expected + "0.5 * HintonLoss(temperature=3") &&
                                                Catch::Matchers::EndsWith(rest));
  DistillationTrainer hard{teacher, student, HintonLoss{.hard_weight = 1}, Adam{}};
  CHECK_THROWS_AS(hard.fit(partly, {}), OptionError);
  CHECK_THROWS_AS((Sweep<StudentModel>{teacher, {{.loss = {.hard_weight = 1}}}, backend::Eigen{}}.fit(partly)),
                  OptionError);

  // Held-out samples without any label would report no errors, and early stopping would look at nothing.
  DistillationTrainer distiller{teacher, student, hinton, Adam{}};
  CHECK_THROWS_WITH(distiller.fit(partly, partly.without_labels(), {.early_stopping = EarlyStopping{}}),
                    "fit: none of the 75 samples to be evaluated has a label, expected at least one that has");
  CHECK_THROWS_AS(distiller.fit(partly.without_labels(), {.validation_fraction = 0.2}), OptionError);
  CHECK_THROWS_WITH(evaluate(student, partly.without_labels()),
                    "evaluate: none of the 75 samples to be evaluated has a label, expected at least one that has");
  CHECK(same_bits(student.parameter_arena(), fresh.parameter_arena()));
}

/// The mean loss over a dataset of a student that does not learn.
double expected_loss(const TeacherNetwork& teacher, const Network<Sequential<Linear<30, 4>>>& student,
                     const data::View& view, const auto& loss) {
  const std::size_t size = images().size();
  std::vector<std::uint32_t> indices(size);
  std::iota(indices.begin(), indices.end(), 0u);
  std::vector<float> inputs(size * 30);
  gather_batch(backend::Eigen{}, images().view(), indices.data(), size, view, inputs.data());
  std::vector<float> teacher_logits(size * 4);
  std::vector<float> student_logits(size * 4);
  std::vector<float> gradient(4);
  teacher.predict(inputs, teacher_logits);
  student.predict(inputs, student_logits);
  double sum = 0.0;
  for (std::size_t i = 0; i < size; ++i) {
    sum += static_cast<double>(loss.template row<4>(StudentLogits<float>{student_logits.data() + 4 * i},
                                                    TeacherLogits<float>{teacher_logits.data() + 4 * i},
                                                    images().view().labels[i], 1.0f, gradient.data()));
  }
  return sum / static_cast<double>(size);
}

TEST_CASE("The student sees the teacher's answer to the sample it sees, cached or computed, shuffled or not",
          "[train]") {
  const TeacherNetwork teacher = trained_teacher();
  for (const std::size_t pixels : {0u, 2u}) {
    for (const bool shuffle : {false, true}) {
      CAPTURE(pixels, shuffle);
      Network<Sequential<Linear<30, 4>>> student{Seed{1}};
      DistillationTrainer distiller{teacher, student, hinton, Sgd{.learning_rate = 0}};
      const auto history = distiller.fit(
          images(),
          {.epochs = 1, .batch_size = 16, .seed = Seed{6}, .shuffle = shuffle, .augmentation = {.shift = pixels}});
      CHECK_THAT(history[0].loss, WithinRel(expected_loss(teacher, student, {{pixels}, Seed{6}, 0}, hinton), 1e-5));
    }
  }
}

TEST_CASE("Views that come again are those of their own seed, and the teacher's answers belong to them", "[train]") {
  const TeacherNetwork teacher = trained_teacher();
  Network<Sequential<Linear<30, 4>>> student{Seed{1}};
  DistillationTrainer distiller{teacher, student, hinton, Sgd{.learning_rate = 0}};
  const auto history = distiller.fit(images(), {.epochs = 5,
                                                .batch_size = 16,
                                                .seed = Seed{6},
                                                .augmentation = {.shift = 2},
                                                .views = {.count = 2, .seed = Seed{9}}});
  for (std::size_t epoch = 0; epoch < history.size(); ++epoch) {
    CAPTURE(epoch);
    const auto view = static_cast<std::uint32_t>(epoch % 2);
    CHECK_THAT(history[epoch].loss, WithinRel(expected_loss(teacher, student, {{2}, Seed{9}, view}, hinton), 1e-5));
  }
  CHECK(std::abs(history[0].loss - history[1].loss) > 1e-3);
}

TEST_CASE("A student learns the same from answers that are kept as from a teacher that is asked", "[train]") {
  const TeacherNetwork teacher = trained_teacher();
  const auto distil = [&](std::size_t views) {
    Student student{Seed{1}};
    DistillationTrainer distiller{teacher, student, hinton, Adam{}};
    distiller.fit(
        images(),
        {.epochs = 4, .batch_size = 16, .seed = Seed{6}, .augmentation = {.shift = 1}, .views = {views, Seed{6}}});
    return student;
  };
  // As many views as epochs: none comes again.
  CHECK(test::largest_difference(distil(4).parameter_arena(), distil(0).parameter_arena()) < 1e-6);
  CHECK(test::largest_difference(distil(3).parameter_arena(), distil(0).parameter_arena()) > 1e-4);
}

TEST_CASE("Mixtures are answered by the teacher, and have no label", "[train]") {
  const TeacherNetwork teacher = trained_teacher();
  const data::Dataset unlabelled = images().without_labels();
  const data::Augmentation mixed{.shift = 1, .mix = 1};
  const auto soft = 0.75 * HintonLoss{.temperature = hinton.temperature, .hard_weight = 0};
  Network<Sequential<Linear<30, 4>>> student{Seed{1}};
  for (const std::size_t views : {0u, 2u}) {
    DistillationTrainer distiller{teacher, student, hinton, Sgd{.learning_rate = 0}};
    const History history = distiller.fit(
        unlabelled, {.epochs = 2, .batch_size = 16, .seed = Seed{6}, .augmentation = mixed, .views = {views, Seed{6}}});
    for (std::uint32_t epoch = 0; epoch < 2; ++epoch) {
      CHECK_THAT(history[epoch].loss, WithinRel(expected_loss(teacher, student, {mixed, Seed{6}, epoch}, soft), 1e-5));
      CHECK_FALSE(history[epoch].errors);
    }
  }

  DistillationTrainer distiller{teacher, student, hinton, Adam{}};
  CHECK_THROWS_WITH(distiller.fit(images(), {.augmentation = mixed}),
                    "augmentation: mix is 1, expected 0 for samples with labels or targets, as a mixture has neither "
                    "(Dataset::without_labels)");
  CHECK_THROWS_AS((Sweep<StudentModel>{teacher, {{.loss = hinton}}, backend::Eigen{}}.fit(
                      images(), SweepOptions{.augmentation = {.mix = 0.1}})),
                  OptionError);
  Trainer trainer{student, CrossEntropy{}, Adam{}};
  CHECK_THROWS_AS(trainer.fit(images(), {.augmentation = {.mix = 0.1}}), OptionError);
  CHECK_THROWS_AS(trainer.fit(unlabelled, {.augmentation = {.mix = 0.1}}), OptionError);
}

TEST_CASE("Views without an augmentation are refused", "[train]") {
  const TeacherNetwork teacher = trained_teacher();
  Student student{Seed{1}};
  DistillationTrainer distiller{teacher, student, hinton, Adam{}};
  CHECK_THROWS_WITH(distiller.fit(images(), {.views = {.count = 2}}),
                    "fit: views.count is 2, expected 0, or a number below 2^32 beside an augmentation");
}

TEST_CASE("A table of a network's logits teaches what the network teaches, bit for bit", "[train]") {
  const TeacherNetwork teacher = trained_teacher();
  for (const std::size_t views : {0u, 2u}) {
    CAPTURE(views);
    const FitOptions options{.epochs = 3,
                             .batch_size = 16,
                             .seed = Seed{6},
                             .augmentation = {.shift = views == 0 ? 0u : 1u},
                             .views = {.count = views, .seed = Seed{9}}};
    Student by_network{Seed{1}};
    DistillationTrainer from_network{teacher, by_network, hinton, Adam{}};
    const History expected = from_network.fit(images(), options);
    Student by_table{Seed{1}};
    DistillationTrainer from_table{tabulate_logits(teacher, images(), options.augmentation, options.views), by_table,
                                   hinton, Adam{}};
    CHECK(same_results(from_table.fit(images(), options), expected));
    CHECK(same_bits(by_table.parameter_arena(), by_network.parameter_arena()));
  }
}

TEST_CASE("A table that cannot answer a training is refused before the first step", "[train]") {
  Student student{Seed{1}};
  const Student fresh = student;
  DistillationTrainer distiller{tabulate_logits(trained_teacher(), images()), student, hinton, Adam{}};
  CHECK_THAT(distiller.describe(),
             Catch::Matchers::EndsWith("; the teacher is teacher logits, with a fingerprint of its inputs"));
  CHECK_THROWS_WITH(
      distiller.fit(images(), {.augmentation = {.shift = 1}}),
      "teacher logits: views.count is 0, new views in every epoch, expected 1, those that the table answers");
  CHECK_THROWS_WITH(distiller.fit(images(), {.augmentation = {.shift = 1}, .views = {.count = 2}}),
                    "teacher logits: logits of 1 x 75 x 4, expected 2 x 75 x 4: views, training samples, classes");
  CHECK_THROWS_AS(distiller.fit(images(), {.validation_fraction = 0.2}), ShapeError);
  CHECK_THROWS_AS(distiller.fit(test::noise_images(75, {5, 6}, 4, 2), {}), OptionError);
  CHECK(same_bits(student.parameter_arena(), fresh.parameter_arena()));
}

TEST_CASE("The teacher's own weights are a student's minimum", "[train]") {
  // A student equal to the teacher has no soft loss and no gradient. Plain steps leave it where it is.
  using Same = Sequential<Linear<30, 8>, ReLU, Linear<8, 4>>;
  const Network<Same> teacher{Seed{1}};
  Network<Same> student = teacher;
  DistillationTrainer distiller{teacher, student, HintonLoss{.temperature = 2, .hard_weight = 0}, Sgd{}};
  const auto history = distiller.fit(images(), {.epochs = 2, .batch_size = 16});
  CHECK(std::abs(history[1].loss) < 1e-6);
  CHECK(test::largest_difference(student.parameter_arena(), teacher.parameter_arena()) < 1e-5);
}

TEST_CASE("A student learns from the teacher's logits alone", "[train]") {
  const auto data = clouds(400, 30, 4, 1);
  TeacherNetwork teacher{Seed{3}};
  Trainer trainer{teacher, CrossEntropy{}, Adam{}};
  trainer.fit(data, {.epochs = 5, .batch_size = 20});

  // Every label is wrong, and none is read.
  std::vector<float> features(data.view().reals, data.view().reals + 400 * 30);
  std::vector<std::uint32_t> wrong(400);
  for (std::size_t i = 0; i < 400; ++i) {
    wrong[i] = (data.view().labels[i] + 1) % 4;
  }
  Student student{Seed{1}};
  DistillationTrainer distiller{teacher, student, HintonLoss{.temperature = 2, .hard_weight = 0}, Adam{}};
  distiller.fit(test::make_dataset(features, wrong, 4), {.epochs = 15, .batch_size = 20});
  CHECK(evaluate(student, clouds(200, 30, 4, 2)).accuracy > 0.97);
}

TEST_CASE("Data that does not fit, and hyperparameters out of range, are refused", "[train]") {
  const TeacherNetwork teacher{Seed{3}};
  Student student{Seed{1}};
  CHECK_THROWS_AS((DistillationTrainer{teacher, student, HintonLoss{.temperature = 0}, Adam{}}), OptionError);
  DistillationTrainer distiller{teacher, student, hinton, Adam{}};
  CHECK_THROWS_AS(distiller.fit(clouds(20, 29, 4, 1), {.epochs = 1}), ShapeError);
}

}  // namespace

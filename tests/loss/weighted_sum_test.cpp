// SPDX-License-Identifier: MIT
// Losses made of losses, and losses that change from epoch to epoch.

#include "retort/loss/weighted_sum.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "loss/loss_laws.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/vector_archetype.hpp"
#include "retort/loss/at_epoch.hpp"
#include "retort/loss/class_weighted.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/curriculum_temperature.hpp"
#include "retort/loss/dkd.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/hint.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/loss_after.hpp"
#include "retort/loss/mean_squared_error.hpp"
#include "retort/loss/one_of_losses.hpp"
#include "retort/loss/rld.hpp"
#include "retort/loss/standardized_logits.hpp"
#include "retort/loss/swapped_logits.hpp"
#include "retort/loss/towards_teacher.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/train/checkpoint.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"

/// Types of another library, which have operators of their own.
namespace elsewhere {

struct Number {
  int value;
};
template <typename T>
int operator*(double, const T&) {
  return 7;
}

/// A loss that takes scalars alone, as a user may write it.
struct Constant {
  static constexpr std::string_view name = "Constant";
  static constexpr bool needs_teacher = false;
  void validate() const {}
  std::string describe() const { return "Constant()"; }
  template <std::size_t Classes, typename Scalar>
  Scalar row(retort::StudentLogits<Scalar>, retort::TeacherLogits<Scalar>, std::uint32_t, Scalar,
             Scalar* gradient) const {
    for (std::size_t k = 0; k < Classes; ++k) {
      gradient[k] = 0;
    }
    return 2;
  }
};

}  // namespace elsewhere

namespace {

using namespace retort;
using test::evaluate;
using test::random_row;

template <typename A, typename B>
concept Multiplied = requires(A a, B b) { a* b; };
template <typename A, typename B>
concept Added = requires(A a, B b) { a + b; };

static_assert(Multiplied<double, CrossEntropy> && Multiplied<int, HintonLoss> && Added<CrossEntropy, HintonLoss>);
static_assert(!Multiplied<CrossEntropy, CrossEntropy> && !Multiplied<double, Adam> && !Multiplied<double, Hint<0, 0>>);
static_assert(!Added<CrossEntropy, double> && !Added<CrossEntropy, Adam> && !Added<Adam, Sgd>);
static_assert(std::is_same_v<decltype(0.5 * elsewhere::Number{}), int>);

using Sum = SumOfLosses<WeightedLoss<CrossEntropy>, WeightedLoss<HintonLoss>>;
static_assert(std::is_same_v<decltype(0.3 * CrossEntropy{} + 0.7 * HintonLoss{}), Sum>);
static_assert(Loss<Sum> && Sum::needs_teacher && takes_vectors<Sum> && check_vectors_of_loss<Sum, 10>());
static_assert(std::is_trivially_copyable_v<Sum>);  // it goes to a device as bytes
static_assert(!decltype(CrossEntropy{} + 0.5 * CrossEntropy{})::needs_teacher);
static_assert(decltype(HintonLoss{} + CrossEntropy{})::needs_teacher);

using OfScalars = SumOfLosses<CrossEntropy, elsewhere::Constant>;
static_assert(!takes_vectors<OfScalars> && !takes_vectors<WeightedLoss<elsewhere::Constant>>);

TEST_CASE("A weighted sum obeys the laws of losses", "[loss]") {
  const auto sum = 0.3 * CrossEntropy{} + 0.7 * HintonLoss{.temperature = 2, .hard_weight = 0};
  test::check_loss_laws<3>(sum);
  test::check_loss_laws<10>(sum);
  test::check_loss_is_finite_at_extreme_logits(sum);
  test::check_loss_passes_nan_on(sum);
  test::check_loss_in_float(sum);
}

TEST_CASE("A weighted sum adds values and gradients", "[loss]") {
  const HintonLoss soft{.temperature = 2, .hard_weight = 0};
  const CrossEntropy smooth{.label_smoothing = 0.1};
  const auto sum = 2 * (0.3 * smooth + 0.5 * soft) + Dkd{};
  for (std::uint32_t index = 0; index < 20; ++index) {
    const auto row = random_row<10>(index);
    const auto found = evaluate<10>(sum, row, 0.25);
    const auto first = evaluate<10>(smooth, row, 0.25);
    const auto second = evaluate<10>(soft, row, 0.25);
    const auto third = evaluate<10>(Dkd{}, row, 0.25);
    CHECK_THAT(found.loss, WithinRel(0.6 * first.loss + second.loss + third.loss, 1e-14));
    for (std::size_t k = 0; k < 10; ++k) {
      CHECK_THAT(found.gradient[k], WithinAbs(0.6 * first.gradient[k] + second.gradient[k] + third.gradient[k], 1e-14));
    }
    // Hinton's loss is the sum of its parts.
    const auto parts = evaluate<10>(0.3 * CrossEntropy{} + 0.7 * soft, row);
    const auto whole = evaluate<10>(HintonLoss{.temperature = 2, .hard_weight = 0.3}, row);
    CHECK_THAT(parts.loss, WithinRel(whole.loss, 1e-14));
    CHECK(test::largest_difference(parts.gradient, whole.gradient) < 1e-15);
  }
}

TEST_CASE("A loss from elsewhere is weighted by the name of the type", "[loss]") {
  const auto sum = WeightedLoss{0.5, elsewhere::Constant{}} + CrossEntropy{};
  const auto row = random_row<3>(1);
  CHECK(evaluate<3>(sum, row).loss == 1 + evaluate<3>(CrossEntropy{}, row).loss);
}

TEST_CASE("A weighted sum describes itself as it is written", "[loss]") {
  const CrossEntropy hard;
  const HintonLoss soft{.temperature = 2, .hard_weight = 0};
  CHECK(describe_settings(0.3 * hard + 0.7 * soft) ==
        "0.3 * CrossEntropy(label_smoothing=0) + 0.7 * HintonLoss(temperature=2, hard_weight=0)");
  CHECK(describe_settings(hard + hard + hard) ==
        "CrossEntropy(label_smoothing=0) + CrossEntropy(label_smoothing=0) + CrossEntropy(label_smoothing=0)");
  CHECK(describe_settings(hard + (hard + hard)) ==
        "CrossEntropy(label_smoothing=0) + (CrossEntropy(label_smoothing=0) + CrossEntropy(label_smoothing=0))");
  CHECK(describe_settings(2 * (hard + hard)) ==
        "2 * (CrossEntropy(label_smoothing=0) + CrossEntropy(label_smoothing=0))");
  CHECK(describe_settings(0.5 * (0.1 * hard)) == "0.5 * 0.1 * CrossEntropy(label_smoothing=0)");
}

TEST_CASE("A weight that is no weight is refused, wherever it stands in a sum", "[loss]") {
  CHECK_NOTHROW(validate_in<float>(0.0 * CrossEntropy{} + 1e9 * HintonLoss{}));
  CHECK_THROWS_WITH(validate_in<float>(HintonLoss{} + -0.3 * CrossEntropy{}),
                    "WeightedLoss: the weight of CrossEntropy is -0.3, expected a finite number of at least 0");
  for (const double wrong : {-1.0, std::nan(""), std::numeric_limits<double>::infinity(), 1e-42}) {
    CHECK_THROWS_AS(validate_in<float>(wrong * CrossEntropy{} + HintonLoss{}), OptionError);
    CHECK_THROWS_AS(validate_in<float>(0.5 * (HintonLoss{} + wrong * CrossEntropy{})), OptionError);
    CHECK_THROWS_AS(validate_in<float>(0.5 * HintonLoss{.temperature = wrong}), OptionError);
  }
  CHECK_NOTHROW(validate_in<double>(1e-42 * CrossEntropy{}));
}

TEST_CASE("Warm-up is a line to the full weights", "[loss]") {
  const Dkd dkd{.alpha = 2, .beta = 8, .warmup_epochs = 4};
  CHECK(dkd.at_epoch(0) == Dkd{.alpha = 0.5, .beta = 2, .warmup_epochs = 4});
  CHECK(dkd.at_epoch(2) == Dkd{.alpha = 1.5, .beta = 6, .warmup_epochs = 4});
  CHECK(dkd.at_epoch(3) == dkd);
  CHECK(dkd.at_epoch(std::numeric_limits<std::size_t>::max()) == dkd);
  CHECK(Dkd{.warmup_epochs = 0}.at_epoch(0) == Dkd{.warmup_epochs = 0});
  CHECK(Rld{.warmup_epochs = 2}.at_epoch(0) == Rld{.alpha = 0.5, .beta = 4, .warmup_epochs = 2});
  CHECK(Rld{.warmup_epochs = 2}.at_epoch(1) == Rld{.warmup_epochs = 2});
  CHECK(loss_at_epoch(HintonLoss{}, 3) == HintonLoss{});
}

TEST_CASE("A curriculum's temperature goes from one to the other, on a line or a cosine", "[loss]") {
  const CurriculumTemperature line{HintonLoss{.temperature = 9, .hard_weight = 0.2}, 1.0, 5.0, 4};
  const auto temperature_of = [](const auto& loss, std::size_t epoch) { return loss.at_epoch(epoch).loss.temperature; };
  CHECK(temperature_of(line, 0) == 1.0);
  CHECK(temperature_of(line, 1) == 2.0);
  CHECK(temperature_of(line, 4) == 5.0);
  CHECK(temperature_of(line, 1000) == 5.0);
  CHECK(line.at_epoch(2).loss.hard_weight == 0.2);
  const CurriculumTemperature cosine{HintonLoss{}, 5.0, 1.0, 4, true};
  CHECK(temperature_of(cosine, 0) == 5.0);
  CHECK_THAT(temperature_of(cosine, 1), WithinRel(3 + std::sqrt(2.0), 1e-14));
  CHECK_THAT(temperature_of(cosine, 2), WithinRel(3.0, 1e-14));
  CHECK(temperature_of(cosine, 4) == 1.0);
  // The warm-up of the loss itself goes on.
  const CurriculumTemperature of_dkd{Dkd{.beta = 8, .warmup_epochs = 4}, 1.0, 5.0, 4};
  CHECK(of_dkd.at_epoch(1).loss == Dkd{.temperature = 2, .alpha = 0.5, .beta = 4, .warmup_epochs = 4});

  const auto row = random_row<10>(2);
  CHECK(evaluate<10>(line.at_epoch(1), row).loss ==
        evaluate<10>(HintonLoss{.temperature = 2, .hard_weight = 0.2}, row).loss);
  CHECK(describe_settings(line) ==
        "CurriculumTemperature(loss=HintonLoss(temperature=9, hard_weight=0.2), from=1, to=5, epochs=4, cosine=false)");
}

TEST_CASE("What a curriculum cannot be is refused", "[loss]") {
  using Curriculum = CurriculumTemperature<HintonLoss>;
  CHECK_NOTHROW(validate_in<float>(Curriculum{}));
  for (const double wrong : {0.0, -1.0, std::nan(""), 1e-25}) {
    CHECK_THROWS_WITH(validate_in<float>(Curriculum{.from = wrong}), Catch::Contains("CurriculumTemperature: from is"));
    CHECK_THROWS_WITH(validate_in<float>(Curriculum{.to = wrong}), Catch::Contains("CurriculumTemperature: to is"));
  }
  CHECK_THROWS_WITH(validate_in<float>(Curriculum{.epochs = 0}), Catch::Contains("epochs is 0"));
  CHECK_THROWS_WITH(validate_in<float>(Curriculum{.loss = {.hard_weight = 2}}), Catch::Contains("hard_weight is 2"));
}

using Later = LossAfter<HintonLoss>;
static_assert(std::is_same_v<decltype(LossAfter{HintonLoss{}, 3}), Later>);
static_assert(Loss<Later> && Later::needs_teacher && takes_vectors<Later> && check_vectors_of_loss<Later, 10>());
static_assert(std::is_trivially_copyable_v<Later>);  // it goes to a device as bytes
static_assert(!LossAfter<CrossEntropy>::needs_teacher && LossAfter<CrossEntropy, HintonLoss>::needs_teacher);
static_assert(!takes_vectors<LossAfter<HintonLoss, elsewhere::Constant>>);

TEST_CASE("A loss after another obeys the laws of losses in the epochs of either", "[loss]") {
  const LossAfter loss{HintonLoss{.temperature = 2}, 2, CrossEntropy{.label_smoothing = 0.1}};
  for (const std::size_t epoch : {0u, 2u}) {
    const auto of_epoch = loss.at_epoch(epoch);
    test::check_loss_laws<3>(of_epoch);
    test::check_loss_laws<10>(of_epoch);
    test::check_loss_is_finite_at_extreme_logits(of_epoch);
    test::check_loss_passes_nan_on(of_epoch);
    test::check_loss_in_float(of_epoch);
  }
}

TEST_CASE("A loss after another is the one until its epochs end, then the other", "[loss]") {
  const CrossEntropy smooth{.label_smoothing = 0.1};
  const Dkd dkd{.beta = 8, .warmup_epochs = 4};
  const LossAfter loss{dkd, 3, smooth};
  auto row = random_row<10>(3);
  const auto check_same = [&](std::size_t epoch, const auto& expected) {
    CAPTURE(epoch);
    CHECK(evaluate<10>(loss.at_epoch(epoch), row, 0.25).loss == evaluate<10>(expected, row, 0.25).loss);
    CHECK(evaluate<10>(loss.at_epoch(epoch), row, 0.25).gradient == evaluate<10>(expected, row, 0.25).gradient);
  };
  check_same(0, smooth);
  check_same(2, smooth);
  // The warm-up begins with its loss.
  check_same(3, dkd.at_epoch(0));
  check_same(5, dkd.at_epoch(2));
  check_same(std::numeric_limits<std::size_t>::max(), dkd);
  CHECK(loss.at_epoch(1) == LossAfter{dkd, 2, smooth});
  const LossAfter of_two{CrossEntropy{}, 3, dkd};
  CHECK(of_two.at_epoch(1) == LossAfter{CrossEntropy{}, 2, dkd.at_epoch(1)});
  CHECK(LossAfter{HintonLoss{}, 0}.at_epoch(0) == LossAfter{HintonLoss{}, 0});

  CHECK(describe_settings(LossAfter{HintonLoss{.temperature = 2}, 5}) ==
        "LossAfter(loss=HintonLoss(temperature=2, hard_weight=0.1), epochs=5, before=CrossEntropy(label_smoothing=0))");
  CHECK_NOTHROW(validate_in<float>(loss));
  CHECK_THROWS_WITH(validate_in<float>(LossAfter{HintonLoss{.hard_weight = 2}, 5}),
                    Catch::Contains("HintonLoss: hard_weight is 2"));
  CHECK_THROWS_WITH(validate_in<float>(LossAfter{HintonLoss{}, 5, CrossEntropy{.label_smoothing = 1}}),
                    Catch::Contains("CrossEntropy: label_smoothing is 1"));
  // Without epochs nothing before them counts.
  CHECK(simplified(LossAfter{HintonLoss{.temperature = 2, .hard_weight = 1}, 0, smooth}) ==
        LossAfter{HintonLoss{.hard_weight = 1}, 0});
  CHECK(simplified(loss) == loss);
}

TEST_CASE("A sample without a label has its part in the epochs of a loss that learns from it", "[loss]") {
  const HintonLoss hinton{.temperature = 3, .hard_weight = 0.25};
  const HintonLoss soft{.temperature = 3, .hard_weight = 0};
  static_assert(TakesUnlabelled<Later> && !TakesUnlabelled<LossAfter<Dkd>>);
  CHECK(learns_without_label(LossAfter{hinton, 2}));
  CHECK_FALSE(learns_without_label(LossAfter{HintonLoss{.hard_weight = 1}, 2}));
  CHECK(learns_without_label(LossAfter{CrossEntropy{}, 2, hinton}));
  CHECK_FALSE(learns_without_label(LossAfter{CrossEntropy{}, 0, hinton}));

  auto row = random_row<10>(1);
  const auto expected = evaluate<10>(0.75 * soft, row);
  row.label = data::unlabelled;
  const auto before = evaluate<10>(LossAfter{hinton, 2}.at_epoch(1), row);
  CHECK(before.loss == 0);
  CHECK(before.gradient == std::vector<double>(10, 0));
  const auto after = evaluate<10>(LossAfter{hinton, 2}.at_epoch(2), row);
  CHECK_THAT(after.loss, WithinRel(expected.loss, 1e-13));
  CHECK(test::largest_difference(after.gradient, expected.gradient) < 1e-14);
}

TEST_CASE("A loss of losses hands the epoch on", "[loss]") {
  const Dkd dkd{.warmup_epochs = 10};
  const Dkd later = dkd.at_epoch(3);
  REQUIRE(later != dkd);
  CHECK(loss_at_epoch(0.5 * dkd + CrossEntropy{}, 3) == 0.5 * later + CrossEntropy{});
  CHECK(loss_at_epoch(CrossEntropy{} + 0.5 * dkd, 3) == CrossEntropy{} + 0.5 * later);
  CHECK(loss_at_epoch(StandardizedLogits{dkd}, 3) == StandardizedLogits{later});
  CHECK(loss_at_epoch(SwappedLogits{dkd}, 3) == SwappedLogits{later});
  CHECK(loss_at_epoch(WithTerm{dkd, Hint<0, 0>{}}, 3) == WithTerm{later, Hint<0, 0>{}});
  CHECK(loss_at_epoch(LossAfter{dkd, 0}, 3) == LossAfter{later, 0});
  const std::array<double, 3> weights{1, 2, 3};
  CHECK(loss_at_epoch(ClassWeighted{dkd, weights}, 3) == ClassWeighted{later, weights});
}

using Chosen = OneOfLosses<CrossEntropy, HintonLoss, Dkd>;
static_assert(Loss<Chosen> && Chosen::needs_teacher && takes_vectors<Chosen> && check_vectors_of_loss<Chosen, 10>());
static_assert(std::is_trivially_copyable_v<Chosen>);  // it goes to a device as bytes
static_assert(TakesUnlabelled<OneOfLosses<CrossEntropy, HintonLoss>> && !TakesUnlabelled<Chosen>);
static_assert(!OneOfLosses<CrossEntropy>::needs_teacher && !takes_vectors<OneOfLosses<elsewhere::Constant>>);
static_assert(!std::is_constructible_v<Chosen, Rld>);

TEST_CASE("One of several losses is that loss", "[loss]") {
  const HintonLoss hinton{.temperature = 2, .hard_weight = 0.3};
  const Dkd dkd{.beta = 2, .warmup_epochs = 10};
  const auto check_same = [](const Chosen& chosen, const auto& loss) {
    const auto row = random_row<10>(4);
    const auto found = evaluate<10>(chosen, row, 0.25);
    const auto expected = evaluate<10>(loss, row, 0.25);
    CHECK(found.loss == expected.loss);
    CHECK(found.gradient == expected.gradient);
    CHECK(describe_settings(chosen) == describe_settings(loss));
    CHECK(chosen.visit([&](const auto& one) { return std::is_same_v<decltype(one), decltype(loss)>; }));
  };
  check_same(CrossEntropy{}, CrossEntropy{});
  check_same(hinton, hinton);
  check_same(dkd, dkd);
  check_same(Chosen{}, CrossEntropy{});
  CHECK_FALSE(learns_without_label(OneOfLosses<CrossEntropy, HintonLoss>{}));
  CHECK(learns_without_label(OneOfLosses<CrossEntropy, HintonLoss>{hinton}));
  CHECK(loss_at_epoch(Chosen{dkd}, 3) == Chosen{dkd.at_epoch(3)});
  CHECK(Chosen{dkd} != Chosen{dkd.at_epoch(3)});
  CHECK(Chosen{HintonLoss{}} != Chosen{Dkd{}});
  CHECK(simplified(Chosen{HintonLoss{.temperature = 2, .hard_weight = 1}}) == Chosen{HintonLoss{.hard_weight = 1}});
  CHECK(simplified(Chosen{hinton}) == Chosen{hinton});
  using OfTargets = OneOfLosses<MeanSquaredError, TowardsTeacher<MeanSquaredError>>;
  CHECK(reads_targets(OfTargets{}));
  CHECK_FALSE(reads_targets(OfTargets{TowardsTeacher<MeanSquaredError>{}}));
  CHECK_NOTHROW(validate_in<float>(Chosen{hinton}));
  CHECK_THROWS_WITH(validate_in<float>(Chosen{HintonLoss{.temperature = -1}}),
                    Catch::Contains("HintonLoss: temperature is -1"));
}

TEST_CASE("A training takes the loss of each epoch", "[loss]") {
  const data::Dataset data = test::clouds(60, 4, 3, 7);
  using Model = Sequential<Linear<4, 3>>;
  const Network<Model> teacher{Seed{2}};
  const auto train = [&](Network<Model>& student, const auto& loss, std::size_t epochs,
                         const std::optional<CheckpointOptions>& checkpoint = {}) {
    return DistillationTrainer{teacher, student, loss, Sgd{.learning_rate = 0.1}}.fit(
        data, {.epochs = epochs, .batch_size = 20, .shuffle = false, .checkpoint = checkpoint});
  };
  Network<Model> student{Seed{1}};
  const History history = train(student, CurriculumTemperature{HintonLoss{.hard_weight = 0}, 1.0, 3.0, 1}, 2);
  // Nothing but the parameters goes on from one epoch to the next: two trainings are one.
  Network<Model> expected{Seed{1}};
  const History first = train(expected, HintonLoss{.temperature = 1, .hard_weight = 0}, 1);
  const History second = train(expected, HintonLoss{.temperature = 3, .hard_weight = 0}, 1);
  CHECK(history[0].loss == first[0].loss);
  CHECK(history[1].loss == second[0].loss);
  CHECK(test::same_bits(student.copy_parameters().span(), expected.copy_parameters().span()));

  // A checkpoint between two losses, from which another trainer goes on.
  const test::TemporaryFolder folder;
  const CheckpointOptions checkpoint{.path = folder / "checkpoint", .resume = true};
  const LossAfter later{HintonLoss{.temperature = 3, .hard_weight = 0.5}, 1};
  Network<Model> resumed{Seed{1}};
  train(resumed, later, 1, checkpoint);
  Network<Model> other{Seed{1}};
  const History whole = train(other, later, 2, checkpoint);
  Network<Model> in_two{Seed{1}};
  const History hard = train(in_two, CrossEntropy{}, 1);
  CHECK(test::same_bits(resumed.copy_parameters().span(), in_two.copy_parameters().span()));
  const History soft = train(in_two, HintonLoss{.temperature = 3, .hard_weight = 0.5}, 1);
  REQUIRE(whole.size() == 2);
  CHECK(whole[0].loss == hard[0].loss);
  CHECK(whole[1].loss == soft[0].loss);
  CHECK(test::same_bits(other.copy_parameters().span(), in_two.copy_parameters().span()));
  CHECK_THROWS_WITH(train(other, LossAfter{later.loss, 2}, 3, checkpoint), Catch::Contains("epochs=2"));
}

TEST_CASE("A training refuses samples without labels where neither loss learns from them", "[loss]") {
  const data::Dataset data = test::clouds(60, 4, 3, 7);
  using Model = Sequential<Linear<4, 3>>;
  const Network<Model> teacher{Seed{2}};
  const auto train = [&](const auto& loss) {
    Network<Model> student{Seed{1}};
    DistillationTrainer{teacher, student, loss, Sgd{.learning_rate = 0.1}}.fit(data.without_labels(), {.epochs = 1});
    return student.copy_parameters().span()[0];
  };
  // Nothing has moved after an epoch of the hard loss alone.
  CHECK(train(LossAfter{HintonLoss{}, 1}) == Network<Model>{Seed{1}}.copy_parameters().span()[0]);
  CHECK(train(LossAfter{HintonLoss{}, 0}) != Network<Model>{Seed{1}}.copy_parameters().span()[0]);
  CHECK_THROWS_WITH(train(LossAfter{HintonLoss{.hard_weight = 1}, 1}), Catch::Contains("does not learn from these"));
}

}  // namespace

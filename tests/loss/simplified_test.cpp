// SPDX-License-Identifier: MIT
// What a loss does not use, a sweep does not train again for: hyperparameters (simplified), and the teacher
// (reads_teacher).

#include <array>
#include <cstddef>

#include "catch.hpp"
#include "loss/loss_laws.hpp"
#include "retort/loss/binary_hinton.hpp"
#include "retort/loss/class_weighted.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/curriculum_temperature.hpp"
#include "retort/loss/dist.hpp"
#include "retort/loss/dkd.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/huber.hpp"
#include "retort/loss/logit_matching.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/loss_after.hpp"
#include "retort/loss/nkd.hpp"
#include "retort/loss/one_of_losses.hpp"
#include "retort/loss/rld.hpp"
#include "retort/loss/softmax_passed_to_kl.hpp"
#include "retort/loss/standardized_logits.hpp"
#include "retort/loss/swapped_logits.hpp"
#include "retort/loss/towards_teacher.hpp"
#include "retort/loss/ttm.hpp"
#include "retort/loss/weighted_sum.hpp"

namespace {

using namespace retort;
using retort::test::evaluate;
using retort::test::random_row;

const HintonLoss alone{.temperature = 2, .hard_weight = 1};
const HintonLoss plain{.hard_weight = 1};
const HintonLoss distilled{.temperature = 2, .hard_weight = 0.5};

/// That `loss` says it reads no teacher, is simplified to `simplest`, and both train as they say.
template <typename L>
void check_unread(const L& loss, const L& simplest) {
  CAPTURE(describe_settings(loss));
  CHECK_FALSE(reads_teacher(loss));
  CHECK(simplified(loss) == simplest);
  CHECK(simplified(simplest) == simplest);
  auto row = random_row<10>(3);
  const auto expected = evaluate<10>(loss, row, 0.25);
  CHECK(evaluate<10>(simplest, row, 0.25).loss == expected.loss);
  CHECK(evaluate<10>(simplest, row, 0.25).gradient == expected.gradient);
  row.teacher = random_row<10>(4).teacher;
  CHECK(evaluate<10>(loss, row, 0.25).loss == expected.loss);
  CHECK(evaluate<10>(loss, row, 0.25).gradient == expected.gradient);
}

/// That `loss` says it reads the teacher, does, and has nothing to simplify.
template <typename L>
void check_read(const L& loss) {
  CAPTURE(describe_settings(loss));
  CHECK(reads_teacher(loss));
  CHECK(simplified(loss) == loss);
  auto row = random_row<10>(3);
  const auto expected = evaluate<10>(loss, row, 0.25);
  row.teacher = random_row<10>(4).teacher;
  CHECK(evaluate<10>(loss, row, 0.25).gradient != expected.gradient);
}

TEST_CASE("A loss says whether it reads its teacher, and leaves out what it does not use", "[loss]") {
  check_unread(CrossEntropy{0.1}, CrossEntropy{0.1});
  check_unread(alone, plain);
  check_read(distilled);
  check_unread(SoftmaxPassedToKlLoss{.temperature = 2, .hard_weight = 1}, SoftmaxPassedToKlLoss{.hard_weight = 1});
  check_read(SoftmaxPassedToKlLoss{.temperature = 2});
  check_unread(LogitMatching{.hard_weight = 1}, LogitMatching{.hard_weight = 1});
  check_read(LogitMatching{.hard_weight = 0.5});
  check_unread(Dkd{.temperature = 2, .alpha = 0, .beta = 0, .label_weight = 3, .warmup_epochs = 7},
               Dkd{.alpha = 0, .beta = 0, .label_weight = 3});
  check_read(Dkd{.temperature = 2, .alpha = 0});
  check_read(Dkd{.temperature = 2, .beta = 0});
  check_unread(Rld{.temperature = 2, .alpha = 0, .beta = 0, .label_weight = 3, .warmup_epochs = 7},
               Rld{.alpha = 0, .beta = 0, .label_weight = 3});
  check_read(Rld{.temperature = 2, .alpha = 0});
  CHECK(simplified(Rld{.temperature = 2, .beta = 0, .warmup_epochs = 7}) == Rld{.beta = 0, .warmup_epochs = 7});
  CHECK(reads_teacher(Rld{.beta = 0}));
  check_read(Nkd{.temperature = 2});
  CHECK(simplified(Nkd{.temperature = 2, .gamma = 0, .label_weight = 3}) == Nkd{.gamma = 0, .label_weight = 3});
  CHECK(reads_teacher(Nkd{.gamma = 0}));
  check_unread(Ttm{.exponent = 0.5, .beta = 0, .label_weight = 3, .weighted = true}, Ttm{.beta = 0, .label_weight = 3});
  check_read(Ttm{.exponent = 0.5});
  CHECK_FALSE(reads_teacher(BinaryHintonLoss{.hard_weight = 1}));
  CHECK(reads_teacher(BinaryHintonLoss{}));
}

TEST_CASE("A loss of losses leaves out what they do not use", "[loss]") {
  check_unread(0.5 * alone, 0.5 * plain);
  check_unread(0.0 * distilled, 0.0 * HintonLoss{});
  check_read(0.5 * distilled);
  check_unread(alone + 0.5 * alone, plain + 0.5 * plain);
  check_read(distilled + CrossEntropy{});
  check_read(CrossEntropy{} + distilled);
  CHECK(simplified(alone + distilled) == plain + distilled);
  check_unread(SwappedLogits{alone}, SwappedLogits{plain});
  check_read(SwappedLogits{distilled});
  check_unread(StandardizedLogits{alone}, StandardizedLogits{plain});
  check_read(StandardizedLogits{distilled});
  std::array<double, 10> weights{};
  weights.fill(0.5);
  check_unread(ClassWeighted{alone, weights}, ClassWeighted{plain, weights});
  check_read(ClassWeighted{distilled, weights});
  // Without a default there is nothing that stands for a weight of 0.
  CHECK(simplified(0.0 * ClassWeighted{alone, weights}) == 0.0 * ClassWeighted{plain, weights});
  using Chosen = OneOfLosses<CrossEntropy, HintonLoss>;
  check_unread(Chosen{alone}, Chosen{plain});
  check_unread(Chosen{CrossEntropy{0.1}}, Chosen{CrossEntropy{0.1}});
  check_read(Chosen{distilled});
  check_unread(LossAfter{alone, 3, alone}.at_epoch(3), LossAfter{plain, 0, HintonLoss{}});
  CHECK_FALSE(reads_teacher(LossAfter{alone, 3}));
  CHECK(reads_teacher(LossAfter{alone, 3, distilled}));
  CHECK_FALSE(reads_teacher(LossAfter{alone, 0, distilled}));
  CHECK(reads_teacher(LossAfter{distilled, 3}));
  CHECK(simplified(LossAfter{SwappedLogits{alone}, 3}) == LossAfter{SwappedLogits{plain}, 3});
  const TowardsTeacher<Huber> towards{};
  CHECK(reads_teacher(towards));
  CHECK(simplified(towards) == towards);
  // A term always compares with the teacher.
  CHECK(reads_teacher(WithTerm{alone, Dist{}}));
  CHECK(simplified(WithTerm{alone, Dist{}}) == WithTerm{plain, Dist{}});
}

TEST_CASE("A temperature of each epoch counts where the loss uses one", "[loss]") {
  using Curriculum = CurriculumTemperature<HintonLoss>;
  check_unread(Curriculum{alone, 2, 9, 7, true}, Curriculum{plain});
  const Curriculum heated{distilled, 2, 9, 7, true};
  check_read(heated);
  CHECK(simplified(Curriculum{{.temperature = 5, .hard_weight = 0.5}, 2, 9, 7, true}) == heated);
  for (const std::size_t epoch : {0u, 3u, 7u}) {
    CHECK(simplified(heated).at_epoch(epoch) == heated.at_epoch(epoch));
  }
  CHECK(simplified(Curriculum{distilled, 3, 9, 7, true}) != heated);
}

}  // namespace

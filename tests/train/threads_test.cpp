// SPDX-License-Identifier: MIT
// The number of threads changes no bit of a whole training, with layers wide enough that every operation is shared out.

#include <cstddef>

#include "brief.hpp"
#include "by_operations.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adamw.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"
#include "train/recorder.hpp"

namespace {

using namespace retort;
using retort::test::same_bits;

using Wide = test::ByOperations<Shape<1, 15, 20>, Linear<300, 500>, BatchNorm<500>, ReLU, Dropout<0.5>,
                                Linear<500, 300>, LayerNorm<300>, Tanh, Linear<300, 10>>;

/// Of this one a step is taken as a whole.
using WidePerceptron =
    Sequential<Linear<300, 500>, Dropout<0.5>, ReLU, Linear<500, 310>, Dropout<0.2>, Tanh, Linear<310, 10>>;

template <Model M>
struct Result {
  Network<M> teacher;
  Network<M> student;
  History teaching;
  History learning;
};

template <Model M>
Result<M> train(unsigned threads) {
  const auto data = test::noise_images(test::brief ? 100 : 150, {15, 20}, 10, 1);
  Result<M> result{Network<M>{Seed{1}, backend::Eigen{threads}}, Network<M>{Seed{2}, backend::Eigen{threads}}, {}, {}};
  Trainer trainer{result.teacher, CrossEntropy{}, AdamW{}};
  result.teaching = trainer.fit(data, {.epochs = 1,
                                       .batch_size = 64,
                                       .augmentation = {.shift = 2},
                                       .clipping = GradientClipping{0.5},
                                       .validation_fraction = 0.2});
  DistillationTrainer distiller{result.teacher, result.student, HintonLoss{}, AdamW{}};
  result.learning = distiller.fit(data, {.epochs = test::brief ? 1u : 2u, .batch_size = 64});
  return result;
}

TEMPLATE_TEST_CASE("The number of threads changes no bit of a training", "[train]", Wide, WidePerceptron) {
  const Result<TestType> alone = train<TestType>(1);
  for (const unsigned threads : test::thinned_to_one({2u, 5u, 3u})) {
    CAPTURE(threads);
    const Result<TestType> shared = train<TestType>(threads);
    CHECK(same_bits(shared.teacher.parameter_arena(), alone.teacher.parameter_arena()));
    CHECK(same_bits(shared.teacher.buffer_arena(), alone.teacher.buffer_arena()));
    CHECK(same_bits(shared.student.parameter_arena(), alone.student.parameter_arena()));
    CHECK(same_bits(shared.student.buffer_arena(), alone.student.buffer_arena()));
    CHECK(test::same_results(shared.teaching, alone.teaching));
    CHECK(test::same_results(shared.learning, alone.learning));
  }
}

}  // namespace

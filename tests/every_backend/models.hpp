// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The models, losses, terms and optimizers of the tests over every backend.

#include <cstddef>
#include <string_view>
#include <tuple>

#include "losses_of_labels.hpp"
#include "retort/loss/activation_profile.hpp"
#include "retort/loss/binary_cross_entropy.hpp"
#include "retort/loss/binary_hinton.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/dist.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/huber.hpp"
#include "retort/loss/mean_squared_error.hpp"
#include "retort/loss/one_of_losses.hpp"
#include "retort/loss/relational.hpp"
#include "retort/loss/similarity_preserving.hpp"
#include "retort/loss/softmax_passed_to_kl.hpp"
#include "retort/loss/towards_teacher.hpp"
#include "retort/loss/weighted_sum.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/shape.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/silu.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/adamw.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/optim/weight_average.hpp"

namespace retort::test {

/// A pointwise layer before and behind a product.
template <typename L>
using Around = Sequential<L, Linear<9, 7>, L>;

using Models = std::tuple<Sequential<Linear<1, 1>>, Sequential<Linear<5, 3, Bias::no>>, Sequential<Linear<784, 20>>,
                          Sequential<Linear<131, 67>, ReLU, Linear<67, 33>>, Around<ReLU>, Around<LeakyReLU<0.2>>,
                          Around<GELU>, Around<SiLU>, Around<Tanh>, Around<Sigmoid>, Around<Dropout<0.4>>,
                          Sequential<LayerNorm<67>>, Sequential<BatchNorm<67>>,
                          Sequential<AvgPool2d<Shape<3, 12, 18>, 3>, SiLU, AvgPool2d<Shape<3, 4, 6>, 2>, Linear<18, 5>>,
                          Sequential<Dropout<0.2>, GELU, Linear<13, 19>, BatchNorm<19>, GELU, Dropout<0.25>, Tanh,
                                     Linear<19, 11, Bias::no>, LayerNorm<11>, SiLU, Linear<11, 3>, Dropout<0.0>>>;
inline constexpr std::size_t model_count = std::tuple_size_v<Models>;

/// Whose units' weights are limited.
using LimitedLayer = Linear<131, 67>;

/// Of one type, so that each backend compiles one loss, and one training with it, in place of three.
using LossOfLabels = OneOfLosses<CrossEntropy, HintonLoss, SoftmaxPassedToKlLoss>;
using LossOfAnswers = OneOfLosses<BinaryHintonLoss, BinaryCrossEntropy>;
inline constexpr auto losses =
    std::tuple_cat(std::tuple{LossOfLabels{CrossEntropy{}}, LossOfLabels{CrossEntropy{.label_smoothing = 0.1}},
                              LossOfLabels{HintonLoss{.temperature = 4.0, .hard_weight = 0.1}},
                              LossOfLabels{HintonLoss{.temperature = 2.0, .hard_weight = 0.0}},
                              LossOfLabels{SoftmaxPassedToKlLoss{.temperature = 7.0, .hard_weight = 0.3}}},
                   losses_with_all_labels, losses_with_some_labels,
                   std::tuple{class_weighted, 0.3 * MeanSquaredError{} + 0.7 * TowardsTeacher{Huber{.delta = 3.0}},
                              LossOfAnswers{BinaryHintonLoss{.temperature = 2.0, .hard_weight = 0.3}},
                              LossOfAnswers{BinaryCrossEntropy{}}});
inline constexpr std::size_t loss_count = std::tuple_size_v<decltype(losses)>;

inline constexpr auto batch_terms = std::tuple{SimilarityPreserving<0, 0>{}, Relational<0, 0>{},
                                               Dist{.temperature = 2.0, .gamma = 0.5}, ActivationProfile<0, 0>{}};
inline constexpr std::size_t batch_term_count = std::tuple_size_v<decltype(batch_terms)>;

inline constexpr auto optimizers =
    std::tuple{Sgd{.learning_rate = 0.1}, Sgd{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true},
               Adam{.learning_rate = 0.01, .beta1 = 0.5, .weight_decay = 0.01}, AdamW{.learning_rate = 0.01},
               WeightAverage{Adam{.learning_rate = 0.01}, 0.9}};
inline constexpr std::size_t optimizer_count = std::tuple_size_v<decltype(optimizers)>;

template <std::size_t Width>
using TeacherOf =
    Sequential<Linear<784, Width>, Dropout<0.5>, ReLU, Linear<Width, Width>, Dropout<0.5>, ReLU, Linear<Width, 10>>;
using Teacher = TeacherOf<1200>;
using NarrowTeacher = TeacherOf<64>;
using Student = Sequential<Linear<784, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;
/// No bias before a normalisation, and BatchNorm not behind the pixels, of which many never change: such gradients
/// would be zero but for rounding, and Adam would follow the rounding.
using Everything = Sequential<AvgPool2d<Shape<1, 28, 28>, 2>, Linear<196, 24, Bias::no>, LayerNorm<24>, GELU,
                              Dropout<0.1>, Linear<24, 20, Bias::no>, BatchNorm<20>, SiLU, Linear<20, 10>>;

}  // namespace retort::test

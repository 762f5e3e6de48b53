// SPDX-License-Identifier: MIT
#include "retort/nn/avg_pool2d.hpp"

#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/engine.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/nn/describe.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/optim/adam.hpp"
#include "training_pass.hpp"

namespace {

using namespace retort;

using Student = Sequential<AvgPool2d<Shape<1, 28, 28>, 2>, Linear<196, 64>, ReLU, Linear<64, 48>, ReLU, Linear<48, 10>>;
static_assert(Student::parameter_count == 16'218);
static_assert(Student::input_size == 784 && Student::widths[1] == 196 && Student::first_trained_layer == 1);
static_assert(Student::flops == 2 * (196 * 64 + 64 * 48 + 48 * 10));
static_assert(Student::parameters[0].full_name() == "1.weight" && Student::buffers.empty());
static_assert(std::is_same_v<Student::ShapeAt<0>, Shape<1, 28, 28>> &&
              std::is_same_v<Student::ShapeAt<1>, Shape<1, 14, 14>>);

TEST_CASE("A pooling layer says its extents and its squares", "[nn]") {
  CHECK(internal::model_signature<Student>() ==
        "AvgPool2d(1x28x28, 2), Linear(196, 64), ReLU, Linear(64, 48), ReLU, Linear(48, 10)");
}

template <Model M>
using Training = backend::TrainingTypes<backend::Eigen, M, CrossEntropy, Adam, float, void>;

TEST_CASE("Engines for Linear and pointwise layers decline a model that pools", "[nn]") {
  CHECK(internal::fully_connected_refusal<Training<Student>>().describe() ==
        "AvgPool2d (layer 0) is neither Linear nor pointwise");
}

TEST_CASE("Panels take a model that pools its inputs first, and no other that pools", "[nn]") {
  using backend::panel::PanelEngine;
  static_assert(!PanelEngine::refusal<Training<Student>>());
  using Twice = Sequential<AvgPool2d<Shape<1, 4, 4>, 2>, AvgPool2d<Shape<1, 2, 2>, 2>, Linear<1, 2>>;
  CHECK(PanelEngine::refusal<Training<Twice>>().describe() ==
        "AvgPool2d (layer 1) is neither Linear, pointwise nor a normalization");
  using Late = Sequential<ReLU, AvgPool2d<Shape<1, 2, 2>, 2>, Linear<1, 2>>;
  CHECK(PanelEngine::refusal<Training<Late>>().describe() ==
        "AvgPool2d (layer 1) is neither Linear, pointwise nor a normalization");
  using Alone = Sequential<AvgPool2d<Shape<1, 2, 2>, 2>, ReLU>;
  CHECK(PanelEngine::refusal<Training<Alone>>().describe() ==
        "AvgPool2d (layer 0) is neither Linear, pointwise nor a normalization");
  using NoLinear = Sequential<LayerNorm<4>, ReLU>;
  CHECK(PanelEngine::refusal<Training<NoLinear>>().describe() == "the model has no Linear layer");
}

/// What one layer gives, in training and outside of it, and the gradient of its inputs for 9, 18, 27, ... behind it.
template <typename L>
struct Pooled {
  explicit Pooled(const std::vector<double>& inputs) {
    const std::size_t batch = inputs.size() / L::input_size;
    test::TrainingPass<Sequential<L>> pass(batch);
    outputs = pass.forward(inputs);
    predicted.resize(outputs.size());
    pass.network.predict(inputs, predicted);
    std::vector<double> incoming;
    while (incoming.size() < outputs.size()) {
      incoming.push_back(9.0 * static_cast<double>(incoming.size() + 1));
    }
    gradients = pass.backward(inputs, incoming).inputs;
  }

  std::vector<double> outputs;
  std::vector<double> predicted;
  std::vector<double> gradients;
};

using Numbers = std::vector<double>;

TEST_CASE("Squares of 2 x 2 are averaged, sample by sample and channel by channel", "[nn]") {
  const Pooled<AvgPool2d<Shape<2, 2, 4>, 2>> pooled({1,  2,  3,  4,  5,  6,  7,  8,   // a channel: two rows
                                                     0,  0,  0,  -8, 0,  0,  16, 0,   // another
                                                     10, 20, 30, 40, 50, 60, 70, 80,  // the second sample
                                                     1,  1,  -1, -1, 1,  1,  -1, 3});
  CHECK(pooled.outputs == Numbers{3.5, 5.5, 0, 2, 35, 55, 1, 0});
  CHECK(pooled.predicted == pooled.outputs);
  const auto share = [](double output) { return 9.0 * output / 4.0; };
  Numbers expected;
  for (const double first : {1, 3, 5, 7}) {
    for (int row = 0; row < 2; ++row) {
      expected.insert(expected.end(), {share(first), share(first), share(first + 1), share(first + 1)});
    }
  }
  CHECK(pooled.gradients == expected);
}

TEST_CASE("Squares of 3 x 3 are averaged, and those of one element are themselves", "[nn]") {
  const Pooled<AvgPool2d<Shape<1, 6, 3>, 3>> pooled({1, 2, 3, 4, 5, 6, 7, 8, 9,  //
                                                     9, 0, 0, 0, 9, 0, 0, 0, 0});
  CHECK(pooled.outputs == Numbers{5, 2});
  CHECK(pooled.predicted == pooled.outputs);
  CHECK(pooled.gradients == Numbers{1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2});

  const Numbers inputs{1, -2, 3, 4, 5, 6};
  const Pooled<AvgPool2d<Shape<1, 2, 3>, 1>> same(inputs);
  CHECK(same.outputs == inputs);
  CHECK(same.predicted == inputs);
  CHECK(same.gradients == Numbers{9, 18, 27, 36, 45, 54});
}

}  // namespace

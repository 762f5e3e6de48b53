// SPDX-License-Identifier: MIT
#include "retort/nn/network.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/error.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"

namespace {

using namespace retort;
using retort::test::largest_difference;
using retort::test::random_values;
using retort::test::same_bits;

using Mixed =
    Sequential<Dropout<0.5>, Linear<7, 20>, BatchNorm<20>, GELU, Dropout<0.9>, LayerNorm<20>, Linear<20, 3, Bias::no>>;
template <typename Scalar>
using MixedNetwork = Network<Mixed, backend::Eigen, Scalar>;

// Running statistics that are not those of a fresh network.
template <typename Scalar>
MixedNetwork<Scalar> make_network(unsigned threads = 1) {
  MixedNetwork<Scalar> network{Seed{1}, backend::Eigen{threads}};
  std::ranges::copy(random_values<Scalar>(20, 5), network.buffer(0).begin());
  std::ranges::copy(random_values<Scalar>(20, 6, 0.5, 2.0), network.buffer(1).begin());
  return network;
}

template <typename N>
std::vector<typename N::scalar_type> predict_all(const N& network, const std::vector<typename N::scalar_type>& inputs) {
  std::vector<typename N::scalar_type> logits(inputs.size() / N::input_size * N::output_size);
  network.predict(inputs, logits);
  return logits;
}

TEST_CASE("A seed and an initialisation give a network, bit for bit", "[nn]") {
  const Network<Mixed> network{Seed{1}};
  CHECK(same_bits(network.parameter_arena(), Network<Mixed>{Seed{1}}.parameter_arena()));
  CHECK(same_bits(network.parameter_arena(), Network<Mixed>(Seed{1}, backend::Eigen{3}).parameter_arena()));
  CHECK_FALSE(same_bits(network.parameter_arena(), Network<Mixed>{Seed{2}}.parameter_arena()));
  const Network<Mixed> other{Seed{1}, backend::Eigen{}, Initialization::he_normal};
  CHECK_FALSE(same_bits(network.parameter_arena(), other.parameter_arena()));

  Network<Mixed> again{Seed{2}};
  std::ranges::fill(again.buffer(0), 3.0f);
  again.initialize(Seed{1});
  CHECK(same_bits(network.parameter_arena(), again.parameter_arena()));
  CHECK(same_bits(network.buffer_arena(), again.buffer_arena()));
}

TEST_CASE("What no file could hold is refused as preprocessing by its field, and the earlier one stays", "[nn]") {
  Network<Mixed> network{Seed{1}};
  const Preprocessing right{.mean = 1.0,
                            .standard_deviation = 1e-310,
                            .column_means = std::vector<double>(7, 2.0),
                            .column_deviations = std::vector<double>(7, 3.0),
                            .class_names = {"a", "\xC3\xA9"}};
  network.set_preprocessing(right);
  const auto refused = [&](const auto& change) -> std::string {
    Preprocessing wrong = right;
    change(wrong);
    try {
      network.set_preprocessing(wrong);
    } catch (const OptionError& error) {
      CHECK(network.preprocessing() == right);
      return error.what();
    }
    return "accepted";
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(refused([&](Preprocessing& wrong) { wrong.mean = nan; }) ==
        "preprocessing: mean is nan, expected a finite number");
  for (const double deviation : {0.0, -1.0, HUGE_VAL, nan}) {
    CHECK(refused([&](Preprocessing& wrong) { wrong.standard_deviation = deviation; }) ==
          "preprocessing: standard_deviation is " + to_text(deviation) + ", expected a finite number above 0");
    CHECK(refused([&](Preprocessing& wrong) { wrong.column_deviations[6] = deviation; }) ==
          "preprocessing: column_deviations[6] is " + to_text(deviation) + ", expected a finite number above 0");
  }
  CHECK(refused([&](Preprocessing& wrong) { wrong.column_means[2] = -HUGE_VAL; }) ==
        "preprocessing: column_means[2] is -inf, expected a finite number");
  const std::string columns = " column_deviations, expected 7 of both, one for each input";
  CHECK(refused([](Preprocessing& wrong) { wrong.column_means.clear(); }) ==
        "preprocessing: 0 column_means and 7" + columns);
  CHECK(refused([](Preprocessing& wrong) {
          wrong.column_means.pop_back();
          wrong.column_deviations.pop_back();
        }) == "preprocessing: 6 column_means and 6" + columns);
  CHECK(refused([](Preprocessing& wrong) { wrong.class_names.assign(4, "a"); }) ==
        "preprocessing: 4 class_names, expected at most 3, one for each output");
  CHECK(refused([](Preprocessing& wrong) { wrong.class_names[1] = "gr\xFC\xDF"; }) ==
        "preprocessing: class_names[1] is 'gr\\xfc\\xdf', expected UTF-8");
  network.set_preprocessing({});
  CHECK_FALSE(network.preprocessing().has_value());
}

TEST_CASE("Tensors are views of the arena, which is zero between them", "[nn]") {
  Network<Mixed> network{Seed{1}};
  std::vector<bool> owned(network.parameter_arena().size(), false);
  for (std::size_t i = 0; i < Mixed::parameters.size(); ++i) {
    CHECK(network.parameter(i).data() == network.parameter_arena().data() + Mixed::parameters[i].offset);
    CHECK(network.parameter(i).size() == Mixed::parameters[i].count());
    CHECK(reinterpret_cast<std::uintptr_t>(network.parameter(i).data()) % arena_alignment == 0);
    std::fill_n(owned.begin() + static_cast<std::ptrdiff_t>(Mixed::parameters[i].offset), network.parameter(i).size(),
                true);
  }
  for (std::size_t i = 0; i < owned.size(); ++i) {
    CHECK((owned[i] || network.parameter_arena()[i] == 0.0f));
  }
}

TEST_CASE("A copy of a network is a network of its own", "[nn]") {
  Network<Mixed> network{Seed{1}};
  const Network<Mixed> copy = network;
  const std::vector<float> before(copy.parameter_arena().begin(), copy.parameter_arena().end());
  std::ranges::fill(network.parameter_arena(), 0.5f);
  std::ranges::fill(network.buffer_arena(), 0.5f);
  CHECK(same_bits(copy.parameter_arena(), before));
  CHECK(copy.buffer(0)[0] == 0.0f);
}

TEST_CASE("Arenas are copied out whole, and taken over whole", "[nn]") {
  const auto network = make_network<float>();
  const AlignedBuffer<float> parameters = network.copy_parameters();
  const AlignedBuffer<float> buffers = network.copy_buffers();
  CHECK(parameters.data() != network.parameter_arena().data());
  CHECK(same_bits(parameters.span(), network.parameter_arena()));
  CHECK(same_bits(buffers.span(), network.buffer_arena()));
  CHECK(network.parameter_data() == network.parameter_arena().data());
  CHECK(network.buffer_data() == network.buffer_arena().data());

  Network<Mixed> other{Seed{2}};
  const AlignedBuffer<float> fresh_buffers = other.copy_buffers();
  other.assign_parameters(parameters.span());
  CHECK(same_bits(other.parameter_arena(), parameters.span()));
  CHECK(same_bits(other.buffer_arena(), fresh_buffers.span()));
  other.assign_buffers(buffers.span());
  CHECK(same_bits(other.buffer_arena(), buffers.span()));
}

TEST_CASE("An arena of another size is refused, and the network left alone", "[nn]") {
  Network<Mixed> network{Seed{1}};
  const Network<Mixed> before = network;
  for (const std::size_t size : {Mixed::parameter_arena_size - 1, Mixed::parameter_arena_size + 1, std::size_t{0}}) {
    CHECK_THROWS_AS(network.assign_parameters(std::vector<float>(size)), ShapeError);
  }
  for (const std::size_t size : {Mixed::buffer_arena_size - 1, Mixed::buffer_arena_size + 1, std::size_t{0}}) {
    CHECK_THROWS_AS(network.assign_buffers(std::vector<float>(size)), ShapeError);
  }
  CHECK(same_bits(network.parameter_arena(), before.parameter_arena()));
  CHECK(same_bits(network.buffer_arena(), before.buffer_arena()));
  try {
    network.assign_parameters(std::vector<float>(3));
    FAIL("accepted");
  } catch (const ShapeError& error) {
    const std::string text = error.what();
    CHECK(text.find("parameters") != std::string::npos);
    CHECK(text.find("3") != std::string::npos);
    CHECK(text.find(std::to_string(Mixed::parameter_arena_size)) != std::string::npos);
  }

  // A model without buffers has an arena of none.
  Network<Sequential<Linear<2, 4>>> plain{Seed{1}};
  CHECK(plain.copy_buffers().size() == 0);
  CHECK_NOTHROW(plain.assign_buffers(std::span<const float>{}));
}

TEMPLATE_TEST_CASE("A batch is answered as its samples are one by one", "[nn]", float, double) {
  const auto network = make_network<TestType>();
  // One sample, some, a whole block of the backend, more than one block.
  for (const std::size_t batch : {1u, 2u, 17u, 128u, 129u, 300u}) {
    CAPTURE(batch);
    const auto inputs = random_values<TestType>(batch * 7, batch);
    const auto logits = predict_all(network, inputs);
    std::vector<TestType> singles;
    for (std::size_t sample = 0; sample < batch; ++sample) {
      const auto answer = network.predict(std::span<const TestType, 7>(inputs.data() + sample * 7, 7));
      singles.insert(singles.end(), answer.begin(), answer.end());
    }
    CHECK(largest_difference(logits, singles) < (sizeof(TestType) == 4 ? 1e-5 : 1e-13));
  }
}

TEST_CASE("The order of a batch's samples changes nothing but the order of the answers", "[nn]") {
  const auto network = make_network<double>();
  constexpr std::size_t batch = 150;
  const auto inputs = random_values<double>(batch * 7, 3);
  std::vector<double> reversed;
  for (std::size_t sample = batch; sample-- > 0;) {
    reversed.insert(reversed.end(), inputs.begin() + static_cast<std::ptrdiff_t>(sample * 7),
                    inputs.begin() + static_cast<std::ptrdiff_t>(sample * 7 + 7));
  }
  const auto logits = predict_all(network, inputs);
  const auto answers = predict_all(network, reversed);
  for (std::size_t sample = 0; sample < batch; ++sample) {
    const std::span row{logits.data() + sample * 3, 3};
    const std::span other{answers.data() + (batch - 1 - sample) * 3, 3};
    CHECK(largest_difference(row, other) < 1e-13);
  }
}

TEST_CASE("The number of threads changes no bit of an answer", "[nn]") {
  const auto inputs = random_values<float>(700 * 7, 9);
  const auto expected = predict_all(make_network<float>(1), inputs);
  for (const unsigned threads : {2u, 3u, 5u}) {
    CHECK(same_bits(predict_all(make_network<float>(threads), inputs), expected));
  }
}

TEST_CASE("Several threads may ask one network at once", "[nn]") {
  for (const unsigned threads : {1u, 2u}) {
    const auto network = make_network<float>(threads);
    const auto inputs = random_values<float>(300 * 7, 9);
    const auto expected = predict_all(network, inputs);
    std::array<bool, 4> same{};
    std::vector<std::thread> askers;
    for (std::size_t asker = 0; asker < same.size(); ++asker) {
      askers.emplace_back([&, asker] {
        same[asker] = true;
        for (int round = 0; round < 20; ++round) {
          same[asker] = same[asker] && same_bits(predict_all(network, inputs), expected);
        }
      });
    }
    for (std::thread& asker : askers) {
      asker.join();
    }
    CHECK(same == std::array<bool, 4>{true, true, true, true});
  }
}

TEST_CASE("predict asks for whole samples and as many logits", "[nn]") {
  const Network<Mixed> network{Seed{1}};
  std::vector<float> inputs(14);
  std::vector<float> logits(6);
  CHECK_NOTHROW(network.predict(inputs, logits));
  inputs.resize(13);
  CHECK_THROWS_AS(network.predict(inputs, logits), ShapeError);
  inputs.resize(14);
  logits.resize(5);
  CHECK_THROWS_AS(network.predict(inputs, logits), ShapeError);
  logits.resize(3);
  CHECK_THROWS_AS(network.predict(inputs, logits), ShapeError);
  // No sample at all has no logits.
  CHECK_NOTHROW(network.predict(std::span<const float>{}, std::span<float>{}));
}

TEST_CASE("classify gives the first of the largest logits", "[nn]") {
  Network<Sequential<Linear<2, 4>>> network{Seed{1}};
  std::ranges::fill(network.parameter(0), 0.0f);
  std::ranges::copy(std::array{1.0f, 3.0f, 2.0f, 3.0f}, network.parameter(1).begin());
  const std::array<float, 2> input{};
  CHECK(network.predict(input) == std::array{1.0f, 3.0f, 2.0f, 3.0f});
  CHECK(network.classify(input) == 1);
}

TEST_CASE("One linear layer computes W x + b", "[nn]") {
  Network<Sequential<Linear<3, 2>>> network{Seed{1}};
  std::ranges::copy(std::array{1.0f, 2.0f, 3.0f, -4.0f, 5.0f, -6.0f}, network.parameter(0).begin());
  std::ranges::copy(std::array{0.5f, -0.25f}, network.parameter(1).begin());
  CHECK(network.predict(std::array{2.0f, -1.0f, 4.0f}) == std::array{12.5f, -37.25f});
}

TEMPLATE_TEST_CASE("What leaves a hidden layer is what a model of the layers before it answers", "[nn]", float,
                   double) {
  using Whole = Sequential<Linear<7, 5>, BatchNorm<5>, ReLU, Dropout<0.5>, Linear<5, 3>>;
  const Network<Whole, backend::Eigen, TestType> whole{Seed{1}};
  using Part = Sequential<Linear<7, 5>, BatchNorm<5>, ReLU>;
  Network<Part, backend::Eigen, TestType> part{Seed{2}};
  for (std::size_t i = 0; i < Part::parameters.size(); ++i) {
    std::ranges::copy(whole.parameter(i), part.parameter(i).begin());
  }
  for (const std::size_t batch : {1u, 9u}) {
    const auto inputs = test::random_values<TestType>(batch * 7, 3);
    std::vector<TestType> found(batch * 5);
    std::vector<TestType> expected(batch * 5);
    part.predict(inputs, expected);
    whole.template predict_layer<2>(inputs, found);
    CHECK(found == expected);
    whole.template predict_layer<3>(inputs, found);  // dropout acts in no prediction
    CHECK(found == expected);
    CHECK_THROWS_AS(whole.template predict_layer<0>(inputs, std::span<TestType>(found).first(4)), ShapeError);
    std::vector<TestType> logits(batch * 3);
    std::vector<TestType> last(batch * 3);
    whole.predict(inputs, logits);
    whole.template predict_layer<4>(inputs, last);
    CHECK(last == logits);
  }
}

// Counts what it is asked.
struct Counting : backend::Eigen {
  using Eigen::Eigen;
  static inline int batches = 0;
  static inline int few = 0;
};
template <Model M>
void predict_batch(const Counting& backend, M model, const backend::InferArguments<float>& arguments) {
  ++Counting::batches;
  predict_batch(static_cast<const backend::Eigen&>(backend), model, arguments);
}
template <Model M>
void predict_samples(const Counting& backend, M model, const backend::InferArguments<float>& arguments) {
  ++Counting::few;
  predict_samples(static_cast<const backend::Eigen&>(backend), model, arguments);
}

TEST_CASE("Only predictions ask for the products of a few samples", "[nn]") {
  const Network<Mixed, Counting> network{Seed{1}};
  const std::vector<float> inputs = random_values<float>(7, 3);
  const std::span<const float, 7> input(inputs);
  const auto found = network.predict(input);
  CHECK(network.classify(input) < 3);
  CHECK(Counting::few == 2);
  CHECK(Counting::batches == 0);
  const auto as_batch = network.predict_as_batch(input);
  CHECK(Counting::few == 2);
  CHECK(Counting::batches == 1);
  CHECK(test::largest_difference(std::vector(found.begin(), found.end()),
                                 std::vector(as_batch.begin(), as_batch.end())) < 1e-5);
  Network<Mixed, Counting> moved{Seed{1}};
  const Network<Mixed, Counting> other = std::move(moved);
  CHECK_THROWS_AS(moved.predict_as_batch(input), Error);  // NOLINT(bugprone-use-after-move)
}

}  // namespace

// SPDX-License-Identifier: MIT
#include "retort/nn/describe.hpp"

#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"

namespace {

using namespace retort;

TEST_CASE("A signature names every layer with what makes it different", "[nn]") {
  CHECK(internal::model_signature<Sequential<Linear<784, 20>, ReLU, Linear<20, 10>>>() ==
        "Linear(784, 20), ReLU, Linear(20, 10)");
  CHECK(internal::model_signature<
            Sequential<Dropout<0.25>, Linear<3, 2, Bias::no>, LeakyReLU<0.1>, LayerNorm<2>, BatchNorm<2>>>() ==
        "Dropout(0.25), Linear(3, 2, bias=False), LeakyReLU(0.1), LayerNorm(2), BatchNorm(2)");
}

TEST_CASE("Models that differ in anything have different signatures", "[nn]") {
  const std::vector<std::string> signatures{
      internal::model_signature<Sequential<Linear<3, 3>>>(),
      internal::model_signature<Sequential<Linear<3, 3, Bias::no>>>(),
      internal::model_signature<Sequential<Linear<3, 2>>>(),
      internal::model_signature<Sequential<Linear<3, 3>, ReLU>>(),
      internal::model_signature<Sequential<ReLU, Linear<3, 3>>>(),
      internal::model_signature<Sequential<Linear<3, 3>, LeakyReLU<>>>(),
      internal::model_signature<Sequential<Linear<3, 3>, LeakyReLU<0.1>>>(),
      internal::model_signature<Sequential<Linear<3, 3>, Dropout<0.1>>>(),
      internal::model_signature<Sequential<Linear<3, 3>, Dropout<0.10000000000000002>>>(),
      internal::model_signature<Sequential<Linear<3, 3>, LayerNorm<3>>>(),
      internal::model_signature<Sequential<Linear<3, 3>, BatchNorm<3>>>(),
  };
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      CHECK(signatures[i] != signatures[j]);
    }
  }
}

TEST_CASE("A model's name has its widths", "[nn]") {
  CHECK(internal::model_name<Sequential<Linear<784, 20>, ReLU, Linear<20, 20>, LayerNorm<20>, Linear<20, 10>>>() ==
        "784-20-20-10");
  CHECK(internal::model_name<Sequential<AvgPool2d<Shape<1, 4, 6>, 2>, Linear<6, 6, Bias::no>>>() == "24-6-6");
}

TEST_CASE("A summary has a line for each layer and their sums", "[nn]") {
  using Student = Sequential<Linear<784, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;
  std::istringstream text(summary<Student>());
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    lines.push_back(line);
  }
  REQUIRE(lines.size() == Student::layer_count + 2);
  CHECK(lines[0].find("parameters") != std::string::npos);

  const auto words = [](const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::string> result;
    for (std::string word; stream >> word;) {
      result.push_back(word);
    }
    return result;
  };
  CHECK(words(lines[1]) == std::vector<std::string>{"0", "Linear(784,", "20)", "20", "15700", "31360", "62800"});
  CHECK(words(lines[2]) == std::vector<std::string>{"1", "ReLU", "20", "0", "0", "0"});
  CHECK(words(lines.back()) == std::vector<std::string>{"total", "10", "16330", "32560", "65320"});
  for (const std::string& line : lines) {
    CHECK(line.size() == lines[0].size());
    CHECK(line.size() < 80);  // a terminal's width
  }
  // A parameter has eight bytes as double.
  CHECK(summary<Student, double>().find("130640") != std::string::npos);
}

}  // namespace

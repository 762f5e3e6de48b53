// SPDX-License-Identifier: MIT
// Compiled once for each instruction set, with FUNCTION as the name of what it defines.

#include <retort/data/synthetic_digits.hpp>
#include <retort/retort.hpp>

namespace rt = retort;

using Model = rt::Sequential<rt::Linear<784, 20>, rt::ReLU, rt::Linear<20, 10>>;

// The wrong ones of 200 digits after a training on 500 others; a negative number throws retort::OptionError.
int FUNCTION(double learning_rate);
int FUNCTION(double learning_rate) {
  const rt::data::Dataset train = rt::data::synthetic_digits(500, rt::Seed{0});
  const rt::data::Dataset test = rt::data::synthetic_digits(200, rt::Seed{1});
  rt::Network<Model> model{rt::Seed{0}};
  rt::Trainer{model, rt::CrossEntropy{}, rt::Adam{.learning_rate = learning_rate}}.fit(train, {.epochs = 10});
  return static_cast<int>(rt::evaluate(model, test).errors);
}

// SPDX-License-Identifier: MIT
#include "retort/loss/log_softmax.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"

using retort::row_maximum;
using retort::softmax_exponentials;

TEST_CASE("The maximum of a row is found wherever it stands", "[loss][softmax]") {
  for (std::size_t k = 0; k < 4; ++k) {
    double logits[4] = {-8, -7, -9, -8};
    logits[k] = -1;
    CHECK(row_maximum<4>(logits) == -1);
  }
}

TEST_CASE("Softmax is the normalised exponential at the temperature", "[loss][softmax]") {
  const double logits[3] = {0.5, -1.25, 2.0};
  const double temperature = 2.5;
  double exponentials[3];
  const auto normalizer = softmax_exponentials<3>(logits, 1 / temperature, exponentials);
  double direct_sum = 0;
  for (const double logit : logits) {
    direct_sum += std::exp(logit / temperature);
  }
  for (std::size_t k = 0; k < 3; ++k) {
    const double probability = std::exp(logits[k] / temperature) / direct_sum;
    CHECK_THAT(exponentials[k] / normalizer.sum, WithinRel(probability, 1e-14));
    CHECK_THAT((logits[k] - normalizer.maximum) / temperature - normalizer.log_sum,
               WithinRel(std::log(probability), 1e-13));
  }
}

TEST_CASE("Softmax of equal logits is uniform, however large they are", "[loss][softmax]") {
  for (const float logit : {-3e38f, -1e4f, 0.0f, 1e4f, 3e38f}) {
    const float logits[4] = {logit, logit, logit, logit};
    float exponentials[4];
    const auto normalizer = softmax_exponentials<4>(logits, 1.0f, exponentials);
    CHECK(normalizer.sum == 4.0f);
    for (const float exponential : exponentials) {
      CHECK(exponential == 1.0f);
    }
  }
}

// SPDX-License-Identifier: MIT
// A program of another project that computes with the products of a BLAS. It includes no more than it needs.

#include <cmath>
#include <cstdio>
#include <retort/backend/eigen/backend.hpp>
#include <retort/backend/eigen/cblas.hpp>
#include <retort/nn/avg_pool2d.hpp>
#include <retort/nn/linear.hpp>
#include <retort/nn/network.hpp>
#include <retort/nn/relu.hpp>
#include <retort/nn/sequential.hpp>
#include <retort/version.hpp>
#include <string>
#include <vector>

namespace rt = retort;

// A pooling that is not the first layer has no panels, whose products are Retort's own.
using Model = rt::Sequential<rt::ReLU, rt::AvgPool2d<rt::Shape<1, 3, 1>, 1>, rt::Linear<3, 4>, rt::Linear<4, 2>>;

int main() {
  const rt::Network<Model> plain{rt::Seed{0}, rt::backend::Eigen{1}};
  const rt::Network<Model> network{rt::Seed{0}, rt::backend::Eigen{1, rt::backend::cblas()}};
  const std::vector<float> samples{1, 2, 3, -1, 0, 1};
  std::vector<float> expected(4);
  std::vector<float> logits(4);
  plain.predict(samples, expected);
  network.predict(samples, logits);
  std::printf("Retort %s, %s: a first logit of %g, by Eigen of %g\n", std::string{rt::version}.c_str(),
              network.backend().describe().c_str(), logits[0], expected[0]);
  return logits[0] != 0 && std::abs(logits[0] - expected[0]) < 1e-5F ? 0 : 1;
}

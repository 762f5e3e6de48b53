// SPDX-License-Identifier: MIT
// A program of another project that trains with the products of a BLAS.

#include <cstdio>
#include <retort/backend/eigen/cblas.hpp>
#include <retort/retort.hpp>
#include <string>

namespace rt = retort;

using Model = rt::Sequential<rt::Linear<3, 4>, rt::LayerNorm<4>, rt::ReLU, rt::Linear<4, 2>>;

int main() {
  const rt::data::Dataset data(rt::data::Matrix<float>(2, 3, {1, 2, 3, -1, 0, 1}), {0, 1}, 2);
  rt::Network<Model> network{rt::Seed{0}, rt::backend::Eigen{1, rt::backend::cblas()}};
  rt::Trainer trainer{network, rt::CrossEntropy{}, rt::Adam{.learning_rate = 0.1}};
  const rt::History history = trainer.fit(data, {.epochs = 20, .batch_size = 2});
  std::printf("Retort %s, %s: from loss %g to %g\n", std::string{rt::version}.c_str(),
              network.backend().describe().c_str(), history.front().loss, history.back().loss);
  return history.back().loss < history.front().loss ? 0 : 1;
}

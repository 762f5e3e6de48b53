// SPDX-License-Identifier: MIT
// A program of another project that trains on Thrust, on the system it is compiled for (SYSTEM, BACKEND_HEADER):
// whichever of Retort's targets it links, this compiles, links and runs.

#include <algorithm>
#include <cstdio>
#include <retort/retort.hpp>
#include <string>

#include BACKEND_HEADER

namespace rt = retort;

using Model = rt::Sequential<rt::Linear<3, 4>, rt::ReLU, rt::Linear<4, 2>>;
using Backend = rt::backend::Thrust<rt::system::SYSTEM>;

int main() {
  const rt::data::Dataset data(rt::data::Matrix<float>(2, 3, {1, 2, 3, -1, 0, 1}), {0, 1}, 2);
  rt::Network<Model, Backend> network{rt::Seed{0}};
  const auto before = network.copy_parameters();
  rt::Trainer trainer{network, rt::CrossEntropy{}, rt::Adam{}};
  const rt::History history = trainer.fit(data, {.epochs = 1, .batch_size = 2});
  std::printf("Retort %s, %s: a step with loss %g\n", std::string{rt::version}.c_str(),
              network.backend().describe().c_str(), history.back().loss);
  return history.back().loss > 0 && !std::ranges::equal(before.span(), network.copy_parameters().span()) ? 0 : 1;
}

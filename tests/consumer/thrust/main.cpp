// SPDX-License-Identifier: MIT
// A program of another project whose network is on Thrust, on the system it is compiled for (SYSTEM, BACKEND_HEADER):
// whichever of Retort's targets it links, this compiles, links and runs. It includes no more than it needs.

#include <cstdio>
#include <retort/nn/linear.hpp>
#include <retort/nn/network.hpp>
#include <retort/nn/relu.hpp>
#include <retort/nn/sequential.hpp>
#include <retort/version.hpp>
#include <string>
#include <vector>

#include BACKEND_HEADER

namespace rt = retort;

using Model = rt::Sequential<rt::Linear<3, 4>, rt::ReLU, rt::Linear<4, 2>>;
using Backend = rt::backend::Thrust<rt::system::SYSTEM>;

int main() {
  const rt::Network<Model, Backend> network{rt::Seed{0}};
  const std::vector<float> samples{1, 2, 3, -1, 0, 1};
  std::vector<float> logits(4);
  network.predict(samples, logits);
  std::printf("Retort %s, %s: a first logit of %g for one sample, %g for another\n", std::string{rt::version}.c_str(),
              network.backend().describe().c_str(), logits[0], logits[2]);
  return logits[0] != 0 && logits[0] != logits[2] ? 0 : 1;
}

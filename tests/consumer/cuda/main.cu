// SPDX-License-Identifier: MIT
// A program of another project that trains on a GPU: whichever way Retort reaches it, this compiles and links. It is
// not run: there need not be a GPU. It includes no more than it needs.

#include <algorithm>
#include <cstdio>
#include <retort/backend/cuda/cuda.hpp>
#include <retort/loss/cross_entropy.hpp>
#include <retort/nn/linear.hpp>
#include <retort/nn/network.hpp>
#include <retort/nn/relu.hpp>
#include <retort/nn/sequential.hpp>
#include <retort/optim/adam.hpp>
#include <retort/train/trainer.hpp>
#include <retort/version.hpp>
#include <string>

namespace rt = retort;

// By cuBLASLt, as it does not fit a block.
using Model = rt::Sequential<rt::Linear<3, 400>, rt::ReLU, rt::Linear<400, 400>, rt::ReLU, rt::Linear<400, 2>>;

int main() {
  try {
    const rt::data::Dataset data(rt::data::Matrix<float>(2, 3, {1, 2, 3, -1, 0, 1}), {0, 1}, 2);
    rt::Network<Model, rt::backend::Cuda> network{rt::Seed{0}};
    const auto before = network.copy_parameters();
    rt::Trainer trainer{network, rt::CrossEntropy{}, rt::Adam{}};
    const rt::History history = trainer.fit(data, {.epochs = 1, .batch_size = 2});
    std::printf("Retort %s, %s: a step with loss %g\n", std::string{rt::version}.c_str(),
                network.backend().describe().c_str(), history.back().loss);
    const bool moved = !std::ranges::equal(before.span(), network.copy_parameters().span());
    return history.back().loss > 0 && moved ? 0 : 1;
  } catch (const rt::DeviceError& error) {
    std::printf("Retort %s: %s\n", std::string{rt::version}.c_str(), error.what());
    return 77;
  }
}

// SPDX-License-Identifier: MIT
// A program of another project that trains on a GPU: whichever way Retort reaches it, this compiles and links. It is
// not run: there need not be a GPU.

#include <algorithm>
#include <cstdio>
#include <retort/backend/cuda/cuda.hpp>
#include <retort/backend/thrust/cuda.hpp>
#include <retort/retort.hpp>
#include <string>

namespace rt = retort;

// On backend::Cuda the first trains in a block, the second by cuBLASLt.
using Small = rt::Sequential<rt::Linear<3, 4>, rt::ReLU, rt::Linear<4, 2>>;
using Large = rt::Sequential<rt::Linear<3, 400>, rt::ReLU, rt::Linear<400, 400>, rt::ReLU, rt::Linear<400, 2>>;

// Whether a step moves the weights.
template <typename Model, typename Backend>
bool takes_step() {
  const rt::data::Dataset data(rt::data::Matrix<float>(2, 3, {1, 2, 3, -1, 0, 1}), {0, 1}, 2);
  rt::Network<Model, Backend> network{rt::Seed{0}};
  const auto before = network.copy_parameters();
  rt::Trainer trainer{network, rt::CrossEntropy{}, rt::Adam{}};
  const rt::History history = trainer.fit(data, {.epochs = 1, .batch_size = 2});
  std::printf("Retort %s, %s: a step with loss %g\n", std::string{rt::version}.c_str(),
              network.backend().describe().c_str(), history.back().loss);
  return history.back().loss > 0 && !std::ranges::equal(before.span(), network.copy_parameters().span());
}

int main() {
  try {
    const bool all = takes_step<Small, rt::backend::Thrust<rt::system::Cuda>>() &&
                     takes_step<Small, rt::backend::Cuda>() && takes_step<Large, rt::backend::Cuda>();
    return all ? 0 : 1;
  } catch (const rt::DeviceError& error) {
    std::printf("Retort %s: %s\n", std::string{rt::version}.c_str(), error.what());
    return 77;
  }
}

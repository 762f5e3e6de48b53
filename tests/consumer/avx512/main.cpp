// SPDX-License-Identifier: MIT
// Both of the CPU's ways: panels of samples, and Eigen's products layer by layer.

#include <retort/retort.hpp>

namespace rt = retort;

using OnPanels = rt::Sequential<rt::Linear<784, 40>, rt::GELU, rt::Dropout<0.2>, rt::Linear<40, 10>>;
using ByLayers = rt::Sequential<rt::Linear<784, 40>, rt::LayerNorm<40>, rt::ReLU, rt::Linear<40, 20>, rt::BatchNorm<20>,
                                rt::SiLU, rt::Linear<20, 10>>;

int main(int argc, char** argv) {
  const auto [train, test] = rt::data::load_mnist(argv[argc - 1]);
  rt::Network<ByLayers> teacher{rt::Seed{0}};
  rt::Trainer{teacher, rt::CrossEntropy{}, rt::AdamW{}}.fit(train, test, {.epochs = 1});
  rt::Network<OnPanels> student{rt::Seed{1}};
  rt::DistillationTrainer{teacher, student, rt::HintonLoss{}, rt::Adam{}}.fit(train, test, {.epochs = 1});
  rt::io::save_safetensors(student, "student.safetensors");
}

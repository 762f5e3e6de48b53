// SPDX-License-Identifier: MIT
// Both of the CPU's ways: panels of samples, in float and with products of bfloat16, and Eigen's products layer by
// layer. Of the other headers those that are there: a BLAS, the bridge to xtensor, Thrust's host systems.

#include <retort/backend/eigen/bf16.hpp>
#include <retort/data/xtensor.hpp>
#include <retort/retort.hpp>

#if __has_include(<cblas.h>)
#include <retort/backend/eigen/cblas.hpp>
#endif
#if __has_include(<thrust/version.h>)
#include <retort/backend/thrust/cpp.hpp>
#ifdef _OPENMP
#include <retort/backend/thrust/omp.hpp>
#endif
#if __has_include(<tbb/version.h>)
#include <retort/backend/thrust/tbb.hpp>
#endif
#endif

namespace rt = retort;

using OnPanels = rt::Sequential<rt::Linear<784, 40>, rt::GELU, rt::Dropout<0.2>, rt::Linear<40, 10>>;
using ByLayers =
    rt::Sequential<rt::Dropout<0.0>, rt::AvgPool2d<rt::Shape<1, 28, 28>, 1>, rt::Linear<784, 40>, rt::LayerNorm<40>,
                   rt::ReLU, rt::Linear<40, 20>, rt::BatchNorm<20>, rt::SiLU, rt::Linear<20, 10>>;

int main(int argc, char** argv) {
  const auto [train, test] = rt::data::load_mnist(argv[argc - 1]);
  rt::Network<ByLayers> teacher{rt::Seed{0}};
  rt::Trainer{teacher, rt::CrossEntropy{}, rt::AdamW{}}.fit(train, test, {.epochs = 1});
  rt::Network<OnPanels> student{rt::Seed{1}};
  rt::DistillationTrainer{teacher, student, rt::HintonLoss{}, rt::Adam{}}.fit(train, test, {.epochs = 1});
  rt::Network<OnPanels, rt::backend::EigenBf16> rounded{rt::Seed{1}};
  rt::Trainer{rounded, rt::CrossEntropy{}, rt::Adam{}}.fit(train, {.epochs = 1});
  rt::io::save_safetensors(rounded, "student.safetensors");
}

// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/graph/clip_factor.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "backend/generic/serial_system.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/graph/step_arguments.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/optim/sgd.hpp"

namespace {

using namespace retort;
using namespace retort::backend::graph;

TEMPLATE_TEST_CASE("the factor of clipping follows from the norm over all gradients", "[graph]", float, double) {
  const backend::Thrust<retort::system::Serial> backend;
  StepArguments<TestType, 1, CrossEntropy, SgdRule<TestType>> arguments{};
  arguments.clipping = {.max_norm = 0.5};
  for (const std::size_t size : {std::size_t{1}, std::size_t{31}, std::size_t{40000}, std::size_t{100003}}) {
    CAPTURE(size);
    auto gradients = test::random_values<TestType>(size, 1);
    double squares = 0.0;
    for (const TestType value : gradients) {
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
    std::vector<double> scratch(backend::detail::sum_scratch_size<backend::Thrust<system::Serial>>(size));
    TestType factor = 0;
    find_clip_factor(backend, &arguments, gradients.data(), size, scratch.data(), &factor);
    CHECK_THAT(static_cast<double>(factor),
               WithinRel(arguments.clipping.clip_factor(std::sqrt(squares)), sizeof(TestType) == 4 ? 1e-6 : 1e-13));
    gradients.back() = std::numeric_limits<TestType>::infinity();
    find_clip_factor(backend, &arguments, gradients.data(), size, scratch.data(), &factor);
    CHECK(std::isnan(factor));
  }
}

}  // namespace

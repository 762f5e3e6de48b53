// SPDX-License-Identifier: MIT
// Training by graph::GraphSteps with its kernels as nvcc compiles them, run on the host, against the same by the host's
// compiler.

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "catch.hpp"
#include "ptx/emulated_device.hpp"
#include "ptx/emulated_system.hpp"
#include "ptx/graph_cases.hpp"
#include "random_values.hpp"

namespace {

using namespace retort;
using test::ptx::EmulatedDevice;
using test::ptx::GraphCase;

TEST_CASE("a graph's kernels", "[ptx]") {
  std::ifstream file(RETORT_PTX_FOLDER "/graph.ptx");
  EmulatedDevice& device = EmulatedDevice::get();
  device.load({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
  const std::vector<test::StepSettings> all_settings{
      {.samples = 100, .batch = 40, .epochs = 2},
      {.samples = 50, .batch = 32, .shift = {2}, .epochs = 1, .normalization = {.mean = 0.1307}},
      {.samples = 60, .batch = 32, .clipping = GradientClipping{.max_norm = 0.01}, .epochs = 1},
      {.samples = 3, .batch = 1, .epochs = 1},
  };
  for (const GraphCase which : {GraphCase::wide, GraphCase::wide_bf16, GraphCase::wide_adam, GraphCase::wide_double,
                                GraphCase::front, GraphCase::front_bf16}) {
    for (std::size_t i = 0; i < all_settings.size(); ++i) {
      CAPTURE(which, i);
      const auto expected = test::ptx::train_graph_case<system::Twin>(which, all_settings[i]);
      const auto found = test::ptx::train_graph_case<system::Emulated>(which, all_settings[i]);
      CHECK(test::largest_difference(found.parameters, expected.parameters) <
            (which == GraphCase::wide_double ? 1e-12 : 1e-5));
      CHECK_THAT(found.sum.loss, WithinRel(expected.sum.loss, 1e-5));
      CHECK(found.sum.correct == expected.sum.correct);
    }
  }
  INFO(device.findings.text());
  CHECK(device.findings.count() == 0);
  CHECK(device.launches.size() >= 12);
}

}  // namespace

// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/runtime/graph.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "backend/cuda/runtime/cuda_device.hpp"
#include "catch.hpp"
#include "retort/backend/cuda/runtime/buffer.hpp"
#include "retort/backend/cuda/runtime/copy.hpp"

namespace {

using namespace retort::backend::cuda;
using retort::test::error_of;

struct Counters {
  std::shared_ptr<CudaContext> context = CudaContext::create();
  DeviceBuffer<std::uint32_t> source{context, 4};
  DeviceBuffer<std::uint32_t> target{context, 4};

  void write(std::uint32_t value) {
    const std::vector<std::uint32_t> values(4, value);
    copy_from_host(*context, std::span(values), source.data());
  }
  std::uint32_t read() const {
    std::vector<std::uint32_t> values(4);
    copy_to_host(*context, target.data(), std::span(values));
    return values.back();
  }
  void work() { copy_on_device(*context, std::as_const(source).data(), target.data(), 4); }
};

TEST_CASE("a graph does what was recorded, when it is launched", "[graph][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  Counters counters;
  fill_zero(*counters.context, counters.target.data(), 4);
  counters.write(1);
  const ExecutableGraph graph(*counters.context, [&] { counters.work(); });
  CHECK(counters.read() == 0);
  graph.launch(*counters.context);
  CHECK(counters.read() == 1);
  counters.write(2);
  graph.launch(*counters.context);
  CHECK(counters.read() == 2);
}

TEST_CASE("a recording that an exception leaves ends", "[graph][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  Counters counters;
  counters.write(3);
  const auto record = [&](const auto& work) { const ExecutableGraph graph(*counters.context, work); };
  CHECK_THROWS_AS(record([&] {
                    counters.work();
                    throw std::runtime_error("stop");
                  }),
                  std::runtime_error);
  // What must not be recorded spoils the record, and is told.
  CHECK(!error_of([&] { record([&] { counters.context->synchronize(); }); }).empty());
  CHECK(counters.context->usable());
  counters.work();
  CHECK(counters.read() == 3);
  const ExecutableGraph graph(*counters.context, [&] { counters.work(); });
  counters.write(4);
  graph.launch(*counters.context);
  CHECK(counters.read() == 4);
}

}  // namespace

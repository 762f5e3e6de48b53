// SPDX-License-Identifier: MIT
/// Products by Eigen, and what all libraries of products have alike.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <string>

#include "backend/product_benchmark.hpp"
#include "host_runner.hpp"
#include "models.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/matrix_view.hpp"
#include "train/step_benchmark.hpp"

namespace retort::benchmarks {

namespace {

using backend::Transpose;
using MakeLibrary = backend::ProductLibrary (*)();

constexpr std::size_t batch = 64;

AlignedBuffer<float> filled(std::size_t size) {
  AlignedBuffer<float> buffer(size);
  for (std::size_t i = 0; i < size; ++i) {
    buffer[i] = static_cast<float>(i % 17) / 16.0f;
  }
  return buffer;
}

/// result (rows, columns) = left (rows, depth) right (depth, columns), whole: without the strips that threads share.
template <Transpose left_transpose, Transpose right_transpose>
void multiply(benchmark::State& state, MakeLibrary make_library, std::size_t rows, std::size_t columns,
              std::size_t depth) {
  const backend::Eigen backend(1, make_library());
  const auto left_values = filled(rows * depth);
  const auto right_values = filled(depth * columns);
  auto result = filled(rows * columns);
  const bool left_is_transposed = left_transpose == Transpose::yes;
  const bool right_is_transposed = right_transpose == Transpose::yes;
  const MatrixView left(left_values.data(), left_is_transposed ? depth : rows, left_is_transposed ? rows : depth);
  const MatrixView right(right_values.data(), right_is_transposed ? columns : depth,
                         right_is_transposed ? depth : columns);
  for (auto _ : state) {
    backend::detail::multiply<left_transpose, right_transpose>(backend, left, right,
                                                               MatrixView(result.data(), rows, columns));
    benchmark::ClobberMemory();
  }
  state.counters["FLOP/s"] = benchmark::Counter(2.0 * static_cast<double>(rows * columns * depth),
                                                benchmark::Counter::kIsIterationInvariantRate);
}

/// Operation by operation, also where panels could compute the model.
template <Model M>
void step(benchmark::State& state, MakeLibrary make_library) {
  const backend::Eigen backend(1, make_library());
  Network<M> network{Seed{0}, backend};
  internal::EpochTrainer<M, backend::Eigen, float, CrossEntropy, Adam, internal::NoTeacher,
                         backend::GenericSteps<M, backend::Eigen, float>>
      epoch_trainer(network, {}, {}, {});
  run_epochs<HostRunner<backend::Eigen>>(
      state, backend, epoch_trainer, {epoch_of_batches<backend::Eigen>(batch), batch, training_step_flops<M>(batch)});
}

}  // namespace

void register_products(const std::string& way, MakeLibrary make_library) {
  const auto add = [&way](const std::string& name, auto run) {
    benchmark::RegisterBenchmark((name + "/" + way).c_str(), run)->UseRealTime();
  };
  struct Sizes {
    std::size_t in, out;
  };
  for (const auto [in, out] : {Sizes{784, 20}, Sizes{20, 20}, Sizes{784, 1200}, Sizes{1200, 1200}, Sizes{1200, 10}}) {
    const std::string layer = "<" + std::to_string(in) + "," + std::to_string(out) + ">";
    add("product/forward" + layer, [=, in = in, out = out](benchmark::State& state) {
      multiply<Transpose::no, Transpose::yes>(state, make_library, batch, out, in);
    });
    add("product/weight_gradient" + layer, [=, in = in, out = out](benchmark::State& state) {
      multiply<Transpose::yes, Transpose::no>(state, make_library, out, in, batch);
    });
    add("product/input_gradient" + layer, [=, in = in, out = out](benchmark::State& state) {
      multiply<Transpose::no, Transpose::no>(state, make_library, batch, in, out);
    });
  }
  add("training_step<Teacher>/operations", [=](benchmark::State& state) { step<Teacher>(state, make_library); });
}

namespace {

[[maybe_unused]] const bool registered = [] {
  register_products("eigen", [] { return backend::ProductLibrary{}; });
  return true;
}();

}  // namespace

}  // namespace retort::benchmarks

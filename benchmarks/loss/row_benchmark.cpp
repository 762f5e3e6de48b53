// SPDX-License-Identifier: MIT
/// Losses over a batch of ten classes: row by row, and with a row in each lane of a vector.

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "retort/core/aligned_buffer.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/loss.hpp"
#include "retort/simd/vector.hpp"

namespace retort::benchmarks {

namespace {

using V = simd::Vector<float>;

constexpr std::size_t classes = 10;
constexpr std::size_t batch = 64;

/// Logits between -4 and 4, (batch, classes) or (classes, batch).
AlignedBuffer<float> logits(std::size_t step) {
  AlignedBuffer<float> values(batch * classes);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i * step % 65) / 8.0f - 4.0f;
  }
  return values;
}

template <Loss L>
void rows(benchmark::State& state) {
  const auto student = logits(7);
  const auto teacher = logits(11);
  AlignedBuffer<float> gradient(batch * classes);
  for (auto _ : state) {
    for (std::size_t row = 0; row < batch; ++row) {
      const std::size_t at = row * classes;
      benchmark::DoNotOptimize(L{}.template row<classes>(
          StudentLogits<float>{student.data() + at}, TeacherLogits<float>{teacher.data() + at},
          static_cast<std::uint32_t>(row % classes), 1.0f / batch, gradient.data() + at));
    }
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
}

template <Loss L>
void vectors(benchmark::State& state) {
  const auto student = logits(7);
  const auto teacher = logits(11);
  AlignedBuffer<float> gradient(batch * classes);
  AlignedBuffer<float> losses(batch);
  for (auto _ : state) {
    for (std::size_t first = 0; first < batch; first += simd::lanes<V>) {
      std::array<V, classes> student_logits;
      std::array<V, classes> teacher_logits;
      std::array<V, classes> gradients;
      for (std::size_t k = 0; k < classes; ++k) {
        student_logits[k] = V::load_aligned(student.data() + k * batch + first);
        teacher_logits[k] = V::load_aligned(teacher.data() + k * batch + first);
      }
      const V loss =
          L{}.template row<classes>(StudentLogits<V>{student_logits.data()}, TeacherLogits<V>{teacher_logits.data()},
                                    V(3.0f), V(1.0f / batch), gradients.data());
      loss.store_aligned(losses.data() + first);
      for (std::size_t k = 0; k < classes; ++k) {
        gradients[k].store_aligned(gradient.data() + k * batch + first);
      }
    }
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
}

template <Loss L>
void register_loss() {
  const std::string name = "loss<" + std::string(L::name) + ">/";
  benchmark::RegisterBenchmark((name + "rows").c_str(), rows<L>);
  benchmark::RegisterBenchmark((name + "vectors").c_str(), vectors<L>);
}

[[maybe_unused]] const bool registered = [] {
  register_loss<CrossEntropy>();
  register_loss<HintonLoss>();
  return true;
}();

}  // namespace

}  // namespace retort::benchmarks

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A backend whose memory counts as not the host's, as a device's is not: it computes as Eigen does, but refuses
/// pointers from the wrong side, and counts what crosses over.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>

#include "retort/backend/eigen/backend.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/loss.hpp"
#include "retort/nn/linear.hpp"
#include "retort/optim/max_norm.hpp"

namespace retort::test {

/// The memory that is not the host's.
class SeparateRegions {
 public:
  static void add(const void* begin, std::size_t bytes) {
    if (begin != nullptr) {
      regions()[static_cast<const std::byte*>(begin)] = bytes;
    }
  }
  static void remove(const void* begin) { regions().erase(static_cast<const std::byte*>(begin)); }

  /// The end counts: tensors that a model does not have lie there.
  static bool contain(const void* pointer) { return place_in(pointer) <= 0; }
  /// The end does not count: the host's memory may begin there.
  static bool contain_element(const void* pointer) { return place_in(pointer) < 0; }

 private:
  /// Bytes from the end of the region that begins last before `pointer`; positive beyond all regions.
  static std::ptrdiff_t place_in(const void* pointer) {
    const auto* at = static_cast<const std::byte*>(pointer);
    const auto after = regions().upper_bound(at);
    if (after == regions().begin()) {
      return 1;
    }
    const auto& [begin, bytes] = *std::prev(after);
    return at - (begin + bytes);
  }

  using Regions = std::map<const std::byte*, std::size_t, std::less<>>;
  static Regions& regions() {
    static Regions regions;
    return regions;
  }
};

/// Null is for what is not there.
template <typename... Pointers>
void require_separate(Pointers... pointers) {
  if (((pointers != nullptr && !SeparateRegions::contain(pointers)) || ...)) {
    throw std::logic_error("a backend's operation was given the host's memory");
  }
}

inline void require_host(const void* pointer) {
  if (SeparateRegions::contain_element(pointer)) {
    throw std::logic_error("a backend's memory was taken for the host's");
  }
}

/// Begins as NaN, or as the largest integers.
template <typename T>
class SeparateBuffer {
 public:
  SeparateBuffer() = default;
  explicit SeparateBuffer(std::size_t size) : memory_(AlignedBuffer<T>::uninitialized(size)) {
    if (size > 0) {
      std::memset(static_cast<void*>(memory_.data()), 0xFF, size * sizeof(T));
    }
    add();
  }
  SeparateBuffer(const SeparateBuffer& other) : memory_(other.memory_) { add(); }
  SeparateBuffer(SeparateBuffer&& other) noexcept = default;
  SeparateBuffer& operator=(SeparateBuffer other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~SeparateBuffer() { SeparateRegions::remove(memory_.data()); }

  T* data() { return memory_.data(); }
  const T* data() const { return memory_.data(); }
  std::size_t size() const { return memory_.size(); }

 private:
  void add() { SeparateRegions::add(memory_.data(), memory_.size() * sizeof(T)); }

  AlignedBuffer<T> memory_;
};

class SeparateMemory : public backend::Eigen {
 public:
  static constexpr const char* name = "separate";
  static constexpr bool host_memory = false;
  static constexpr std::size_t report_interval = 3;

  template <typename T>
  using Buffer = SeparateBuffer<T>;

  struct Copies {
    std::size_t to_host = 0;
    std::size_t from_host = 0;
    friend bool operator==(const Copies&, const Copies&) = default;
  };

  explicit SeparateMemory(int device = 0) : device_(device) {}

  template <typename T>
  Buffer<T> allocate(std::size_t count) const {
    ++*allocations_;
    return Buffer<T>(count);
  }

  bool shares_memory_with(const SeparateMemory& other) const { return device_ == other.device_; }

  /// Shared by the copies of a backend.
  Copies& copies() const { return *copies_; }
  std::size_t& allocations() const { return *allocations_; }

 private:
  int device_;
  std::shared_ptr<Copies> copies_ = std::make_shared<Copies>();
  std::shared_ptr<std::size_t> allocations_ = std::make_shared<std::size_t>(0);
};

inline const backend::Eigen& eigen_of(const SeparateMemory& backend) { return backend; }

template <typename T>
void copy_to_host(const SeparateMemory& backend, const T* from, std::span<T> to) {
  require_separate(from);
  require_host(to.data());
  ++backend.copies().to_host;
  copy_to_host(eigen_of(backend), from, to);
}

template <typename T>
void copy_from_host(const SeparateMemory& backend, std::span<const T> from, T* to) {
  require_host(from.data());
  require_separate(to);
  ++backend.copies().from_host;
  copy_from_host(eigen_of(backend), from, to);
}

template <typename T>
void fill_zero(const SeparateMemory& backend, T* values, std::size_t count) {
  require_separate(values);
  fill_zero(eigen_of(backend), values, count);
}

template <typename L, std::size_t N, typename Scalar>
void infer(const SeparateMemory& backend, L layer, backend::Width<N> width,
           const backend::InferArguments<Scalar>& arguments) {
  require_separate(arguments.parameters, arguments.buffers, arguments.input, arguments.output);
  infer(eigen_of(backend), layer, width, arguments);
}

template <typename L, std::size_t N, typename Scalar>
void forward(const SeparateMemory& backend, L layer, backend::Width<N> width,
             const backend::ForwardArguments<Scalar>& arguments) {
  require_separate(arguments.parameters, arguments.buffers, arguments.input, arguments.output);
  forward(eigen_of(backend), layer, width, arguments);
}

template <typename L, std::size_t N, typename Scalar>
void backward(const SeparateMemory& backend, L layer, backend::Width<N> width,
              const backend::BackwardArguments<Scalar>& arguments) {
  require_separate(arguments.parameters, arguments.input, arguments.output, arguments.output_gradient,
                   arguments.input_gradient, arguments.parameter_gradients);
  backward(eigen_of(backend), layer, width, arguments);
}

template <Loss L, std::size_t Classes, typename Scalar>
void evaluate_loss(const SeparateMemory& backend, const L& loss, backend::Width<Classes> width,
                   const backend::LossArguments<Scalar>& arguments) {
  require_separate(arguments.student, arguments.teacher.logits, arguments.samples, arguments.labels, arguments.gradient,
                   arguments.losses, arguments.correct, arguments.targets);
  evaluate_loss(eigen_of(backend), loss, width, arguments);
}

template <FeatureTerm T, std::size_t Features, typename Scalar>
void evaluate_term(const SeparateMemory& backend, const T& term, backend::Width<Features> width,
                   const backend::TermArguments<Scalar>& arguments) {
  require_separate(arguments.student, arguments.teacher.features, arguments.samples, arguments.gradient,
                   arguments.losses);
  evaluate_term(eigen_of(backend), term, width, arguments);
}

template <BatchTerm T, std::size_t Student, std::size_t Teacher, typename Scalar>
void evaluate_term(const SeparateMemory& backend, const T& term, backend::Width<Student> student,
                   backend::Width<Teacher> teacher, const backend::TermArguments<Scalar>& arguments) {
  require_separate(arguments.student, arguments.teacher.features, arguments.samples, arguments.gradient,
                   arguments.losses, arguments.teacher_rows, arguments.scratch);
  evaluate_term(eigen_of(backend), term, student, teacher, arguments);
}

template <typename Scalar>
void add(const SeparateMemory& backend, const Scalar* addends, Scalar* values, std::size_t count) {
  require_separate(addends, values);
  add(eigen_of(backend), addends, values, count);
}

template <typename Scalar>
backend::LossSum sum_losses(const SeparateMemory& backend, const Scalar* losses, const std::uint8_t* correct,
                            std::size_t count) {
  require_separate(losses, correct);
  return sum_losses(eigen_of(backend), losses, correct, count);
}

template <typename Scalar>
void clip_gradients(const SeparateMemory& backend, const GradientClipping& clipping, Scalar* gradients,
                    std::size_t size) {
  require_separate(gradients);
  clip_gradients(eigen_of(backend), clipping, gradients, size);
}

template <typename Rule, typename Scalar, std::size_t Moments>
void update_parameters(const SeparateMemory& backend, const Rule& rule, Scalar* parameters, const Scalar* gradients,
                       const std::array<Scalar*, Moments>& moments, std::size_t size) {
  require_separate(parameters, gradients);
  for (const Scalar* moment : moments) {
    require_separate(moment);
  }
  update_parameters(eigen_of(backend), rule, parameters, gradients, moments, size);
}

template <typename Scalar, std::size_t In, std::size_t Out, Bias bias>
void limit_weights(const SeparateMemory& backend, Linear<In, Out, bias> layer, const WeightLimit& limit,
                   Scalar* parameters) {
  require_separate(parameters);
  limit_weights(eigen_of(backend), layer, limit, parameters);
}

template <typename Scalar>
bool all_finite(const SeparateMemory& backend, const Scalar* values, std::size_t size) {
  require_separate(values);
  return all_finite(eigen_of(backend), values, size);
}

inline void shuffle_samples(const SeparateMemory& backend, const RandomPermutation& permutation, std::uint32_t* order) {
  require_separate(order);
  shuffle_samples(eigen_of(backend), permutation, order);
}

inline void require_separate_data(const data::DatasetView& data) {
  require_separate(data.bytes, data.reals, data.labels);
}

template <typename Scalar>
void gather_batch(const SeparateMemory& backend, const data::DatasetView& data, const std::uint32_t* samples,
                  std::size_t count, const data::View& view, Scalar* inputs) {
  require_separate_data(data);
  require_separate(samples, inputs);
  gather_batch(eigen_of(backend), data, samples, count, view, inputs);
}

template <Model M, typename Scalar>
void predict_batch(const SeparateMemory& backend, M model, const backend::InferArguments<Scalar>& arguments) {
  require_separate(arguments.parameters, arguments.buffers, arguments.input, arguments.output);
  predict_batch(eigen_of(backend), model, arguments);
}

template <Model M, typename Scalar>
void predict_dataset(const SeparateMemory& backend, M model, const Scalar* parameters, const Scalar* buffers,
                     const data::DatasetView& data, Scalar* logits) {
  require_separate_data(data);
  require_separate(parameters, buffers, logits);
  predict_dataset(eigen_of(backend), model, parameters, buffers, data, logits);
}

}  // namespace retort::test

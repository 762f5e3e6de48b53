// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The Operations of a backend type. No Catch2 here, which nvcc need not read.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "every_backend/arenas.hpp"
#include "every_backend/candidate.hpp"
#include "every_backend/models.hpp"
#include "random_values.hpp"
#include "retort/backend/backend.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/backend/generic/run_model.hpp"
#include "retort/core/permutation.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/hint.hpp"
#include "retort/nn/network.hpp"
#include "retort/train/resident_dataset.hpp"

namespace retort::test {

/// Calls function(element `index` of a tuple).
template <typename Tuple, typename Function, std::size_t... Index>
void visit_element(const Tuple& tuple, std::size_t index, const Function& function, std::index_sequence<Index...>) {
  (static_cast<void>(Index == index ? (function(std::get<Index>(tuple)), 0) : 0), ...);
}
template <typename Tuple, typename Function>
void visit_element(const Tuple& tuple, std::size_t index, const Function& function) {
  visit_element(tuple, index, function, std::make_index_sequence<std::tuple_size_v<Tuple>>{});
}

template <typename Backend, typename Scalar = float>
class OperationsOf final : public Operations {
 public:
  explicit OperationsOf(Backend backend) : backend_(std::move(backend)) {}

  PassResult pass(std::size_t model, std::size_t batch) const override {
    PassResult result;
    visit_element(Models{}, model, [&]<typename M>(const M&) { result = pass_of<M>(batch); });
    return result;
  }

  LossResult loss(std::size_t index, std::size_t batch, bool teacher_by_sample) const override {
    LossResult result;
    visit_element(losses, index, [&](const auto& loss) { result = loss_of(loss, batch, teacher_by_sample); });
    return result;
  }

  LossResult batch_term(std::size_t index, std::size_t batch, bool teacher_by_sample) const override {
    LossResult result;
    visit_element(batch_terms, index, [&](const auto& term) { result = term_of(term, batch, teacher_by_sample); });
    return result;
  }

  UpdateResult update(std::size_t optimizer, std::size_t size, std::size_t steps) const override {
    UpdateResult result;
    visit_element(optimizers, optimizer, [&](const auto& chosen) { result = update_of(chosen, size, steps); });
    return result;
  }

  Numbers clip(const std::vector<float>& gradients, double max_norm) const override {
    auto buffer = upload(gradients);
    clip_gradients(backend_, GradientClipping{max_norm}, buffer.data(), gradients.size());
    return download(buffer.data(), gradients.size());
  }

  Numbers limit(const std::vector<float>& parameters, double max_norm) const override {
    auto buffer = upload(parameters);
    limit_weights(backend_, LimitedLayer{}, WeightLimit{max_norm}, buffer.data());
    return download(buffer.data(), parameters.size());
  }

  bool finite(const std::vector<float>& values) const override {
    const auto buffer = upload(values);
    return all_finite(backend_, buffer.data(), values.size());
  }

  std::vector<std::uint32_t> shuffle(std::uint32_t size, std::uint64_t seed, std::uint32_t epoch) const override {
    auto order = backend_.template allocate<std::uint32_t>(size);
    shuffle_samples(backend_, RandomPermutation(size, {Seed{seed}, Stream::shuffle, epoch}), order.data());
    std::vector<std::uint32_t> result(size);
    copy_to_host(backend_, std::as_const(order).data(), std::span(result));
    return result;
  }

  Numbers gather(const data::Dataset& data, const std::vector<std::uint32_t>& samples,
                 const data::View& view) const override {
    const internal::ResidentDataset resident(backend_, data);
    const auto indices = upload_as<std::uint32_t>(samples);
    const std::size_t size = samples.size() * data.feature_count();
    auto inputs = garbage(size);
    gather_batch(backend_, resident.view(), indices.data(), samples.size(), view, inputs.data());
    return download(inputs.data(), size);
  }

 private:
  template <typename T>
  using Buffer = typename Backend::template Buffer<T>;

  template <typename T, typename Values>
  Buffer<T> upload_as(const Values& values) const {
    std::vector<T> converted(values.size());
    std::ranges::transform(values, converted.begin(), [](auto value) { return static_cast<T>(value); });
    auto buffer = backend_.template allocate<T>(converted.size());
    copy_from_host(backend_, std::span<const T>(converted), buffer.data());
    return buffer;
  }

  template <typename Values>
  Buffer<Scalar> upload(const Values& values) const {
    return upload_as<Scalar>(values);
  }

  /// Memory that an operation must fill.
  Buffer<Scalar> garbage(std::size_t size) const {
    return upload(std::vector<Scalar>(size, std::numeric_limits<Scalar>::quiet_NaN()));
  }

  template <typename T>
  Numbers download(const T* values, std::size_t count) const {
    std::vector<T> copy(count);
    copy_to_host(backend_, values, std::span(copy));
    return {copy.begin(), copy.end()};
  }

  template <typename M>
  PassResult pass_of(std::size_t batch) const {
    Network<M, Backend, Scalar> network{Seed{3}, backend_};
    set_parameters(network, random_values<float>(M::parameter_count, 11, -1.0, 1.0));
    const auto host_inputs = random_values<float>(batch * M::input_size, 12, -1.5, 1.5);
    const std::size_t outputs = batch * M::output_size;
    const std::size_t capacity = batch + 3;
    const auto inputs = upload(host_inputs);
    const auto output_gradient = upload(random_values<float>(outputs, 13));
    auto activations = garbage(internal::activation_arena_size<M>(capacity));
    auto scratch = garbage(backend::pass_scratch_size<M>(capacity));
    auto gradients = garbage(M::parameter_arena_size);
    auto input_gradients = garbage(batch * M::input_size);
    auto inferred = garbage(outputs);

    // Before the step, which moves running statistics.
    PassResult result;
    run_inference<M>(backend_,
                     backend::InferArguments<Scalar>{network.parameter_data(), network.buffer_data(), inputs.data(),
                                                     inferred.data(), batch},
                     scratch.data());
    result.inferred = download(inferred.data(), outputs);
    const std::vector<Scalar> predicted_inputs(host_inputs.begin(), host_inputs.end());
    std::vector<Scalar> logits(outputs);
    network.predict(predicted_inputs, logits);
    result.predicted.assign(logits.begin(), logits.end());

    const backend::LayerRandom random{Seed{5}, 3};
    const Scalar* step_outputs =
        internal::run_forward<M>(backend_,
                                 backend::ForwardArguments<Scalar>{network.parameter_data(), network.buffer_data(),
                                                                   inputs.data(), activations.data(), batch, random},
                                 capacity);
    result.outputs = download(step_outputs, outputs);
    internal::run_backward<M>(backend_,
                              backend::BackwardArguments<Scalar>{.parameters = network.parameter_data(),
                                                                 .input = inputs.data(),
                                                                 .output = activations.data(),
                                                                 .output_gradient = output_gradient.data(),
                                                                 .input_gradient = input_gradients.data(),
                                                                 .parameter_gradients = gradients.data(),
                                                                 .batch = batch,
                                                                 .random = random,
                                                                 .buffers = network.buffer_data()},
                              capacity, scratch.data());
    std::vector<Scalar> arena(M::parameter_arena_size);
    copy_to_host(backend_, std::as_const(gradients).data(), std::span(arena));
    result.parameter_gradients = packed(M::parameters, std::span<const Scalar>(arena));
    result.input_gradients = download(input_gradients.data(), batch * M::input_size);
    result.buffers = packed(M::buffers, std::span<const Scalar>(network.copy_buffers().span()));
    return result;
  }

  static std::vector<std::uint32_t> chosen_samples(std::size_t batch, std::size_t samples) {
    std::vector<std::uint32_t> chosen(batch);
    for (std::size_t i = 0; i < batch; ++i) {
      chosen[i] = static_cast<std::uint32_t>((3 * i + 2) % samples);
    }
    return chosen;
  }

  template <typename L>
  LossResult loss_of(const L& loss, std::size_t batch, bool teacher_by_sample) const {
    constexpr std::size_t classes = 10;
    const std::size_t samples = 2 * batch + 5;
    std::vector<std::uint32_t> labels(samples);
    for (std::size_t i = 0; i < samples; ++i) {
      labels[i] = TakesUnlabelled<L> && i % 5 == 3 ? data::unlabelled : static_cast<std::uint32_t>(i * 7 % classes);
    }
    const auto student = upload(random_values<float>(batch * classes, 21, -8.0, 8.0));
    const auto teacher = upload(random_values<float>(samples * classes, 22, -20.0, 20.0));
    const auto targets = upload_as<float>(random_values<float>(samples * classes, 23, 0.0, 1.0));
    const auto backend_labels = upload_as<std::uint32_t>(labels);
    const auto backend_samples = upload_as<std::uint32_t>(chosen_samples(batch, samples));
    auto gradient = garbage(batch * classes);
    auto row_losses = garbage(batch);
    auto correct = upload_as<std::uint8_t>(std::vector<int>(batch, 99));
    evaluate_loss(backend_, loss, backend::Width<classes>{},
                  backend::LossArguments<Scalar>{.student = student.data(),
                                                 .teacher = {teacher.data(), teacher_by_sample},
                                                 .samples = backend_samples.data(),
                                                 .labels = backend_labels.data(),
                                                 .gradient = gradient.data(),
                                                 .losses = row_losses.data(),
                                                 .correct = correct.data(),
                                                 .batch = batch,
                                                 .targets = targets.data()});
    const backend::LossSum sum =
        sum_losses(backend_, std::as_const(row_losses).data(), std::as_const(correct).data(), batch);
    return {.losses = download(row_losses.data(), batch),
            .correct = download(correct.data(), batch),
            .gradient = download(gradient.data(), batch * classes),
            .loss_sum = sum.loss,
            .correct_sum = sum.correct};
  }

  template <typename T>
  LossResult term_of(const T& term, std::size_t batch, bool teacher_by_sample) const {
    constexpr std::size_t width = 10;
    constexpr std::size_t teacher_width = ComparesLayers<T> ? 13 : width;
    const std::size_t samples = 2 * batch + 5;
    const auto student = upload(random_values<float>(batch * width, 23));
    const auto teacher = upload(random_values<float>(samples * teacher_width, 24));
    const auto backend_samples = upload_as<std::uint32_t>(chosen_samples(batch, samples));
    auto gradient = garbage(batch * width);
    auto row_losses = upload(random_values<float>(batch, 25));
    auto teacher_rows = garbage(batch * teacher_width);
    auto scratch = garbage(T::template scratch_size<width, teacher_width>(batch));
    evaluate_term(backend_, term, backend::Width<width>{}, backend::Width<teacher_width>{},
                  backend::TermArguments<Scalar>{.student = student.data(),
                                                 .teacher = {nullptr, teacher_by_sample, teacher.data()},
                                                 .samples = backend_samples.data(),
                                                 .gradient = gradient.data(),
                                                 .losses = row_losses.data(),
                                                 .batch = batch,
                                                 .teacher_rows = teacher_rows.data(),
                                                 .scratch = scratch.data()});
    LossResult result;
    result.losses = download(row_losses.data(), batch);
    result.gradient = download(gradient.data(), batch * width);
    for (double& entry : result.gradient) {
      entry *= static_cast<double>(batch);
    }
    return result;
  }

  template <typename O>
  UpdateResult update_of(const O& optimizer, std::size_t size, std::size_t steps) const {
    auto parameters = upload(random_values<float>(size, 31));
    std::array<Buffer<Scalar>, O::moment_count> moments;
    std::array<Scalar*, O::moment_count> pointers{};
    for (std::size_t i = 0; i < O::moment_count; ++i) {
      moments[i] = backend_.template allocate<Scalar>(size);
      fill_zero(backend_, moments[i].data(), size);
      pointers[i] = moments[i].data();
    }
    for (std::size_t step = 1; step <= steps; ++step) {
      const auto gradients = upload(random_values<float>(size, 31 + step));
      update_parameters(backend_, optimizer.template rule<Scalar>(step, 0.01 * static_cast<double>(step)),
                        parameters.data(), gradients.data(), pointers, size);
    }
    UpdateResult result{.parameters = download(parameters.data(), size), .moments = {}};
    for (const Buffer<Scalar>& moment : moments) {
      const Numbers values = download(moment.data(), size);
      result.moments.insert(result.moments.end(), values.begin(), values.end());
    }
    return result;
  }

  Backend backend_;
};

}  // namespace retort::test

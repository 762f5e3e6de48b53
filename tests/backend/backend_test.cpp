// SPDX-License-Identifier: MIT
#include "retort/backend/backend.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "catch.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/generic/host_memory.hpp"
#include "retort/core/error.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/hinton.hpp"

namespace {

using namespace retort;

static_assert(backend::Backend<backend::Eigen>);
static_assert(backend::Backend<backend::Eigen, float> && backend::Backend<backend::Eigen, double>);
static_assert(!backend::Backend<int>);

// A backend that can do everything, and then backends that each lack one operation.
namespace complete {

struct Device : backend::HostMemory {
  static constexpr const char* name = "complete";
  std::string describe() const { return "a backend that computes nothing"; }
};

template <typename L, std::size_t N, typename Scalar>
void infer(const Device&, L, backend::Width<N>, const backend::InferArguments<Scalar>&) {}
template <typename L, std::size_t N, typename Scalar>
void forward(const Device&, L, backend::Width<N>, const backend::ForwardArguments<Scalar>&) {}
template <typename L, std::size_t N, typename Scalar>
void backward(const Device&, L, backend::Width<N>, const backend::BackwardArguments<Scalar>&) {}
template <std::size_t Classes, Loss L, typename Scalar>
void evaluate_loss(const Device&, const L&, backend::Width<Classes>, const backend::LossArguments<Scalar>&) {}
template <std::size_t Features, FeatureTerm T, typename Scalar>
void evaluate_term(const Device&, const T&, backend::Width<Features>, const backend::TermArguments<Scalar>&) {}
template <std::size_t Student, std::size_t Teacher, BatchTerm T, typename Scalar>
void evaluate_term(const Device&, const T&, backend::Width<Student>, backend::Width<Teacher>,
                   const backend::TermArguments<Scalar>&) {}
template <typename Scalar>
void add(const Device&, const Scalar*, Scalar*, std::size_t) {}
template <typename Scalar>
backend::LossSum sum_losses(const Device&, const Scalar*, const std::uint8_t*, std::size_t) {
  return {};
}
template <typename Rule, typename Scalar, std::size_t Moments>
void update_parameters(const Device&, const Rule&, Scalar*, const Scalar*, const std::array<Scalar*, Moments>&,
                       std::size_t) {}
template <typename Scalar>
void clip_gradients(const Device&, const GradientClipping&, Scalar*, std::size_t) {}
template <std::size_t In, std::size_t Out, Bias bias, typename Scalar>
void limit_weights(const Device&, Linear<In, Out, bias>, const WeightLimit&, Scalar*) {}
template <typename Scalar>
bool all_finite(const Device&, const Scalar*, std::size_t) {
  return true;
}
[[maybe_unused]] void shuffle_samples(const Device&, const RandomPermutation&, std::uint32_t*) {}
template <typename Scalar>
void gather_batch(const Device&, const data::DatasetView&, const std::uint32_t*, std::size_t, const data::View&,
                  Scalar*) {}
template <Model M, typename Scalar>
void predict_batch(const Device&, M, const backend::InferArguments<Scalar>&) {}
template <Model M, typename Scalar>
void predict_dataset(const Device&, M, const Scalar*, const Scalar*, const data::DatasetView&, Scalar*) {}

// What a derived class takes away again hides its base's operation: an exact match that is deleted.
struct WithoutInfer : Device {};
template <typename L, std::size_t N, typename Scalar>
void infer(const WithoutInfer&, L, backend::Width<N>, const backend::InferArguments<Scalar>&) = delete;

struct WithoutLayerNorm : Device {};
template <std::size_t N, typename Scalar>
void backward(const WithoutLayerNorm&, LayerNorm<N>, backend::Width<N>,
              const backend::BackwardArguments<Scalar>&) = delete;

struct WithoutPooling : Device {};
template <typename Input, std::size_t K, std::size_t N, typename Scalar>
void infer(const WithoutPooling&, AvgPool2d<Input, K>, backend::Width<N>,
           const backend::InferArguments<Scalar>&) = delete;

struct WithoutChains : Device {};
template <PointwiseLayer... Layers, std::size_t N, typename Scalar>
void forward(const WithoutChains&, backend::Chain<Layers...>, backend::Width<N>,
             const backend::ForwardArguments<Scalar>&) = delete;

struct WithoutLoss : Device {};
template <std::size_t Classes, Loss L, typename Scalar>
void evaluate_loss(const WithoutLoss&, const L&, backend::Width<Classes>,
                   const backend::LossArguments<Scalar>&) = delete;

struct WithoutTeacherLoss : Device {};
template <std::size_t Classes, typename Scalar>
void evaluate_loss(const WithoutTeacherLoss&, const HintonLoss&, backend::Width<Classes>,
                   const backend::LossArguments<Scalar>&) = delete;

struct WithoutTerms : Device {};
template <std::size_t Features, FeatureTerm T, typename Scalar>
void evaluate_term(const WithoutTerms&, const T&, backend::Width<Features>,
                   const backend::TermArguments<Scalar>&) = delete;

struct WithoutBatchTerms : Device {};
template <std::size_t Student, std::size_t Teacher, BatchTerm T, typename Scalar>
void evaluate_term(const WithoutBatchTerms&, const T&, backend::Width<Student>, backend::Width<Teacher>,
                   const backend::TermArguments<Scalar>&) = delete;

struct WithoutAdd : Device {};
template <typename Scalar>
void add(const WithoutAdd&, const Scalar*, Scalar*, std::size_t) = delete;

struct WithoutSum : Device {};
template <typename Scalar>
backend::LossSum sum_losses(const WithoutSum&, const Scalar*, const std::uint8_t*, std::size_t) = delete;

struct SumAsNumber : Device {};
template <typename Scalar>
double sum_losses(const SumAsNumber&, const Scalar*, const std::uint8_t*, std::size_t) {
  return 0.0;
}

struct WithoutUpdate : Device {};
template <typename Rule, typename Scalar, std::size_t Moments>
void update_parameters(const WithoutUpdate&, const Rule&, Scalar*, const Scalar*, const std::array<Scalar*, Moments>&,
                       std::size_t) = delete;

struct OnlyTwoMoments : Device {};
template <typename Rule, typename Scalar>
void update_parameters(const OnlyTwoMoments&, const Rule&, Scalar*, const Scalar*, const std::array<Scalar*, 1>&,
                       std::size_t) = delete;

struct WithoutClipping : Device {};
template <typename Scalar>
void clip_gradients(const WithoutClipping&, const GradientClipping&, Scalar*, std::size_t) = delete;

struct WithoutLimits : Device {};
template <std::size_t In, std::size_t Out, Bias bias, typename Scalar>
void limit_weights(const WithoutLimits&, Linear<In, Out, bias>, const WeightLimit&, Scalar*) = delete;

struct WithoutFinite : Device {};
template <typename Scalar>
bool all_finite(const WithoutFinite&, const Scalar*, std::size_t) = delete;

struct WithoutShuffle : Device {};
void shuffle_samples(const WithoutShuffle&, const RandomPermutation&, std::uint32_t*) = delete;

struct WithoutGather : Device {};
template <typename Scalar>
void gather_batch(const WithoutGather&, const data::DatasetView&, const std::uint32_t*, std::size_t, const data::View&,
                  Scalar*) = delete;

struct WithoutPredictBatch : Device {};
template <Model M, typename Scalar>
void predict_batch(const WithoutPredictBatch&, M, const backend::InferArguments<Scalar>&) = delete;

struct WithoutPredictDataset : Device {};
template <Model M, typename Scalar>
void predict_dataset(const WithoutPredictDataset&, M, const Scalar*, const Scalar*, const data::DatasetView&,
                     Scalar*) = delete;

struct WithoutCopyToHost : Device {};
template <typename T>
void copy_to_host(const WithoutCopyToHost&, const T*, std::span<T>) = delete;

struct WithoutCopyFromHost : Device {};
template <typename T>
void copy_from_host(const WithoutCopyFromHost&, std::span<const T>, T*) = delete;

struct WithoutFillZero : Device {};
template <typename T>
void fill_zero(const WithoutFillZero&, T*, std::size_t) = delete;

struct WithoutBuffers : Device {
  template <typename T>
  AlignedBuffer<T> allocate(std::size_t) const = delete;
};

struct BuffersThatCannotBeCopied : Device {
  template <typename T>
  using Buffer = std::unique_ptr<AlignedBuffer<T>>;
  template <typename T>
  Buffer<T> allocate(std::size_t) const {
    return nullptr;
  }
};

struct WithoutName : Device {
  static constexpr int name = 1;
};

struct WithoutDescription : Device {
  void describe() const {}
};

struct NotCopyable : Device {
  NotCopyable() = default;
  NotCopyable(const NotCopyable&) = delete;
};

}  // namespace complete

static_assert(backend::Backend<complete::Device>);
static_assert(!backend::Backend<complete::WithoutInfer>);
static_assert(!backend::InfersLayer<complete::WithoutInfer, Linear<3, 2>, 3, float>);
static_assert(!backend::Backend<complete::WithoutLayerNorm>);
static_assert(backend::RunsLayer<complete::WithoutLayerNorm, Linear<3, 2>, 3, float>);
static_assert(!backend::Backend<complete::WithoutPooling>);
static_assert(backend::RunsLayer<complete::WithoutPooling, BatchNorm<3>, 3, float>);
static_assert(!backend::Backend<complete::WithoutChains>);
static_assert(backend::RunsLayer<complete::WithoutChains, LayerNorm<3>, 3, float>);
static_assert(!backend::EvaluatesLosses<complete::WithoutLoss, float>);
static_assert(!backend::Backend<complete::WithoutLoss>);
static_assert(!backend::Backend<complete::WithoutTerms>);
static_assert(!backend::Backend<complete::WithoutBatchTerms>);
static_assert(!backend::Backend<complete::WithoutAdd>);
static_assert(!backend::EvaluatesLosses<complete::WithoutTeacherLoss, float>);
static_assert(!backend::Backend<complete::WithoutTeacherLoss>);
static_assert(!backend::Backend<complete::WithoutSum>);
static_assert(!backend::Backend<complete::SumAsNumber>);
static_assert(!backend::Backend<complete::WithoutUpdate>);
static_assert(!backend::UpdatesParameters<complete::OnlyTwoMoments, float>);
static_assert(!backend::Backend<complete::OnlyTwoMoments>);
static_assert(!backend::Backend<complete::WithoutClipping>);
static_assert(!backend::Backend<complete::WithoutLimits>);
static_assert(!backend::Backend<complete::WithoutFinite>);
static_assert(!backend::Backend<complete::WithoutShuffle>);
static_assert(!backend::Backend<complete::WithoutGather>);
static_assert(!backend::Backend<complete::WithoutPredictBatch>);
static_assert(!backend::Backend<complete::WithoutPredictDataset>);
static_assert(!backend::Backend<complete::WithoutCopyToHost>);
static_assert(!backend::Backend<complete::WithoutCopyFromHost>);
static_assert(!backend::Backend<complete::WithoutFillZero>);
static_assert(!backend::Backend<complete::WithoutBuffers>);
static_assert(!backend::Backend<complete::BuffersThatCannotBeCopied>);
static_assert(!backend::Backend<complete::WithoutName>);
static_assert(!backend::Backend<complete::WithoutDescription>);
static_assert(!backend::Backend<complete::NotCopyable>);

TEST_CASE("The Eigen backend says what it is", "[backend]") {
  const backend::Eigen one;
  CHECK(std::string{backend::Eigen::name} == "eigen");
  CHECK(one.threads() == 1);
  CHECK(one.describe().find("Eigen 3.") == 0);
  CHECK(one.describe().find(", 1 thread") != std::string::npos);
  CHECK(backend::Eigen{3}.describe().find(", 3 threads") != std::string::npos);
  CHECK_THROWS_AS(backend::Eigen{0}, OptionError);
}

TEST_CASE("Copies of the Eigen backend share its threads", "[backend]") {
  const backend::Eigen first{2};
  const backend::Eigen second = first;
  CHECK(&first.pool() == &second.pool());
}

}  // namespace

#include "retort/backend/backend.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "catch.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/error.hpp"

namespace {

using namespace retort;

static_assert(backend::Backend<backend::Eigen>);
static_assert(backend::Backend<backend::Eigen, float> && backend::Backend<backend::Eigen, double>);
static_assert(!backend::Backend<int>);

// A backend that can do everything, and then backends that each lack one operation.
namespace complete {

struct Device {};

template <Layer L, std::size_t N, typename Scalar>
void infer(const Device&, L, backend::Width<N>, const backend::InferArguments<Scalar>&) {}
template <Layer L, std::size_t N, typename Scalar>
void forward(const Device&, L, backend::Width<N>, const backend::ForwardArguments<Scalar>&) {}
template <Layer L, std::size_t N, typename Scalar>
void backward(const Device&, L, backend::Width<N>, const backend::BackwardArguments<Scalar>&) {}
template <std::size_t Classes, Loss L, typename Scalar>
backend::LossSum evaluate_loss(const Device&, const L&, backend::Width<Classes>,
                               const backend::LossArguments<Scalar>&) {
  return {};
}
template <typename Rule, typename Scalar, std::size_t Moments>
void update_parameters(const Device&, const Rule&, Scalar*, const Scalar*, const std::array<Scalar*, Moments>&,
                       std::size_t) {}
template <typename Scalar>
double squared_norm(const Device&, const Scalar*, std::size_t) {
  return 0.0;
}
template <typename Scalar>
void scale_values(const Device&, Scalar*, std::size_t, Scalar) {}
template <typename Scalar>
void gather_batch(const Device&, const data::DatasetView&, std::span<const std::uint32_t>, data::RandomShift, Seed,
                  std::uint32_t, Scalar*) {}
template <Model M, typename Scalar>
void predict_batch(const Device&, M, const Scalar*, const Scalar*, const Scalar*, Scalar*, std::size_t) {}
template <Model M, typename Scalar>
void predict_dataset(const Device&, M, const Scalar*, const Scalar*, const data::DatasetView&, Scalar*) {}

// What a derived class takes away again hides its base's operation: an exact match that is deleted.
struct WithoutInfer : Device {};
template <Layer L, std::size_t N, typename Scalar>
void infer(const WithoutInfer&, L, backend::Width<N>, const backend::InferArguments<Scalar>&) = delete;

struct WithoutLayerNorm : Device {};
template <std::size_t N, typename Scalar>
void backward(const WithoutLayerNorm&, LayerNorm<N>, backend::Width<N>,
              const backend::BackwardArguments<Scalar>&) = delete;

struct WithoutLoss : Device {};
template <std::size_t Classes, Loss L, typename Scalar>
backend::LossSum evaluate_loss(const WithoutLoss&, const L&, backend::Width<Classes>,
                               const backend::LossArguments<Scalar>&) = delete;

struct WithoutUpdate : Device {};
template <typename Rule, typename Scalar, std::size_t Moments>
void update_parameters(const WithoutUpdate&, const Rule&, Scalar*, const Scalar*, const std::array<Scalar*, Moments>&,
                       std::size_t) = delete;

struct WithoutNorm : Device {};
template <typename Scalar>
double squared_norm(const WithoutNorm&, const Scalar*, std::size_t) = delete;

struct NormInFloat : Device {};
template <typename Scalar>
float squared_norm(const NormInFloat&, const Scalar*, std::size_t) {
  return 0.0f;
}

struct WithoutGather : Device {};
template <typename Scalar>
void gather_batch(const WithoutGather&, const data::DatasetView&, std::span<const std::uint32_t>, data::RandomShift,
                  Seed, std::uint32_t, Scalar*) = delete;

struct WithoutPredict : Device {};
template <Model M, typename Scalar>
void predict_dataset(const WithoutPredict&, M, const Scalar*, const Scalar*, const data::DatasetView&,
                     Scalar*) = delete;

struct NotCopyable : Device {
  NotCopyable() = default;
  NotCopyable(const NotCopyable&) = delete;
};

}  // namespace complete

static_assert(backend::Backend<complete::Device>);
static_assert(!backend::Backend<complete::WithoutInfer>);
static_assert(!backend::Backend<complete::WithoutLayerNorm>);
static_assert(backend::RunsLayer<complete::WithoutLayerNorm, Linear<3, 2>, 3, float>);
static_assert(!backend::Backend<complete::WithoutLoss>);
static_assert(!backend::Backend<complete::WithoutUpdate>);
static_assert(!backend::Backend<complete::WithoutNorm>);
static_assert(!backend::Backend<complete::NormInFloat>);
static_assert(!backend::Backend<complete::WithoutGather>);
static_assert(!backend::Backend<complete::WithoutPredict>);
static_assert(!backend::Backend<complete::NotCopyable>);

TEST_CASE("The Eigen backend says what it is", "[backend]") {
  const backend::Eigen one;
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

// SPDX-License-Identifier: MIT
// Trainings on a device whose blocks may have too little memory for the engine that their types choose.

#include "retort/backend/steps_by_device.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include "backend/generic/serial_system.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/block/cluster.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/engines.hpp"
#include "retort/backend/cuda/graph/steps.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/epoch_trainer.hpp"
#include "retort/train/fit.hpp"
#include "retort/train/fit_options.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/sweep_grid.hpp"
#include "retort/train/teacher.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"

namespace {

using namespace retort;
using backend::Precision;
using backend::ThreadGroup;
using backend::block::InputKind;
using retort::test::same_bits;

/// Its blocks have as much memory as a test says.
struct SerialBlocks : system::Serial {
  struct Options {
    std::size_t block_memory = 0;
  };

  explicit SerialBlocks(const Options& options) : Serial(Serial::Options{}), memory(options.block_memory) {}

  std::size_t block_memory() const { return memory; }

  std::size_t memory;
};

using Student = Sequential<Linear<30, 8>, ReLU, Linear<8, 4>>;
template <Precision precision = Precision::fp32, ThreadGroup group = ThreadGroup::block>
using Device = backend::CudaOn<SerialBlocks, precision, group>;
template <typename Backend, Model M = Student>
using Training = backend::TrainingTypes<Backend, M, HintonLoss, Adam, float, internal::Teacher<M, Backend, float>>;

template <Model M>
constexpr std::size_t needed_by = std::max(backend::block::Layout<M, float, InputKind::bytes>::bytes,
                                           backend::block::Layout<M, float, InputKind::reals>::bytes);
constexpr std::size_t needed = needed_by<Student>;

const data::Dataset& images() {
  static const data::Dataset data = test::noise_images(75, {5, 6}, 4, 1);
  return data;
}

TEST_CASE("A model whose block has room trains by it, and else by a graph of kernels", "[backend]") {
  const FitOptions options{.epochs = 3, .batch_size = 16, .seed = Seed{4}, .augmentation = {.shift = 1}};
  const auto train = [&](const auto& device, auto steps) {
    using Backend = std::remove_cvref_t<decltype(device)>;
    using Steps = typename decltype(steps)::type;
    const Network<Student, Backend> teacher{Seed{3}, device};
    Network<Student, Backend> student{Seed{1}, device};
    internal::EpochTrainer<Student, Backend, float, HintonLoss, Adam, internal::Teacher<Student, Backend, float>, Steps>
        trainer(student, {}, {}, {&teacher});
    retort::detail::fit(trainer, images(), nullptr, options);
    return std::pair(student.copy_parameters(), trainer.describe());
  };
  const auto check = [&]<Precision precision>() {
    using Backend = Device<precision>;
    const Backend small{{.block_memory = needed - 1}};
    const Backend large{{.block_memory = needed}};
    const auto chosen = std::type_identity<internal::StepsOf<Training<Backend>>>{};
    const auto by_block = train(large, std::type_identity<backend::block::BlockSteps<Student, float, SerialBlocks>>{});
    const auto by_graph =
        train(small, std::type_identity<backend::graph::GraphSteps<Student, float, SerialBlocks, precision>>{});
    const auto on_large = train(large, chosen);
    const auto on_small = train(small, chosen);
    CHECK(same_bits(on_large.first.span(), by_block.first.span()));
    CHECK(same_bits(on_small.first.span(), by_graph.first.span()));
    CHECK_FALSE(same_bits(on_small.first.span(), on_large.first.span()));  // another order of sums
    CHECK(on_large.second == "a block of threads with full-precision products in float");
    CHECK(on_small.second ==
          concatenate({"a graph of kernels with ", precision == Precision::fp32 ? "full-precision" : "bf16",
                       " products in float, not a block of threads with full-precision products: the model and a chunk "
                       "of samples take ",
                       needed, " bytes of a block's shared memory, and this device's blocks have ", needed - 1}));
  };
  check.template operator()<Precision::fp32>();
  check.template operator()<Precision::bf16>();
}

TEST_CASE("A cluster needs the memory of the block that trains what it does not", "[backend]") {
  using Shared = Sequential<Linear<784, 20>, ReLU, Linear<20, 10>>;
  using Backend = Device<Precision::fp32, ThreadGroup::cluster>;
  const Backend small{{.block_memory = needed_by<Shared> - 1}};
  const Backend large{{.block_memory = needed_by<Shared>}};
  CHECK(internal::describe_engine<Training<Backend, Shared>>(large).starts_with("a cluster of blocks"));
  const std::string on_small = internal::describe_engine<Training<Backend, Shared>>(small);
  CAPTURE(on_small);
  CHECK(on_small.starts_with("a graph of kernels with full-precision products in float, not a cluster of blocks"));
  CHECK(on_small.find(", not a block of threads with full-precision products: the model") != std::string::npos);
  using Chosen = internal::StepsOf<Training<Backend, Shared>>;
  CHECK(Chosen::takes_runs_on(large));
  CHECK_FALSE(Chosen::takes_runs_on(small));
}

TEST_CASE("A cluster needs the memory of its blocks, which may be more than that of one block", "[backend]") {
  using Small = Sequential<Linear<32, 64>, ReLU, Linear<64, 10>>;
  using Backend = Device<Precision::fp32, ThreadGroup::cluster>;
  constexpr std::size_t of_cluster = std::max(backend::block::ClusterLayout<Small, float, InputKind::bytes>::bytes,
                                              backend::block::ClusterLayout<Small, float, InputKind::reals>::bytes);
  STATIC_REQUIRE(of_cluster > needed_by<Small>);
  const auto describe = [](std::size_t memory) {
    return internal::describe_engine<Training<Backend, Small>>(Backend{{.block_memory = memory}});
  };
  CHECK(describe(of_cluster).starts_with("a cluster of blocks"));
  for (const std::size_t memory : {needed_by<Small>, of_cluster - 1}) {
    const std::string found = describe(memory);
    CAPTURE(found);
    CHECK(found.starts_with("a block of threads with full-precision products in float, not a cluster of blocks"));
    CHECK(found.ends_with(concatenate({": a block's part of the model takes ", of_cluster,
                                       " bytes of a block's shared memory, and this device's blocks have ", memory})));
  }
  CHECK(describe(needed_by<Small> - 1).starts_with("a graph of kernels"));
  using Chosen = internal::StepsOf<Training<Backend, Small>>;
  CHECK(Chosen::takes_runs_on(Backend{{.block_memory = of_cluster}}));
  CHECK(Chosen::takes_runs_on(Backend{{.block_memory = needed_by<Small>}}));
  CHECK_FALSE(Chosen::takes_runs_on(Backend{{.block_memory = needed_by<Small> - 1}}));
}

TEST_CASE("A block trains what a cluster's blocks have no room for", "[backend]") {
  using Small = Sequential<Linear<32, 64>, ReLU, Linear<64, 10>>;
  const auto digits = test::noise_images(75, {4, 8}, 10, 1);
  const auto train = [&]<ThreadGroup group>(std::size_t memory) {
    using Backend = Device<Precision::fp32, group>;
    const Backend device{{.block_memory = memory}};
    const Network<Small, Backend> teacher{Seed{3}, device};
    Network<Small, Backend> student{Seed{1}, device};
    DistillationTrainer trainer{teacher, student, HintonLoss{}, Adam{}};
    trainer.fit(digits, digits, {.epochs = 2, .batch_size = 16});
    return student.copy_parameters();
  };
  const auto by_block = train.template operator()<ThreadGroup::block>(needed_by<Small>);
  const auto in_its_place = train.template operator()<ThreadGroup::cluster>(needed_by<Small>);
  const auto by_cluster = train.template operator()<ThreadGroup::cluster>(backend::block::block_memory);
  CHECK(same_bits(in_its_place.span(), by_block.span()));
  CHECK_FALSE(same_bits(in_its_place.span(), by_cluster.span()));  // another order of sums
}

TEST_CASE("What no engine takes by its types asks nothing of the device", "[backend]") {
  using Normalized = Sequential<Linear<30, 8>, BatchNorm<8>, Linear<8, 4>>;
  STATIC_REQUIRE(internal::StepsOf<Training<Device<>, Normalized>>::by_operations);
  CHECK(internal::describe_engine<Training<Device<>, Normalized>>(Device<>{{.block_memory = 0}})
            .starts_with("single operations in float, not a block of threads"));
}

TEST_CASE("A sweep's students train one by one where a block has no room for one", "[backend]") {
  const auto settings =
      sweep_grid(SweepSetting<>{.optimizer = {.learning_rate = 1e-2}}, SweepAxis{&HintonLoss::temperature, {1, 3}},
                 SweepAxis{&SweepSetting<>::seed, {Seed{5}, Seed{9}}});
  const SweepOptions options{.epochs = 3, .batch_size = 16};
  for (const std::size_t memory : {needed - 1, needed}) {
    CAPTURE(memory);
    const Device<> device{{.block_memory = memory}};
    const Network<Student, Device<>> teacher{Seed{3}, device};
    const auto results = Sweep<Student, Device<>>{teacher, settings, device}.fit(images(), images(), options);
    REQUIRE(results.size() == settings.size());
    for (std::size_t i = 0; i < settings.size(); ++i) {
      CAPTURE(i);
      Network<Student, Device<>> student{settings[i].weights_seed(), device};
      DistillationTrainer trainer{teacher, student, settings[i].loss, settings[i].optimizer};
      CHECK(trainer.describe().starts_with(memory == needed ? "a block" : "a graph"));
      trainer.fit(images(), images(), options.fit_options(settings[i].seed));
      CHECK(same_bits(results[i].network.copy_parameters().span(), student.copy_parameters().span()));
    }
  }
}

}  // namespace

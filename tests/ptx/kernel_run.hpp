// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A case's kernel on the host, by its PTX, and its twin: the same source by HostTeam.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "ptx/kernel_cases.hpp"
#include "ptx/machine.hpp"
#include "random_values.hpp"
#include "retort/backend/arguments.hpp"
#include "retort/backend/cuda/block/kernel.hpp"
#include "retort/backend/cuda/block/team.hpp"
#include "retort/backend/cuda/block/train_blocks.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"

namespace retort::test::ptx {

struct RunSettings {
  std::size_t steps = 1;
  std::size_t batch = 64;
  std::size_t last_batch = 0;  // of the samples that follow the full batches
  std::size_t shift = 0;
  double max_norm = 0;
  double mean = 0.5;
  std::uint64_t seed = 1;
};

/// What a job writes.
template <typename C>
struct Results {
  using Scalar = typename C::Scalar;

  AlignedBuffer<Scalar> parameters;
  std::vector<AlignedBuffer<Scalar>> moments;
  AlignedBuffer<Scalar> losses;
  AlignedBuffer<Scalar> gradients;
  AlignedBuffer<std::uint8_t> correct;
  AlignedBuffer<backend::RunReport> report{1};

  void add_to(GlobalMemory& memory, const std::string& owner = "") {
    using Contents = GlobalMemory::Contents;
    memory.add(owner + "parameters", parameters.span(), Contents::given);
    for (std::size_t i = 0; i < moments.size(); ++i) {
      memory.add(owner + "moments " + std::to_string(i), moments[i].span(), Contents::given);
    }
    memory.add(owner + "losses", losses.span(), Contents::uninitialized);
    memory.add(owner + "correct", correct.span(), Contents::uninitialized);
    memory.add(owner + "gradients", gradients.span(), Contents::uninitialized);
    memory.add(owner + "report", report.span(), Contents::uninitialized);
  }
};

/// One job's data. They stay where they are.
template <typename C>
class KernelRun {
 public:
  using Scalar = typename C::Scalar;
  using Layout = typename C::Layout;
  using Model = typename C::Model;
  using Job = typename C::Job;
  static constexpr bool of_bytes = Layout::input_kind == bytes;

  /// `dataset`: of bytes; random numbers where there is none.
  explicit KernelRun(const RunSettings& settings, const data::Dataset* dataset = nullptr) : settings_(settings) {
    const std::size_t images = dataset != nullptr ? std::min<std::size_t>(dataset->size(), 5000) : 200;
    const std::size_t samples = settings.steps * settings.batch + settings.last_batch;
    const RandomStream random{Seed{settings.seed}, Stream::synthetic, 1};
    pixels_.resize(images * Model::input_size);
    features_ = random_values<float>(of_bytes ? 0 : images * Model::input_size, settings.seed + 10, -2.0, 2.0);
    for (std::size_t i = 0; i < pixels_.size(); ++i) {
      const std::uint32_t word = random.word(i);
      pixels_[i] = word % 3 == 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(word >> 24);
    }
    labels_.resize(images);
    for (std::size_t i = 0; i < images; ++i) {
      labels_[i] = random.word(pixels_.size() + i) % Model::output_size;
    }
    if (dataset != nullptr) {
      const data::DatasetView given = dataset->view();
      std::copy_n(given.bytes, pixels_.size(), pixels_.begin());
      std::copy_n(given.labels, images, labels_.begin());
    }
    order_.resize(samples);
    for (std::size_t i = 0; i < samples; ++i) {
      order_[i] = random.word(pixels_.size() + images + i) % static_cast<std::uint32_t>(images);
    }
    teacher_ = random_values<Scalar>(images * Model::output_size, settings.seed + 20, -4.0, 4.0);
    for (std::size_t i = 0; i < images && dataset != nullptr; ++i) {
      teacher_[i * Model::output_size + labels_[i]] += 8;
    }
    start_ = random_values<Scalar>(Model::parameter_arena_size, settings.seed + 30, -0.2, 0.2);
    if (of_bytes) {
      view_.bytes = pixels_.data();
    } else {
      view_.reals = features_.data();
    }
    view_.labels = labels_.data();
    view_.size = images;
    view_.features = Model::input_size;
    view_.image = {5, Model::input_size / 5};
    if (!view_.image.has(view_.features)) {
      view_.image = {4, Model::input_size / 4};
    }
    if (of_bytes && settings.mean != 0) {
      view_.normalization = {.mean = settings.mean, .standard_deviation = 0.5};
    }
    constexpr double rate = std::is_same_v<typename C::Optimizer, Sgd> ? 0.1 : 1e-3;
    const std::size_t batches = settings.steps + (settings.last_batch > 0 ? 1 : 0);
    for (std::size_t i = 0; i < batches; ++i) {
      rules_.push_back(typename C::Optimizer{}.template rule<Scalar>(i + 1, rate));
    }
  }
  KernelRun(const KernelRun&) = delete;
  KernelRun& operator=(const KernelRun&) = delete;
  ~KernelRun() = default;

  std::size_t samples() const { return order_.size(); }
  const std::vector<Scalar>& start() const { return start_; }

  Results<C> begin() const {
    Results<C> results{AlignedBuffer<Scalar>(start_.size()),
                       {},
                       AlignedBuffer<Scalar>(samples()),
                       AlignedBuffer<Scalar>(start_.size()),
                       AlignedBuffer<std::uint8_t>(samples())};
    std::ranges::copy(start_, results.parameters.data());
    // As in the midst of a training: Adam's first steps divide roundings by roundings.
    for (std::size_t i = 0; i < C::Optimizer::moment_count; ++i) {
      const double least = i == 0 ? -1e-3 : 1e-6;
      const double most = i == 0 ? 1e-3 : 1e-5;
      results.moments.emplace_back(start_.size());
      std::ranges::copy(random_values<Scalar>(start_.size(), settings_.seed + 40 + i, least, most),
                        results.moments[i].data());
    }
    return results;
  }

  Job job(Results<C>& results) const {
    Job job{};
    job.training = {view_,
                    block::InputConstants<Scalar>(view_),
                    order_.data(),
                    samples(),
                    {.augmentation = {.shift = settings_.shift}, .seed = Seed{5}, .index = 3}};
    job.batch_size = settings_.batch;
    job.seed = Seed{5};
    job.first_step = 7;
    job.rules = rules_.data();
    job.parameters = results.parameters.data();
    for (std::size_t i = 0; i < results.moments.size(); ++i) {
      job.moments[i] = results.moments[i].data();
    }
    if constexpr (C::Loss::needs_teacher) {
      job.teacher = {teacher_.data(), true};
    }
    job.losses = results.losses.data();
    job.correct = results.correct.data();
    job.gradients = results.gradients.data();
    job.max_norm = settings_.max_norm;
    if (Layout::blocks == 1) {
      auto validation = view_;
      validation.size = 70;
      job.evaluate(validation);
      job.report = results.report.data();
    }
    return job;
  }

  Results<C> run_twin() const {
    Results<C> results = begin();
    const Job its_job = job(results);
    if constexpr (Layout::blocks > 1) {
      block::run_host_cluster<Layout, Scalar>(block::ThreadOrder::ascending, Seed{}, [&](auto& team, Scalar* memory) {
        block::train<Layout, C::batches>(team, its_job, memory);
      });
    } else {
      block::HostTeam<Layout::threads> team;
      AlignedBuffer<Scalar> memory(Layout::size);
      block::train<Layout, C::batches>(team, its_job, memory.data());
    }
    return results;
  }

  void add_inputs_to(GlobalMemory& memory, const std::string& owner = "") {
    constexpr auto constant = GlobalMemory::Contents::constant;
    if (of_bytes) {
      memory.add(owner + "pixels", std::span(pixels_), constant);
    }
    memory.add(owner + "features", std::span(features_), constant);
    memory.add(owner + "labels", std::span(labels_), constant);
    memory.add(owner + "order", std::span(order_), constant);
    memory.add(owner + "teacher", std::span(teacher_), constant);
    memory.add(owner + "rules", std::span(rules_), constant);
  }

  static constexpr LaunchShape shape(unsigned blocks = static_cast<unsigned>(Layout::blocks)) {
    return {.blocks = blocks,
            .cluster = static_cast<unsigned>(Layout::blocks),
            .threads = static_cast<unsigned>(Layout::threads),
            .dynamic_shared = Layout::bytes};
  }

  Outcome run(const Program& program, Results<C>& results, const Schedule& schedule = {}) {
    GlobalMemory memory;
    add_inputs_to(memory);
    results.add_to(memory);
    const Job its_job = job(results);
    Outcome outcome = launch(program, shape(), &its_job, memory, schedule);
    for (const char* name : {"losses", "correct"}) {
      if (memory.at(name).unwritten() > 0) {
        outcome.findings.add(Fault::uninitialized, std::string(name) + ": not all of them were written");
      }
    }
    return outcome;
  }

 private:
  RunSettings settings_;
  std::vector<std::uint8_t> pixels_;
  std::vector<float> features_;
  std::vector<std::uint32_t> labels_;
  std::vector<std::uint32_t> order_;
  std::vector<Scalar> teacher_;
  std::vector<Scalar> start_;
  std::vector<typename C::Rule> rules_;
  data::DatasetView view_;
};

/// How far results are apart, of the largest number.
struct Difference {
  double parameters = 0;
  double moments = 0;
  double losses = 0;
  std::size_t answers = 0;
  bool same_report = true;
};

template <typename C>
Difference difference(const Results<C>& a, const Results<C>& b) {
  const auto relative = [](const auto& first, const auto& second) {
    double largest = 0;
    for (const auto value : first.span()) {
      largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    return largest_difference(first.span(), second.span()) / std::max(largest, 1e-30);
  };
  Difference result;
  result.parameters = relative(a.parameters, b.parameters);
  for (std::size_t i = 0; i < a.moments.size(); ++i) {
    result.moments = std::max(result.moments, relative(a.moments[i], b.moments[i]));
  }
  result.losses = relative(a.losses, b.losses);
  for (std::size_t i = 0; i < a.correct.size(); ++i) {
    result.answers += a.correct[i] != b.correct[i] ? 1u : 0u;
  }
  const backend::RunReport& first = a.report[0];
  const backend::RunReport& second = b.report[0];
  const auto near = [](double x, double y) { return std::abs(x - y) <= 1e-5 * std::abs(x); };
  result.same_report = near(first.sum.loss, second.sum.loss) && first.sum.correct == second.sum.correct &&
                       near(first.validation_loss, second.validation_loss) &&
                       first.validation_errors == second.validation_errors && first.not_finite == second.not_finite;
  return result;
}

}  // namespace retort::test::ptx

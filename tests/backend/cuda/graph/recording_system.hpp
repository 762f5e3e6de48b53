// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// CUDA graphs without a GPU: a system whose work is recorded and done again, to find what a record would freeze.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/graph/host_products.hpp"
#include "retort/backend/cuda/graph/system_traits.hpp"
#include "retort/backend/thrust/host_system.hpp"
#include "retort/backend/thrust/thrust.hpp"

namespace retort {

namespace system {

/// A system that can record what is asked of it instead of doing it, as a device's stream can: function objects are
/// kept as they are, with every number that they hold.
struct Recording : HostSystem {
  static constexpr const char* name = "recording";

  struct Options {};

  explicit Recording(const Options& /*options*/) {}

  std::string describe() const { return name; }

  template <typename Function>
  void for_each(std::size_t count, const Function& function) const {
    const auto call = [count, function] {
      for (std::size_t index = 0; index < count; ++index) {
        function(index);
      }
    };
    if (record != nullptr) {
      record->push_back(call);
    } else {
      call();
    }
  }

  mutable std::vector<std::function<void()>>* record = nullptr;
};

}  // namespace system

namespace backend::graph {

/// The first work of a key is done, the second recorded, and only the record is done from then on.
template <typename Key>
class RecordingRunner {
 public:
  explicit RecordingRunner(const Thrust<retort::system::Recording>& /*backend*/) {}

  template <typename Work>
  void run(const Thrust<retort::system::Recording>& backend, const Key& key, const Work& work) {
    const auto known = std::ranges::find(records_, key, &Record::key);
    if (known == records_.end()) {
      records_.push_back({key, {}});
      work();
      return;
    }
    if (known->calls.empty()) {
      backend.system().record = &known->calls;
      work();
      backend.system().record = nullptr;
    }
    for (const auto& call : known->calls) {
      call();
      ++replayed;
    }
  }

  static inline std::size_t replayed = 0;

 private:
  struct Record {
    Key key;
    std::vector<std::function<void()>> calls;
  };

  std::vector<Record> records_;
};

template <typename Scalar, Precision precision>
struct SystemTraits<retort::system::Recording, Scalar, precision> {
  using Products = HostProducts<retort::system::Recording, Scalar, precision>;
  template <typename Key>
  using Runner = RecordingRunner<Key>;
};

}  // namespace backend::graph

}  // namespace retort

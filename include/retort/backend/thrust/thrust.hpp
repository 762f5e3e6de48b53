// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The portable backend on Thrust: `retort::backend::Thrust<System>`. The system says where: on one core (system::Cpp),
/// on all cores (system::Omp, system::Tbb), on a GPU (system::Cuda). Include the header of each system that you use;
/// several may live in one program.
///
/// Its operations are those of backend/generic: a system brings memory and calls function objects. Products on the host
/// systems are plain loops. Each run of a system repeats bit for bit, and all host systems give the same bits on any
/// number of threads.

#include <cstddef>
#include <memory>
#include <source_location>
#include <span>
#include <string>

#include "retort/backend/generic/generic.hpp"
#include "retort/backend/generic/scratch.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/shared_handle.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// A handle: copies share the system's threads, or its device, stream and memory.
template <typename System>
class Thrust : public Generic<Thrust<System>> {
 public:
  using Options = typename System::Options;

  static constexpr const char* name = System::name;
  static constexpr bool host_memory = System::host_memory;
  static constexpr std::size_t report_interval = System::report_interval;
  static constexpr std::size_t elements_per_call = System::elements_per_call;
  static constexpr std::size_t inference_batch = System::inference_batch;

  template <typename T>
  using Buffer = typename System::template Buffer<T>;

  /// Throws OptionError for options out of range, DeviceError where there is no such device.
  explicit Thrust(const Options& options = {}) : shared_(std::make_shared<Shared>(options)) {}

  const System& system() const { return shared_->system; }
  std::string describe() const { return system().describe(); }
  /// Names the device, which decides the bits of a result.
  std::string processor(bool /*by_operations*/) const
    requires requires(const System& on) { on.processor(); }
  {
    return system().processor();
  }

  /// Contents are undefined. Throws std::bad_alloc, on a device DeviceError.
  template <typename T>
  Buffer<T> allocate(std::size_t count) const {
    return system().template allocate<T>(count);
  }

  /// Whether the other handle's buffers can be used here.
  bool shares_memory_with(const Thrust& other) const { return system().shares_memory_with(other.system()); }

  /// Temporary memory: `backend.scratch<float>(n).data()` is valid while the lease lives.
  template <typename T>
  auto scratch(std::size_t count) const {
    return shared_->scratch.template lease<T>(system(), count);
  }

  /// Calls function(index) for every index below `count`, in any order, several at once. `where`: the operation, for
  /// the DeviceError of a launch that fails.
  template <typename Function>
  void for_each(std::size_t count, const Function& function,
                const std::source_location& where = std::source_location::current()) const {
    if (count > 0) {
      if constexpr (host_memory) {
        system().for_each(count, function);
      } else {
        system().for_each(count, function, where);
      }
    }
  }

 private:
  struct Shared {
    explicit Shared(const Options& options) : system(options) {}

    System system;
    detail::ScratchPool<System> scratch;  // destroyed before the system
  };

  internal::SharedHandle<Shared> shared_;
};

template <typename System, typename T>
void copy_to_host(const Thrust<System>& backend, const T* from, std::span<T> to) {
  copy_to_host(backend.system(), from, to);
}

template <typename System, typename T>
void copy_from_host(const Thrust<System>& backend, std::span<const T> from, T* to) {
  copy_from_host(backend.system(), from, to);
}

template <typename System, typename T>
void fill_zero(const Thrust<System>& backend, T* values, std::size_t count) {
  fill_zero(backend.system(), values, count);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

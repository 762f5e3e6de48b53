// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The devices of the machine: which there are, what they are called, and whether this program can run on one.

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <source_location>
#include <span>
#include <string>
#include <string_view>

#include "retort/backend/cuda/runtime/error.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

/// What the driver answers when asked for its devices. Versions are 1000 major + 10 minor; driver 0: none installed.
struct DeviceSurvey {
  cudaError_t status = cudaSuccess;
  int count = 0;
  int driver_version = 0;
  int runtime_version = 0;
};

/// One device. `memory_pools`: whether it allocates in stream order.
struct DeviceFacts {
  int index = 0;
  std::string name;
  int major = 0;
  int minor = 0;
  std::size_t memory = 0;  // bytes
  bool memory_pools = false;
  std::size_t block_memory = 0;  // the most shared memory of a block, in bytes
};

/// "13.0" for 13000.
inline std::string version_text(int version) {
  return std::to_string(version / 1000) + '.' + std::to_string(version % 1000 / 10);
}

/// "139.7 GiB"; below 1 GiB in MiB, below 1 MiB in bytes, and from 1024 GiB in TiB.
inline std::string memory_text(std::size_t bytes) {
  constexpr std::size_t mebibyte = std::size_t{1} << 20;
  constexpr std::size_t gibibyte = std::size_t{1} << 30;
  constexpr std::size_t tebibyte = std::size_t{1} << 40;
  if (bytes < mebibyte) {
    return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
  }
  const std::size_t unit = bytes < gibibyte ? mebibyte : bytes < tebibyte ? gibibyte : tebibyte;
  // In tenths, rounded to nearest.
  const std::size_t tenths = bytes / unit * 10 + (bytes % unit * 10 + unit / 2) / unit;
  return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) +
         (unit == mebibyte   ? " MiB"
          : unit == gibibyte ? " GiB"
                             : " TiB");
}

/// Never throws: `status` says what is wrong.
inline DeviceSurvey survey_devices() noexcept {
  DeviceSurvey survey;
  (void)cudaDriverGetVersion(&survey.driver_version);
  (void)cudaRuntimeGetVersion(&survey.runtime_version);
  survey.status = cudaGetDeviceCount(&survey.count);
  (void)cudaGetLastError();
  return survey;
}

/// Throws DeviceError where there is no driver, too old a driver, no device at all, or none of number `device`.
inline void require_device(const DeviceSurvey& survey, int device,
                           const std::source_location& where = std::source_location::current()) {
  const std::string another = ", or " + std::string{another_backend};
  const std::string name = std::string{" ("} + cudaGetErrorName(survey.status) + ", " + detail::place(where) + ")";
  if (survey.status == cudaErrorInsufficientDriver || survey.status == cudaErrorStubLibrary) {
    const std::string needed = version_text(survey.runtime_version);
    throw DeviceError(survey.driver_version == 0 || survey.status == cudaErrorStubLibrary
                          ? "CUDA: no NVIDIA driver is installed" + name + "; install one for CUDA " + needed + another
                          : "CUDA: the NVIDIA driver is too old, for CUDA " + version_text(survey.driver_version) +
                                name + "; install one for CUDA " + needed + another);
  }
  if (survey.status == cudaErrorNoDevice || (survey.status == cudaSuccess && survey.count == 0)) {
    throw DeviceError("CUDA: no device (" + std::string{cudaGetErrorName(cudaErrorNoDevice)} + ", " +
                      detail::place(where) + "); make one visible (CUDA_VISIBLE_DEVICES)" + another);
  }
  check(survey.status, "count of the devices", where);
  if (device < 0 || device >= survey.count) {
    throw DeviceError("CUDA: device " + std::to_string(device) + " (" + cudaGetErrorName(cudaErrorInvalidDevice) +
                      ", " + detail::place(where) + "), expected " +
                      (survey.count == 1 ? "0, the only one" : "0 to " + std::to_string(survey.count - 1)));
  }
}

/// Precondition: require_device passed.
inline DeviceFacts query_device(int device, const std::source_location& where = std::source_location::current()) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "properties of the device", where);
  int memory_pools = 0;
  check(cudaDeviceGetAttribute(&memory_pools, cudaDevAttrMemoryPoolsSupported, device), "attribute of the device",
        where);
  return {device,
          properties.name,
          properties.major,
          properties.minor,
          properties.totalGlobalMem,
          memory_pools != 0,
          properties.sharedMemPerBlockOptin};
}

/// Throws DeviceError for a device older than every one of `architectures` (times ten: 900 is sm_90; empty: any will
/// do). Code for an older architecture may or may not run on a newer device: the first launch tells.
inline void require_architecture(const DeviceFacts& device, std::span<const int> architectures,
                                 const std::source_location& where = std::source_location::current()) {
  if (architectures.empty()) {
    return;
  }
  const int lowest = *std::ranges::min_element(architectures);
  if (device.major * 100 + device.minor * 10 < lowest) {
    const std::string found = std::to_string(device.major) + std::to_string(device.minor);
    throw DeviceError("CUDA: device " + std::to_string(device.index) + ", " + device.name + ", is sm_" + found + " (" +
                      cudaGetErrorName(cudaErrorNoKernelImageForDevice) + ", " + detail::place(where) +
                      "), the program was compiled for sm_" + std::to_string(lowest / 10) +
                      " and newer; compile it for sm_" + found + ", or " + std::string{another_backend});
  }
}

/// "Thrust 3.0.1 on CUDA 13.0, NVIDIA H200 (sm_90, 139.7 GiB), driver 13.0"; the driver by the CUDA version that it
/// supports. Begins with "CUDA" without a Thrust version.
inline std::string describe_device(const DeviceFacts& device, int runtime_version, int driver_version,
                                   std::string_view thrust_version = {}) {
  std::string text;
  if (!thrust_version.empty()) {
    text.append("Thrust ").append(thrust_version).append(" on ");
  }
  return text + "CUDA " + version_text(runtime_version) + ", " + device.name + " (sm_" + std::to_string(device.major) +
         std::to_string(device.minor) + ", " + memory_text(device.memory) + "), driver " + version_text(driver_version);
}

/// The line for a failed allocation: how much was asked for and how much is free. `free`: bytes.
inline std::string out_of_memory_text(const DeviceFacts& device, std::size_t asked, std::size_t free,
                                      const std::source_location& where) {
  return "CUDA: out of memory on device " + std::to_string(device.index) + ", " + device.name + ": " +
         memory_text(asked) + " asked, " + memory_text(free) + " of " + memory_text(device.memory) + " free (" +
         cudaGetErrorName(cudaErrorMemoryAllocation) + ", " + detail::place(where) + "); use a smaller batch, or " +
         std::string{another_backend};
}

/// Makes a device the calling thread's current one, and restores the former one at the end.
class DeviceGuard {
 public:
  /// Throws DeviceError.
  explicit DeviceGuard(int device, const std::source_location& where = std::source_location::current()) {
    int current = 0;
    check(cudaGetDevice(&current), "current device", where);
    if (current != device) {
      check(cudaSetDevice(device), "choice of the device", where);
      former_ = current;
    }
  }
  /// For destructors: does nothing if the device cannot be chosen.
  DeviceGuard(int device, std::nothrow_t) noexcept {
    int current = 0;
    if (cudaGetDevice(&current) == cudaSuccess && current != device && cudaSetDevice(device) == cudaSuccess) {
      former_ = current;
    }
  }
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;
  ~DeviceGuard() {
    if (former_ >= 0) {
      (void)cudaSetDevice(former_);
    }
  }

 private:
  int former_ = -1;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda

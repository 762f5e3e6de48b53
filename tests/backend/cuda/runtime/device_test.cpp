// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/runtime/device.hpp"

#include <array>
#include <cstddef>
#include <limits>
#include <source_location>
#include <span>
#include <string>

#include "backend/cuda/runtime/cuda_device.hpp"
#include "catch.hpp"

namespace {

using namespace retort::backend::cuda;
using retort::test::contains;
using retort::test::error_of;

const DeviceFacts h200{0, "NVIDIA H200", 9, 0, 150'007'742'464, true};

std::string here(const std::source_location& where) { return "device_test.cpp:" + std::to_string(where.line()); }

TEST_CASE("Without a driver, a new enough one, a device or that device: one line each and a hint", "[backend]") {
  const auto where = std::source_location::current();
  const auto refused = [&](DeviceSurvey survey, int device) {
    return error_of([&] { require_device(survey, device, where); });
  };
  CHECK(refused({cudaErrorInsufficientDriver, 0, 0, 13000}, 0) ==
        "CUDA: no NVIDIA driver is installed (cudaErrorInsufficientDriver, " + here(where) +
            "); install one for CUDA 13.0, or use another backend (--backend eigen)");
  CHECK(refused({cudaErrorStubLibrary, 0, 13000, 13000}, 0) ==
        "CUDA: no NVIDIA driver is installed (cudaErrorStubLibrary, " + here(where) +
            "); install one for CUDA 13.0, or use another backend (--backend eigen)");
  CHECK(refused({cudaErrorInsufficientDriver, 0, 12020, 13000}, 0) ==
        "CUDA: the NVIDIA driver is too old, for CUDA 12.2 (cudaErrorInsufficientDriver, " + here(where) +
            "); install one for CUDA 13.0, or use another backend (--backend eigen)");
  const std::string no_device = "CUDA: no device (cudaErrorNoDevice, " + here(where) +
                                "); make one visible (CUDA_VISIBLE_DEVICES), or use another backend (--backend eigen)";
  CHECK(refused({cudaErrorNoDevice, 0, 13000, 13000}, 0) == no_device);
  CHECK(refused({cudaSuccess, 0, 13000, 13000}, 0) == no_device);
  CHECK(refused({cudaSuccess, 1, 13000, 13000}, 1) ==
        "CUDA: device 1 (cudaErrorInvalidDevice, " + here(where) + "), expected 0, the only one");
  CHECK(refused({cudaSuccess, 4, 13000, 13000}, -1) ==
        "CUDA: device -1 (cudaErrorInvalidDevice, " + here(where) + "), expected 0 to 3");
  CHECK(contains(refused({cudaErrorSystemNotReady, 0, 13000, 13000}, 0), "cudaErrorSystemNotReady, " + here(where)));
  CHECK_NOTHROW(require_device({cudaSuccess, 1, 13000, 13000}, 0));
  CHECK_NOTHROW(require_device({cudaSuccess, 4, 13000, 13000}, 3));
}

TEST_CASE("A device older than the program's code is refused, another is not", "[backend]") {
  const auto where = std::source_location::current();
  constexpr std::array newer{1000, 1200};
  CHECK(error_of([&] { require_architecture(h200, newer, where); }) ==
        "CUDA: device 0, NVIDIA H200, is sm_90 (cudaErrorNoKernelImageForDevice, " + here(where) +
            "), the program was compiled for sm_100 and newer; compile it for sm_90, or use another backend "
            "(--backend eigen)");
  constexpr std::array minor{910};
  CHECK_THROWS_AS(require_architecture(h200, minor), retort::DeviceError);
  constexpr std::array same{1200, 900};
  CHECK_NOTHROW(require_architecture(h200, same));
  constexpr std::array older{750};
  CHECK_NOTHROW(require_architecture(h200, older));
  CHECK_NOTHROW(require_architecture(h200, {}));
}

TEST_CASE("A device describes itself", "[backend]") {
  CHECK(describe_device(h200, 13000, 13000, "3.0.1") ==
        "Thrust 3.0.1 on CUDA 13.0, NVIDIA H200 (sm_90, 139.7 GiB), driver 13.0");
  CHECK(describe_device(h200, 12090, 13010) == "CUDA 12.9, NVIDIA H200 (sm_90, 139.7 GiB), driver 13.1");
}

TEST_CASE("Out of memory tells what was asked and what is free", "[backend]") {
  const auto where = std::source_location::current();
  CHECK(out_of_memory_text(h200, std::size_t{1} << 50, std::size_t{3} << 29, where) ==
        "CUDA: out of memory on device 0, NVIDIA H200: 1024.0 TiB asked, 1.5 GiB of 139.7 GiB free "
        "(cudaErrorMemoryAllocation, " +
            here(where) + "); use a smaller batch, or use another backend (--backend eigen)");
}

TEST_CASE("Amounts of memory are written in the unit that fits", "[backend]") {
  CHECK(memory_text(0) == "0 bytes");
  CHECK(memory_text(1) == "1 byte");
  CHECK(memory_text((std::size_t{1} << 20) - 1) == "1048575 bytes");
  CHECK(memory_text(std::size_t{1} << 20) == "1.0 MiB");
  CHECK(memory_text(std::size_t{3} << 19) == "1.5 MiB");
  CHECK(memory_text(std::size_t{2} << 30) == "2.0 GiB");
  CHECK(memory_text((std::size_t{2} << 30) - 1) == "2.0 GiB");
  CHECK(memory_text(std::numeric_limits<std::size_t>::max()) == "16777216.0 TiB");
}

TEST_CASE("The survey of this machine agrees with CUDA", "[backend]") {
  const DeviceSurvey survey = survey_devices();
  CHECK(survey.runtime_version == CUDART_VERSION);
  if (survey.status == cudaSuccess) {
    CHECK(cudaPeekAtLastError() == cudaSuccess);
    CHECK(survey.driver_version >= 1000);
    REQUIRE(survey.count >= 1);
    const DeviceFacts facts = query_device(survey.count - 1);
    CHECK(facts.index == survey.count - 1);
    CHECK_FALSE(facts.name.empty());
    CHECK(facts.major >= 5);
    CHECK(facts.memory > std::size_t{1} << 28);
    CHECK(facts.block_memory >= 48 * 1024);  // CUDA C++ Programming Guide: every device's blocks have as much
  } else {
    CHECK(survey.count == 0);
    CHECK_THROWS_AS(query_device(0), retort::DeviceError);
  }
}

}  // namespace

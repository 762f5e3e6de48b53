// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The CUDA backend without its system: what it does on a GPU, and, for the tests, the same kernels run on the host.

#include <cstddef>
#include <string>

#include "retort/backend/thrust/backend.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// How the CUDA backend's graphs of kernels compute the products of a training step. Parameters, optimizer, activation
/// functions and loss are always in fp32; so are all inference and the other engines (a trainer's describe() names the
/// one that runs).
enum class Precision {
  fp32,  ///< exact products of floats
  tf32,  ///< factors rounded to 11 significant bits as the tensor cores read them
  bf16,  ///< factors rounded to 8 significant bits, sums in fp32 (Micikevicius et al., arXiv:1710.03740)
};

/// The threads that train a model which fits a block's memory. The two add the same sums in different orders, so
/// results differ by rounding.
enum class ThreadGroup {
  block,    ///< one block; a sweep's student has the same bits as one that trains alone
  cluster,  ///< up to eight blocks that share inputs and samples; of many models at once each still gets a single block
};

/// A handle like that of Thrust<System>, whose single operations it shares. It adds whole training steps: for models
/// that fit the memory of one block of threads, and for models of wide layers. On a host system the same kernels run as
/// plain loops: slow, and just as correct.
template <typename System, Precision precision_ = Precision::fp32, ThreadGroup group_ = ThreadGroup::block>
class CudaOn : public Thrust<System> {
  static_assert(precision_ == Precision::fp32 || group_ == ThreadGroup::block,
                "retort: a cluster of blocks trains with full-precision products");

 public:
  using Options = typename System::Options;

  static constexpr Precision precision = precision_;
  static constexpr ThreadGroup group = group_;
  static constexpr std::size_t report_interval = 1024;  // an epoch of 60,000 samples in batches of 64
  static constexpr const char* name = group == ThreadGroup::cluster  ? "cuda-cluster"
                                      : precision == Precision::fp32 ? "cuda"
                                      : precision == Precision::tf32 ? "cuda-tf32"
                                                                     : "cuda-bf16";

  /// Throws OptionError for options out of range, DeviceError where there is no such device.
  explicit CudaOn(const Options& options = {}) : Thrust<System>(options) {}

  std::string describe() const {
    return this->system().describe() +
           (precision == Precision::fp32   ? ", fp32 products"
            : precision == Precision::tf32 ? ", TF32 products in graphs of kernels"
                                           : ", bf16 products in graphs of kernels") +
           (group == ThreadGroup::cluster ? ", small models by a cluster of blocks" : "");
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// `retort::backend::Thrust<retort::system::Cpp>`: Thrust on the calling thread. Needs only Thrust's headers.

#include "retort/backend/thrust/prelude.hpp"
//
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system/cpp/execution_policy.h>

#include <cstddef>
#include <string>

#include "retort/backend/thrust/backend.hpp"
#include "retort/backend/thrust/host_system.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::system {

class Cpp : public HostSystem {
 public:
  static constexpr const char* name = "thrust-cpp";

  struct Options {};

  explicit Cpp(const Options& /*options*/) {}

  std::string describe() const { return "Thrust " + backend::detail::thrust_version() + " on the CPU, 1 thread"; }

  template <typename Function>
  void for_each(std::size_t count, const Function& function) const {
    ::thrust::for_each_n(::thrust::cpp::par, ::thrust::counting_iterator<std::size_t>(0), count, function);
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::system

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

static_assert(Backend<Thrust<system::Cpp>, float> && Backend<Thrust<system::Cpp>, double>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

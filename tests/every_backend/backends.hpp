// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The backends as types, for TEMPLATE_TEST_CASE, and how far two results may lie apart.

#include <algorithm>
#include <cmath>
#include <string>

#include "catch.hpp"
#include "every_backend/candidate.hpp"
#include "random_values.hpp"

namespace retort::test {

struct OnEigen {
  static Candidate make() { return eigen_candidate(); }
};
struct OnThrustCpp {
  static Candidate make() { return thrust_cpp_candidate(); }
};
struct OnThrustOmp {
  static Candidate make() { return thrust_omp_candidate(); }
};
struct OnThrustTbb {
  static Candidate make() { return thrust_tbb_candidate(); }
};
struct OnThrustCuda {
  static Candidate make() { return thrust_cuda_candidate(); }
};
/// The CUDA backend's kernels, run on the host.
struct OnCudaOnHost {
  static Candidate make() { return cuda_on_host_candidate(); }
};
struct OnCuda {
  static Candidate make() { return cuda_candidate(); }
};
/// The same with clusters of blocks for small models.
struct OnClusterOnHost {
  static Candidate make() { return cluster_on_host_candidate(); }
};
struct OnClusterOnCuda {
  static Candidate make() { return cluster_candidate(); }
};

/// Those of `On` one after another in one process, where what the reference trains is kept for the next
/// (training_test).
template <typename... On>
struct Together {};

/// Those with operations of their own: CUDA's are Thrust's.
#define RETORT_EVERY_BACKEND                                                                              \
  retort::test::OnEigen, retort::test::OnThrustCpp, retort::test::OnThrustOmp, retort::test::OnThrustTbb, \
      retort::test::OnThrustCuda

#define RETORT_EVERY_TRAINER                                                                             \
  RETORT_EVERY_BACKEND, retort::test::OnCudaOnHost, retort::test::OnCuda, retort::test::OnClusterOnHost, \
      retort::test::OnClusterOnCuda

using OnHosts = Together<OnEigen, OnThrustCpp, OnThrustOmp, OnThrustTbb, OnCudaOnHost, OnClusterOnHost>;

/// The same, with those that need no GPU in one.
#define RETORT_HOSTS_AND_GPUS \
  retort::test::OnHosts, retort::test::OnThrustCuda, retort::test::OnCuda, retort::test::OnClusterOnCuda

/// Made once; null where it is absent, and the test is skipped for the reason.
template <typename On>
const Candidate* candidate_on() {
  static const Candidate candidate = On::make();
  if (!candidate.absence.empty()) {
    skip(candidate.absence);
    return nullptr;
  }
  return &candidate;
}

template <typename On>
const Operations* operations_on() {
  const Candidate* candidate = candidate_on<On>();
  return candidate == nullptr ? nullptr : candidate->operations.get();
}

template <typename On>
const Trainings* trainings_on() {
  const Candidate* candidate = candidate_on<On>();
  return candidate == nullptr ? nullptr : candidate->trainings.get();
}

/// Calls check.operator()<On>(trainings) on the backend `On`, or on each of those together that are there.
template <typename On>
struct Check {
  static void run(const auto& check) {
    if (const Trainings* backend = trainings_on<On>()) {
      check.template operator()<On>(*backend);
    }
  }
};
template <typename... On>
struct Check<Together<On...>> {
  static void run(const auto& check) {
    bool all_absent = true;
    const auto run_one = [&]<typename One>() {
      Check<One>::run(check);
      all_absent = all_absent && case_skipped();
      case_skipped() = false;
    };
    (run_one.template operator()<On>(), ...);
    case_skipped() = all_absent;
  }
};

/// max |found - expected| / max(1, max |expected|).
inline double relative_difference(const Numbers& found, const Numbers& expected) {
  double largest = 1.0;
  for (const double value : expected) {
    largest = std::max(largest, std::abs(value));
  }
  return largest_difference(found, expected) / largest;
}

}  // namespace retort::test

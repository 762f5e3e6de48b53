// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The backends as types, for TEMPLATE_TEST_CASE, and how far two results may lie apart.

#include <algorithm>
#include <cmath>
#include <string>

#include "catch.hpp"
#include "every_backend/subject.hpp"
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

#define RETORT_EVERY_BACKEND                                                                                       \
  retort::test::OnEigen, retort::test::OnThrustCpp, retort::test::OnThrustOmp, retort::test::OnThrustTbb,          \
      retort::test::OnThrustCuda, retort::test::OnCudaOnHost, retort::test::OnCuda, retort::test::OnClusterOnHost, \
      retort::test::OnClusterOnCuda

/// The backend, or null and the reason for which the test is skipped.
template <typename On>
const Subject* subject_on() {
  static const Candidate candidate = On::make();
  if (candidate.subject == nullptr) {
    skip(candidate.absence);
  }
  return candidate.subject.get();
}

/// max |found - expected| / max(1, max |expected|).
inline double relative_difference(const Numbers& found, const Numbers& expected) {
  double largest = 1.0;
  for (const double value : expected) {
    largest = std::max(largest, std::abs(value));
  }
  return largest_difference(found, expected) / largest;
}

}  // namespace retort::test

// SPDX-License-Identifier: MIT
#include "every_backend/subject_of.hpp"
#include "retort/backend/thrust/omp.hpp"

namespace retort::test {

Candidate thrust_omp_candidate() {
  return make_candidate<backend::Thrust<system::Omp>>(system::Omp::Options{.threads = 2});
}

}  // namespace retort::test

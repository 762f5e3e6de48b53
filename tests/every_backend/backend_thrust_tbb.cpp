// SPDX-License-Identifier: MIT
#include "every_backend/candidate_of.hpp"
#include "retort/backend/thrust/tbb.hpp"

namespace retort::test {

Candidate thrust_tbb_candidate() {
  return candidate_of<backend::Thrust<system::Tbb>>(system::Tbb::Options{.threads = 2});
}

}  // namespace retort::test

// SPDX-License-Identifier: MIT
#include "every_backend/subject_of.hpp"
#include "retort/backend/thrust/tbb.hpp"

namespace retort::test {

Candidate thrust_tbb_candidate() {
  return make_candidate<backend::Thrust<system::Tbb>>(system::Tbb::Options{.threads = 2});
}

}  // namespace retort::test

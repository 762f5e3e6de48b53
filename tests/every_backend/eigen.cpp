// SPDX-License-Identifier: MIT
#include "every_backend/candidate_of.hpp"
#include "retort/backend/eigen/backend.hpp"

namespace retort::test {

Candidate eigen_candidate() { return candidate_of<backend::Eigen>(2u); }

}  // namespace retort::test

// SPDX-License-Identifier: MIT
#include "every_backend/subject_of.hpp"
#include "retort/backend/eigen/backend.hpp"

namespace retort::test {

Candidate eigen_candidate() { return make_candidate<backend::Eigen>(2u); }

}  // namespace retort::test

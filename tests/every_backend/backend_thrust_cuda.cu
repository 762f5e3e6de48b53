#include "every_backend/subject_of.hpp"
#include "retort/backend/thrust/cuda.hpp"

namespace retort::test {

Candidate thrust_cuda_candidate() { return make_candidate<backend::Thrust<system::Cuda>>(); }

}  // namespace retort::test

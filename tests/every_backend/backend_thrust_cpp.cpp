#include "every_backend/subject_of.hpp"
#include "retort/backend/thrust/cpp.hpp"

namespace retort::test {

Candidate thrust_cpp_candidate() { return make_candidate<backend::Thrust<system::Cpp>>(); }

}  // namespace retort::test

// SPDX-License-Identifier: MIT
#pragma once

#include <retort/retort.hpp>

namespace predict {

namespace rt = retort;

using Student = rt::Sequential<rt::Linear<784, 20>, rt::ReLU,  //
                               rt::Linear<20, 20>, rt::ReLU,   //
                               rt::Linear<20, 10>>;

/// Writes the student as ONNX. Only there where RETORT_HAS_ONNX is 1.
void export_student(const rt::Network<Student>& student, const char* file);

}  // namespace predict

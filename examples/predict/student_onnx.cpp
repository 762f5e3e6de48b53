// SPDX-License-Identifier: MIT
#include <retort/io/export_onnx.hpp>

#include "student.hpp"

void predict::export_student(const rt::Network<Student>& student, const char* file) {
  rt::io::export_onnx(student, file, {.description = "digits of 28 x 28 pixels, black ground", .metadata = {}});
}

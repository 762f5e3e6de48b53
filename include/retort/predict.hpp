// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A saved network in a program that does not train: this header alone. It brings no trainer, no reader of data, no
/// Eigen and no zlib, takes a second to compile, and does without exceptions, run-time type information and memory to
/// allocate, so that it serves a microcontroller too.
///
///     using Student = retort::Sequential<retort::Linear<784, 20>, retort::ReLU, retort::Linear<20, 10>>;
///
///     const auto student = retort::FilePredictor<Student, std::uint8_t>::read("student.safetensors").value();
///     const std::size_t digit = student.classify(pixels);  // std::span<const std::uint8_t, 784>
///
/// Weights in memory, such as those of a file that was linked into the program, are used where they lie:
///
///     const auto student = retort::Predictor<Student, std::uint8_t>::in(std::as_bytes(std::span(file)));
///     if (!student) {
///       puts(student.error());  // one sentence
///     }

#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/gelu_tanh.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/silu.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/predict/predictor.hpp"
#if __STDC_HOSTED__
#include "retort/predict/file_predictor.hpp"
#endif

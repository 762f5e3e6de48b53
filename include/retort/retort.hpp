// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The whole library, except what few programs need and every one would wait for at compile time: the bridge to
/// xtensor, data/xtensor.hpp; digits to try things on, data/synthetic_digits.hpp; networks of few bits, quantization/;
/// networks as C files, io/export_c.hpp, and as ONNX, io/export_onnx.hpp, which needs a library; and saved networks in
/// programs that do not train, predict.hpp. Each header can be included on its own, too.

// What everything rests on
#include "retort/core/error.hpp"
#include "retort/core/philox.hpp"
#include "retort/version.hpp"

// What a model is
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/describe.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/gelu_tanh.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/silu.hpp"
#include "retort/nn/tanh.hpp"

// What is minimised, and how parameters move
#include "retort/loss/activation_profile.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/loss/binary_cross_entropy.hpp"
#include "retort/loss/binary_hinton.hpp"
#include "retort/loss/class_weighted.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/curriculum_temperature.hpp"
#include "retort/loss/dist.hpp"
#include "retort/loss/dkd.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/hint.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/huber.hpp"
#include "retort/loss/logit_matching.hpp"
#include "retort/loss/loss_after.hpp"
#include "retort/loss/mean_squared_error.hpp"
#include "retort/loss/metric.hpp"
#include "retort/loss/nkd.hpp"
#include "retort/loss/one_of_losses.hpp"
#include "retort/loss/relational.hpp"
#include "retort/loss/rld.hpp"
#include "retort/loss/similarity_preserving.hpp"
#include "retort/loss/softmax_passed_to_kl.hpp"
#include "retort/loss/standardized_logits.hpp"
#include "retort/loss/swapped_logits.hpp"
#include "retort/loss/teacher_temperatures.hpp"
#include "retort/loss/towards_teacher.hpp"
#include "retort/loss/ttm.hpp"
#include "retort/loss/weighted_sum.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/adamw.hpp"
#include "retort/optim/gradient_clipping.hpp"
#include "retort/optim/max_norm.hpp"
#include "retort/optim/schedule.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/optim/weight_average.hpp"

// Where it runs
#ifndef __CUDACC__  // under nvcc, Eigen loses its vectorisation: the same templates would get two bodies in one program
#include "retort/backend/eigen/backend.hpp"
#endif

// What is learned from
#include "retort/data/augment.hpp"
#include "retort/data/class_weights.hpp"
#include "retort/data/csv.hpp"
#include "retort/data/csv_images.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/elastic_field.hpp"
#include "retort/data/emnist.hpp"
#include "retort/data/ensemble_logits.hpp"
#include "retort/data/join.hpp"
#include "retort/data/mnist.hpp"
#include "retort/data/npy.hpp"
#include "retort/data/pixel_map.hpp"
#include "retort/data/save_npy.hpp"
#include "retort/data/save_views.hpp"
#include "retort/data/split.hpp"
#include "retort/data/standardization.hpp"
#include "retort/data/teacher_logits.hpp"

// What drives it
#include "retort/train/dead_units.hpp"
#include "retort/train/distillation_trainer.hpp"
#include "retort/train/early_stopping.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/json_lines_log.hpp"
#include "retort/train/preprocessing.hpp"
#include "retort/train/probability_deviation.hpp"
#include "retort/train/progress_printer.hpp"
#include "retort/train/stop_request.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/sweep_grid.hpp"
#include "retort/train/sweep_models.hpp"
#include "retort/train/sweep_printer.hpp"
#include "retort/train/sweep_summary.hpp"
#include "retort/train/tabulate_logits.hpp"
#include "retort/train/teacher_temperature.hpp"
#include "retort/train/tensorboard_log.hpp"
#include "retort/train/trainer.hpp"

// What goes in and out
#include "retort/io/event_file.hpp"
#include "retort/io/safetensors.hpp"

// Programs of several files
#include "retort/extern.hpp"

// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A network as one C file that needs no library: for firmware, and for programs in other languages.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/small_floats.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/io/c_code/float_program.hpp"
#include "retort/io/c_code/float_steps.hpp"
#include "retort/io/c_code/integer_program.hpp"
#include "retort/io/c_code/text.hpp"
#include "retort/nn/describe.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/weight_format.hpp"
#include "retort/quantization/folded.hpp"
#include "retort/quantization/integer_errors.hpp"
#include "retort/quantization/integer_layer.hpp"
#include "retort/quantization/integer_network.hpp"
#include "retort/quantization/quantize.hpp"
#include "retort/quantization/quantized.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/preprocessing.hpp"
#include "retort/version.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io {

/// The numbers of a C file.
enum class Form {
  float32,   ///< weights and sums of 32 bits
  bfloat16,  ///< weights rounded to bfloat16 numbers, half the size; sums of 32 bits
  int8,      ///< integers: weights and activations of 8 bits
  int4,      ///< integers: weights of 4 bits, two a byte, activations of 8
};

/// What a file is to be, and what its first comment says.
struct ExportOptions {
  /// All names in the file begin with it: a C identifier.
  std::string prefix = "model";
  /// Of a network that is not quantized; one that is has a form of its own, which is written in place of float32.
  Form form = Form::float32;
  /// Samples that show the ranges of a network which is not quantized, for Form::int8 and Form::int4 (`quantize`); raw,
  /// or standardised as the network's inputs are. Other forms do not read it.
  const data::Dataset* calibration = nullptr;
  Calibration ranges{};
  /// Samples with labels: the comment says how many of them are answered right. Raw; for floats they may be
  /// standardised as the network's inputs are.
  const data::Dataset* evaluation = nullptr;
  /// A line about the training.
  std::string recipe{};
};

/// What a C file costs, as its first comment and its macros say.
struct CodeFacts {
  std::string_view form;           ///< "float32", "bfloat16", "int8" or "int4"
  bool bytes = false;              ///< whether inputs are bytes
  std::size_t parameters = 0;      ///< that the file has, BatchNorm layers folded
  std::size_t multiply_adds = 0;   ///< of one sample
  std::size_t constant_bytes = 0;  ///< weights, biases, factors and tables
  std::size_t scratch_bytes = 0;   ///< of the stack, for activations
  std::size_t right = 0;           ///< of the samples of ExportOptions::evaluation
  std::size_t samples = 0;         ///< of these, those with a label; 0 if there were none
};

namespace detail {

[[gnu::cold]] inline std::string first_comment(std::string_view signature, const CodeFacts& facts,
                                               const ExportOptions& options) {
  std::string text = "/*\n";
  text += comment_line(signature);
  text += comment_line(concatenate({"Form ", facts.form, ": ", facts.multiply_adds, " multiply-adds a sample, ",
                                    facts.parameters, " parameters in ", facts.constant_bytes, " bytes of constants, ",
                                    facts.scratch_bytes, " bytes of the stack for activations."}));
  text += comment_line(
      concatenate({"Inputs: ", facts.bytes ? "bytes" : "real numbers", ", as they were before any normalisation."}));
  if (!options.recipe.empty()) {
    text += comment_line(options.recipe);
  }
  if (facts.samples > 0) {
    text += comment_line(concatenate({facts.right, " of ", facts.samples, " samples right."}));
  }
  text += comment_line(concatenate({"Written by Retort ", version, "."}));
  return text += " */\n";
}

/// The numbers of the first comment, for the program that includes the file.
[[gnu::cold]] inline std::string fact_macros(const CodeFacts& facts) {
  std::string text = c_macro("PARAMETERS", facts.parameters);
  text += c_macro("MULTIPLY_ADDS", facts.multiply_adds);
  text += c_macro("CONSTANT_BYTES", facts.constant_bytes);
  if (facts.samples > 0) {
    text += c_macro("SAMPLES", facts.samples);
    text += c_macro("SAMPLES_RIGHT", facts.right);
  }
  return text;
}

/// Writes a program, whole or not at all.
[[gnu::cold]] inline void write_code(const std::filesystem::path& path, const CNames& names, std::string_view signature,
                                     const CodeFacts& facts, const ExportOptions& options, std::string_view program) {
  AtomicFile file(path);
  file.write(concatenate({first_comment(signature, facts, options),
                          names.in(concatenate({"#ifndef @H\n#define @H\n\n", fact_macros(facts),
                                                "\n#include <stdint.h>\n", program, "\n#endif\n"}))}));
  file.commit();
}

/// Counts what the logits (data.size(), outputs) answer right.
template <typename T>
void add_answers(std::span<T> logits, const data::Dataset& data, CodeFacts& facts) {
  facts.samples = data.labelled_count();
  facts.right = facts.samples - internal::count_errors(std::span<const T>(logits), data, "export_c: evaluation");
}

/// Throws Error for widths that the file's integers cannot count.
template <Model M>
void require_narrow() {
  for (const std::size_t width : M::widths) {
    if (width > 65535) {
      throw Error(concatenate({"export_c: a layer is ", width, " wide, expected at most 65535"}));
    }
  }
}

[[gnu::cold]] inline CodeFacts export_integers(const IntegerNetwork& network, std::string_view signature,
                                               const std::filesystem::path& path, const ExportOptions& options) {
  const CNames names(options.prefix);
  CodeFacts facts{.form = network.bits() == 4 ? "int4" : "int8",
                  .bytes = network.preprocessing().bytes,
                  .scratch_bytes = scratch_bytes(network)};
  for (const internal::IntegerLayer& layer : network.layers()) {
    facts.multiply_adds += layer.weights.size();
    facts.parameters += layer.weights.size() + layer.outputs;
    facts.constant_bytes += (row_bytes(network.bits(), layer.inputs) + 9) * layer.outputs + layer.table.size();
  }
  if (options.evaluation != nullptr) {
    add_answers(predict_integer(network, *options.evaluation).values(), *options.evaluation, facts);
  }
  write_code(path, names, signature, facts, options, integer_program(network));
  return facts;
}

/// Rounds the weights of Linear layers to bfloat16 numbers.
template <typename Scalar>
void round_weights(std::span<const TensorInfo> tensors, std::span<Scalar> arena) {
  for (const TensorInfo& tensor : tensors) {
    if (tensor.spec.initial_value == InitialValue::weight) {
      for (Scalar& weight : tensor.in(arena)) {
        weight = static_cast<Scalar>(internal::bfloat16_to_float(internal::to_bfloat16(static_cast<float>(weight))));
      }
    }
  }
}

template <Model M, typename Backend, typename Scalar>
CodeFacts export_floats(const Network<M, Backend, Scalar>& network, const std::filesystem::path& path,
                        const ExportOptions& options) {
  const CNames names(options.prefix);
  const bool bfloat16 = options.form == Form::bfloat16;
  internal::require_finite(network, "export_c");
  auto folded = fold_batch_norm(network);
  if (bfloat16) {
    auto parameters = folded.copy_parameters();
    round_weights(std::span<const TensorInfo>(Folded<M>::parameters), parameters.span());
    folded.assign_parameters(parameters.span());
  }
  const FloatSteps program = float_steps<M>(folded);
  const LogitsFunction logits(program);
  CodeFacts facts{
      .form = bfloat16 ? "bfloat16" : "float32", .bytes = program.bytes, .scratch_bytes = logits.scratch_bytes()};
  for (const FloatStep& step : program.steps) {
    const bool linear = step.kind == FloatStep::Kind::linear;
    facts.multiply_adds += linear ? step.weights.size() : 0;
    facts.parameters += step.weights.size() + step.bias.size();
    facts.constant_bytes += step.weights.size() * (linear && bfloat16 ? 2 : 4) + step.bias.size() * 4;
  }
  if (options.evaluation != nullptr) {
    options.evaluation->require_samples();
    const data::Dataset data = preprocess_for(folded, *options.evaluation);
    const std::vector<Scalar> answers = predict_all(folded, data);
    add_answers(std::span(answers), data, facts);
  }
  write_code(path, names, internal::model_signature<M>(), facts, options, float_program(program, logits, bfloat16));
  return facts;
}

}  // namespace detail

/// Writes one self-contained C99 file, which compiles as C++ too, to be included where it is used. With the prefix
/// "digit" its functions are
///
///     int digit_classify(const digit_input *inputs);                 // the class: the largest logit's index
///     void digit_logits(const digit_input *inputs, LOGIT *logits);   // LOGIT: float, or int8_t in integers
///     int digit_selftest(void);                                      // 0 if example inputs give their known answers
///
/// where digit_input is uint8_t for a network that was trained on bytes and else float: inputs are raw, and the file
/// normalises them as the training did. It includes <stdint.h> (also <math.h> where an activation needs it, and in
/// integers the compiler's intrinsics on x86-64, but for -ffreestanding, and on Arm cores with instructions for pairs
/// of 16 bits), allocates nothing, writes to its stack alone (DIGIT_SCRATCH_BYTES for activations) and takes 32-bit
/// sums. Its constants are `const`; define DIGIT_MEMORY before the file is included to give them an attribute, such as
/// a section, and macros that read them from a memory of their own (PROGMEM): in integers DIGIT_READ_8, DIGIT_READ_32
/// and, for inputs that are real numbers, DIGIT_READ_FLOAT; in floats DIGIT_READ_FLOAT and, for weights in bfloat16,
/// DIGIT_READ_16. Where int has 16 bits, integers take short code in place of fast code; define DIGIT_SMALL to have it
/// elsewhere. Floats are tested to 1e-5 of the largest logit, or to more where computing in float costs more.
///
/// Macros say what it costs: DIGIT_PARAMETERS, DIGIT_MULTIPLY_ADDS, DIGIT_CONSTANT_BYTES, DIGIT_SCRATCH_BYTES, and of
/// an evaluation DIGIT_SAMPLES and DIGIT_SAMPLES_RIGHT.
///
/// Form::float32 gives the network's logits but for the order of additions. Integers give those of predict_integer, bit
/// for bit, on every machine. All layers of the library have a float form; Quantized says which have one in integers. A
/// layer of your own needs io::CExpression for floats. Equal networks and options give equal files. Returns what the
/// file costs.
///
/// Throws OptionError for a prefix that is no identifier, for integers without calibration and for a form that is not
/// that of a quantized network, ShapeError for an evaluation with more classes than outputs, Error for a network that
/// does not know how its inputs are made (Network::preprocessing), that holds a number which is not finite, also as a
/// float, or that has a layer without a form in C, and what `quantize`, IntegerNetwork, predict_integer, predict_all
/// and AtomicFile throw. An older file then stays as it was.
template <Model M, typename Backend, typename Scalar>
CodeFacts export_c(const Network<M, Backend, Scalar>& network, const std::filesystem::path& path,
                   const ExportOptions& options = {}) {
  detail::require_narrow<M>();
  if constexpr (retort::detail::is_quantized_model<M>) {
    const IntegerNetwork integers(network);
    if (options.form != Form::float32 && options.form != (integers.bits() == 4 ? Form::int4 : Form::int8)) {
      throw OptionError(concatenate({"export_c: form is another than that of the network, whose weights have ",
                                     integers.bits(), " bits, expected Form::int", integers.bits()}));
    }
    return detail::export_integers(integers, internal::model_signature<M>(), path, options);
  } else if (options.form == Form::float32 || options.form == Form::bfloat16) {
    return detail::export_floats(network, path, options);
  } else if constexpr (constexpr std::size_t layer = retort::detail::first_without_integer_form<Folded<M>>();
                       layer < Folded<M>::layer_count) {
    constexpr std::size_t index = internal::unfolded_index<M>(layer);
    throw Error(concatenate({"export_c: layer ", index, " (", M::layer_names[index],
                             ") has no integer form where it stands, expected Form::float32 or Form::bfloat16"}));
  } else if constexpr (!retort::detail::has_linear<M, 0, M::layer_count>()) {
    throw Error("export_c: there is no Linear to put into integers, expected Form::float32 or Form::bfloat16");
  } else {
    if (options.calibration == nullptr) {
      throw OptionError("export_c: calibration is missing, expected samples that show the ranges of the integers");
    }
    const auto as = [&](auto weights) {
      options.calibration->require_samples();
      const data::Dataset samples = preprocess_for(network, *options.calibration);
      const auto quantized = quantize<decltype(weights)>(network, samples, options.ranges);
      return detail::export_integers(IntegerNetwork(quantized), internal::model_signature<M>(), path, options);
    };
    return options.form == Form::int4 ? as(Int4{}) : as(Int8{});
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io

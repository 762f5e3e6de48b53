// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Steps in floating-point numbers as C: their numbers, and what computes with them.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/small_floats.hpp"
#include "retort/core/text.hpp"
#include "retort/io/c_code/example.hpp"
#include "retort/io/c_code/float_code.hpp"
#include "retort/io/c_code/float_steps.hpp"
#include "retort/io/c_code/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io::detail {

using Kind = FloatStep::Kind;

/// Calls use(element) for the elements of square `index` of an image.
template <typename Use>
void for_each_in_square(const FloatStep& step, std::size_t index, const Use& use) {
  const std::size_t squares_in_a_row = step.columns / step.square;
  const std::size_t first =
      index / squares_in_a_row * step.square * step.columns + index % squares_in_a_row * step.square;
  for (std::size_t i = 0; i < step.square * step.square; ++i) {
    use(first + i / step.square * step.columns + i % step.square);
  }
}

/// One step in double.
[[gnu::cold]] inline std::vector<double> compute_step(const FloatStep& step, const std::vector<double>& x,
                                                      bool sums_alone) {
  std::vector<double> y(step.outputs);
  double mean = 0.0;
  double deviation = 1.0;
  if (step.kind == Kind::norm) {
    double squares = 0.0;
    for (const double value : x) {
      mean += value / static_cast<double>(x.size());
    }
    for (const double value : x) {
      squares += (value - mean) * (value - mean) / static_cast<double>(x.size());
    }
    deviation = std::sqrt(squares + double{step.epsilon});
  }
  for (std::size_t i = 0; i < step.outputs; ++i) {
    switch (step.kind) {
      case Kind::linear:
        y[i] = step.bias.empty() ? 0.0 : double{step.bias[i]};
        for (std::size_t k = 0; k < step.inputs; ++k) {
          y[i] += double{step.weights[i * step.inputs + k]} * double{step.scale} * x[k];
        }
        break;
      case Kind::affine:
      case Kind::norm:
        y[i] = (x[i] - mean) / deviation * double{step.weights[i]} + double{step.bias[i]};
        break;
      case Kind::mean:
        for_each_in_square(step, i, [&](std::size_t element) { y[i] += x[element]; });
        y[i] /= sums_alone ? 1.0 : static_cast<double>(step.square * step.square);
        break;
      case Kind::function:
        y[i] = step.function(x[i]);
        break;
    }
  }
  return y;
}

/// The logits of one sample's raw inputs in double: the slow twin of the C program, and its example answers.
[[gnu::cold]] inline std::vector<double> compute_steps(const FloatSteps& program, std::vector<double> x) {
  for (std::size_t i = 0; i < program.inputs && !program.takes_raw(); ++i) {
    const std::size_t of = program.centers.size() == 1 ? 0 : i;
    x[i] = (x[i] - double{program.centers[of]}) * double{program.factors[of]};
  }
  for (const FloatStep& step : program.steps) {
    x = compute_step(step, x, program.takes_raw());
  }
  return x;
}

/// That of the program's real example inputs: two deviations from the mean.
[[gnu::cold]] inline float example_step(const FloatSteps& program) {
  return example_step(program.centers, program.factors, 2.0f);
}

/// The answers to the examples, which $selftest compares with.
[[gnu::cold]] inline std::string example_answers(const FloatSteps& program, std::size_t examples) {
  std::vector<float> answers;
  for (std::size_t example = 0; example < examples; ++example) {
    std::vector<double> inputs;
    for (const std::uint8_t byte : example_bytes(static_cast<std::uint32_t>(example), program.inputs)) {
      const auto value = static_cast<double>(byte);
      inputs.push_back(program.bytes ? value : (value - 128.0) * double{example_step(program)});
    }
    for (const double logit : compute_steps(program, std::move(inputs))) {
      answers.push_back(static_cast<float>(logit));
    }
  }
  return concatenate({"\nstatic const @MEMORY float $answers[", answers.size(),
                      "] = ", c_array(std::span<const float>(answers)), ";\n"});
}

/// `code` with `type` in place of TYPE.
[[gnu::cold]] inline std::string for_type(std::string_view code, std::string_view type) {
  std::string text(code);
  for (std::size_t at = text.find("TYPE"); at != std::string::npos; at = text.find("TYPE", at)) {
    text.replace(at, 4, type);
  }
  return text;
}

/// The numbers of step `index`.
[[gnu::cold]] inline std::string step_data(const FloatStep& step, std::size_t index, bool bfloat16) {
  std::string text;
  if (step.kind == Kind::linear && bfloat16) {
    std::vector<std::uint16_t> halves(step.weights.size());
    std::ranges::transform(step.weights, halves.begin(), [](float weight) { return internal::to_bfloat16(weight); });
    text += "\n" + c_data<std::uint16_t>("@ALIGNED uint16_t", "weights", index, halves);
  } else if (!step.weights.empty()) {
    text +=
        "\n" + c_data<float>(step.kind == Kind::linear ? "@ALIGNED float" : "float", "weights", index, step.weights);
  }
  if (!step.bias.empty()) {
    text += c_data<float>("float", "biases", index, step.bias);
  }
  return text;
}

/// A loop over a step's elements: `statement` uses i.
[[gnu::cold]] inline std::string c_loop(const FloatStep& step, std::string_view statement) {
  return concatenate({"  for (i = 0; i < ", step.outputs, "; ++i) {\n    ", statement, "\n  }\n"});
}

/// The function $logits.
class LogitsFunction {
 public:
  [[gnu::cold]] explicit LogitsFunction(const FloatSteps& program) : program_(program) {
    if (!program_.takes_raw()) {
      text_ += c_loop({.outputs = program_.inputs},
                      program_.centers.size() > 1
                          ? std::string("values[i] = ((float)inputs[i] - $centers_0[i]) * $factors_0[i];")
                          : concatenate({"values[i] = ((float)inputs[i] - ", c_number(program_.centers[0]), ") * ",
                                         c_number(program_.factors[0]), ";"}));
      declare("float", "values", program_.inputs);
      current_ = "values";
      type_ = "float";
    } else {
      type_ = "uint8_t";
    }
    for (std::size_t i = 0; i < program_.steps.size(); ++i) {
      const bool relu =
          program_.steps[i].kind == Kind::linear && i + 1 < program_.steps.size() && program_.steps[i + 1].is_relu;
      add(program_.steps[i], i, relu);
      i += relu ? 1 : 0;
    }
  }

  [[gnu::cold]] std::string text() const {
    std::string text = text_;
    if (current_ != "logits") {
      text += concatenate({"  for (i = 0; i < @OUTPUTS; ++i) {\n    logits[i] = ", current_, "[i];\n  }\n"});
    }
    return concatenate(
        {"\n/* The logits of a sample's inputs. */\nstatic inline void $logits(const $input *inputs, float "
         "*logits) {\n",
         declarations_, text.find("for (i = 0") == std::string::npos ? "" : "  uint16_t i;\n", text, "}\n"});
  }

  std::size_t scratch_bytes() const { return scratch_bytes_; }

 private:
  [[gnu::cold]] void declare(std::string_view type, std::string_view name, std::size_t count) {
    declarations_ += concatenate({"  ", type, " ", name, "[", count, "];\n"});
    scratch_bytes_ += count * (type == "float" ? 4 : 2);
  }

  /// `relu`: the next step is a ReLU, which this one takes with it.
  [[gnu::cold]] void add(const FloatStep& step, std::size_t index, bool relu) {
    switch (step.kind) {
      case Kind::linear: {
        const bool last = index + (relu ? 2 : 1) == program_.steps.size();
        const std::string output = last ? "logits" : concatenate({"outputs_", index});
        if (!last) {
          declare("float", output, step.outputs);
        }
        text_ += concatenate({"  $dense_", type_, "(", current_, ", ", step.inputs, ", $weights_", index, ", ",
                              c_number(step.scale), ", ", step.bias.empty() ? "0" : concatenate({"$biases_", index}),
                              ", ", step.outputs, relu ? ", 1, " : ", 0, ", output, ");\n"});
        current_ = output;
        type_ = "float";
        break;
      }
      case Kind::mean: {
        const bool sums = type_ != "float";
        const std::string output = concatenate({"squares_", index});
        declare(sums ? "uint16_t" : "float", output, step.outputs);
        const std::size_t in_a_row = step.columns / step.square;
        const std::string_view type = sums ? "uint16_t" : "float";
        text_ += c_loop(
            step,
            concatenate({"const ",
                         type_,
                         " *square = ",
                         current_,
                         " + (uint32_t)(i / ",
                         in_a_row,
                         ") * ",
                         step.square * step.columns,
                         " + i % ",
                         in_a_row,
                         " * ",
                         step.square,
                         ";\n    ",
                         type,
                         " sum = 0;\n    uint16_t row, column;\n    for (row = 0; row "
                         "< ",
                         step.square,
                         "; ++row, square += ",
                         step.columns,
                         ") {\n      for (column = 0; column < ",
                         step.square,
                         "; ++column) {\n        sum = (",
                         type,
                         ")(sum + square[column]);\n      }\n"
                         "    }\n    ",
                         output,
                         "[i] = sum",
                         sums ? "" : concatenate({" / ", c_number(static_cast<float>(step.square * step.square))}),
                         ";"}));
        current_ = output;
        type_ = type;
        break;
      }
      case Kind::affine:
        text_ += c_loop(step, concatenate({current_, "[i] = ", current_, "[i] * $weights_", index, "[i] + $biases_",
                                           index, "[i];"}));
        break;
      case Kind::norm:
        text_ += concatenate({"  $layer_norm(", current_, ", ", step.outputs, ", ", c_number(step.epsilon),
                              ", $weights_", index, ", $biases_", index, ");\n"});
        break;
      case Kind::function:
        text_ += c_loop(
            step, concatenate({"const float x = ", current_, "[i];\n    ", current_, "[i] = ", step.expression, ";"}));
        break;
    }
  }

  const FloatSteps& program_;
  std::string declarations_;
  std::string text_;
  std::string current_ = "inputs";
  std::string type_;
  std::size_t scratch_bytes_ = 0;
};

/// Shared by all programs of floats: the largest logit, and the test.
inline constexpr std::string_view float_end = R"(
/* The class: the index of the largest logit, among equals the first. */
static inline int $classify(const $input *inputs) {
  float logits[@OUTPUTS];
  int best = 0, i;
  $logits(inputs, logits);
  for (i = 1; i < @OUTPUTS; ++i) {
    best = logits[i] > logits[best] ? i : best;
  }
  return best;
}

/* 0 if the example inputs give the logits that they gave where this file was written, but for the roundings of another
   order of additions; else the number of the first that does not, from 1. Takes @INPUTS inputs of stack more than
   $classify. */
static inline int $selftest(void) {
  $input inputs[@INPUTS];
  float logits[@OUTPUTS];
  int example, i;
  for (example = 0; example < @EXAMPLES; ++example) {
    float largest = 1.0f;
    $example(example, inputs);
    $logits(inputs, logits);
    for (i = 0; i < @OUTPUTS; ++i) {
      const float answer = $answers[example * @OUTPUTS + i];
      largest = answer > largest ? answer : -answer > largest ? -answer : largest;
    }
    for (i = 0; i < @OUTPUTS; ++i) {
      const float difference = logits[i] - $answers[example * @OUTPUTS + i];
      if (!(difference <= 1e-5f * largest && -difference <= 1e-5f * largest)) {
        return example + 1;
      }
    }
  }
  return 0;
}
)";

/// All of the program but its first comment.
[[gnu::cold]] inline std::string float_program(const FloatSteps& program, bool bfloat16) {
  const auto any = [&](const auto& is) { return std::ranges::any_of(program.steps, is); };
  const LogitsFunction logits(program);
  std::string text;
  if (any([](const FloatStep& step) { return step.needs_math || step.kind == Kind::norm; })) {
    text += "#include <math.h>\n";
  }
  text += "\n";
  text += c_macro("INPUTS", program.inputs);
  text += c_macro("OUTPUTS", program.outputs);
  text += c_macro("SCRATCH_BYTES", logits.scratch_bytes());
  text += c_macro("EXAMPLES", example_count);
  text += "\n/* Where constants lie. */\n#ifndef @MEMORY\n#define @MEMORY\n#endif\n";
  text += concatenate({"\ntypedef ", program.bytes ? "uint8_t" : "float", " $input;\n"});
  text += vectors_code;
  text += bfloat16 ? weights_of_bfloat16 : weights_of_floats;
  const bool pools = program.steps[0].kind == Kind::mean;
  if (program.takes_raw()) {
    const std::string_view type = pools ? "uint16_t" : "uint8_t";
    text += for_type(dense_code, type);
  }
  const std::size_t raw = program.takes_raw() ? 1 : 0;  // the first Linear, which takes integers
  if (static_cast<std::size_t>(std::ranges::count(program.steps, Kind::linear, &FloatStep::kind)) > raw) {
    text += for_type(dense_code, "float");
  }
  if (any([](const FloatStep& step) { return step.kind == Kind::norm; })) {
    text += layer_norm_code;
  }
  if (program.centers.size() > 1) {
    text += "\n" + c_data<float>("float", "centers", 0, program.centers);
    text += c_data<float>("float", "factors", 0, program.factors);
  }
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    text += step_data(program.steps[i], i, bfloat16);
  }
  text += logits.text();
  text += example_function(program.bytes, program.bytes ? 0.0f : example_step(program));
  text += example_answers(program, example_count);
  return text += float_end;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io::detail

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

#include "retort/core/error.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/small_floats.hpp"
#include "retort/core/text.hpp"
#include "retort/io/c_code/example.hpp"
#include "retort/io/c_code/float_code.hpp"
#include "retort/io/c_code/float_steps.hpp"
#include "retort/io/c_code/shared_code.hpp"
#include "retort/io/c_code/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io::detail {

using Kind = FloatStep::Kind;

/// One step in numbers of type Real.
template <typename Real>
[[gnu::cold]] std::vector<Real> compute_step(const FloatStep& step, const std::vector<Real>& x, bool sums_alone) {
  std::vector<Real> y(step.outputs);
  Real mean = 0;
  Real deviation = 1;
  if (step.kind == Kind::norm) {
    Real squares = 0;
    for (const Real value : x) {
      mean += value / static_cast<Real>(x.size());
    }
    for (const Real value : x) {
      squares += (value - mean) * (value - mean) / static_cast<Real>(x.size());
    }
    deviation = std::sqrt(squares + Real{step.epsilon});
  }
  for (std::size_t i = 0; i < step.outputs; ++i) {
    switch (step.kind) {
      case Kind::linear:
        y[i] = step.bias.empty() ? Real{0} : Real{step.bias[i]};
        for (std::size_t k = 0; k < step.inputs; ++k) {
          y[i] += Real{step.weights[i * step.inputs + k]} * Real{step.scale} * x[k];
        }
        break;
      case Kind::affine:
      case Kind::norm:
        y[i] = (x[i] - mean) / deviation * Real{step.weights[i]} + Real{step.bias[i]};
        break;
      case Kind::mean:
        step.squares.for_each_pixel(i, [&](std::size_t pixel) { y[i] += x[pixel]; });
        y[i] /= sums_alone ? Real{1} : static_cast<Real>(step.squares.area());
        break;
      case Kind::function:
        y[i] = static_cast<Real>(step.function(static_cast<double>(x[i])));
        break;
    }
  }
  return y;
}

/// The logits of one sample's raw inputs: the slow twin of the C program.
template <typename Real>
[[gnu::cold]] std::vector<Real> compute_steps(const FloatSteps& program, std::vector<Real> x) {
  for (std::size_t i = 0; i < program.inputs && !program.takes_raw(); ++i) {
    const std::size_t entry = program.scales.entry(i);
    x[i] = (x[i] - Real{program.scales.centers[entry]} - Real{program.scales.rest(i)}) *
           Real{program.scales.factors[entry]};
  }
  for (const FloatStep& step : program.steps) {
    x = compute_step(step, x, program.takes_raw());
  }
  return x;
}

/// That of the program's real example inputs: two deviations from the mean.
[[gnu::cold]] inline float example_step(const FloatSteps& program) {
  return program.bytes ? 0.0f : example_step(program.scales, 2.0f);
}

/// What $selftest compares with.
struct ExampleAnswers {
  std::vector<float> logits;
  std::string tolerance;  // a part of an example's largest logit
};

/// The answers to the examples, in double. Another order of additions may change logits as much as computing in float
/// does: where that is much, as behind a LayerNorm of inputs that hardly vary, the tolerance allows 4 times as much.
[[gnu::cold]] inline ExampleAnswers example_answers(const FloatSteps& program) {
  constexpr float least_tolerance = 1e-5f;
  ExampleAnswers answers;
  const float step = example_step(program);
  double worst = 0.0;
  for (std::uint32_t example = 0; example < example_count; ++example) {
    std::vector<double> inputs;
    std::vector<float> rounded;
    for (const std::uint8_t byte : example_bytes(example, program.inputs)) {
      rounded.push_back(program.bytes ? static_cast<float>(byte) : static_cast<float>(byte - 128) * step);
      inputs.push_back(double{rounded.back()});
    }
    const std::vector<double> exact = compute_steps(program, std::move(inputs));
    const std::vector<float> in_float = compute_steps(program, std::move(rounded));
    double largest = 1.0;
    double difference = 0.0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      answers.logits.push_back(static_cast<float>(exact[i]));
      if (!is_finite(answers.logits.back()) || !is_finite(in_float[i])) {
        throw Error(concatenate({"export_c: logit ", i,
                                 " of an example input is beyond float's range, expected smaller "
                                 "weights"}));
      }
      largest = std::max(largest, std::abs(exact[i]));
      difference = std::max(difference, std::abs(exact[i] - double{in_float[i]}));
    }
    worst = std::max(worst, difference / largest);
  }
  const double tolerance = 4 * worst;
  answers.tolerance = tolerance > double{least_tolerance}
                          ? c_number(static_cast<float>(std::exp2(std::ceil(std::log2(tolerance)))))
                          : "1e-5f";
  return answers;
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

/// The type of the sums of a square of bytes.
inline std::string_view sum_type(const FloatStep& step) {
  return 255 * step.squares.area() <= 65535 ? "uint16_t" : "uint32_t";
}

/// The function $logits, and those that it calls for squares.
class LogitsFunction {
 public:
  [[gnu::cold]] explicit LogitsFunction(const FloatSteps& program) : program_(program) {
    if (!program_.takes_raw()) {
      const InputTerms terms(program_.scales);
      text_ += c_loop({.outputs = program_.inputs},
                      concatenate({"values[i] = ((float)inputs[i] - ", terms.center, terms.has_rest ? " - " : "",
                                   terms.has_rest ? terms.rest : "", ") * ", terms.factor, ";"}));
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
        {functions_,
         "\n/* The logits of a sample's inputs. */\nstatic inline void $logits(const $input *inputs, float "
         "*logits) {\n",
         declarations_, text.find("for (i = 0") == std::string::npos ? "" : "  uint16_t i;\n", text, "}\n"});
  }

  std::size_t scratch_bytes() const { return scratch_bytes_; }

 private:
  [[gnu::cold]] void declare(std::string_view type, std::string_view name, std::size_t count) {
    declarations_ += concatenate({"  ", type, " ", name, "[", count, "];\n"});
    scratch_bytes_ += count * (type == "uint16_t" ? 2 : 4);
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
        const std::string_view type = sums ? sum_type(step) : "float";
        declare(type, output, step.outputs);
        functions_ += pool_function(concatenate({"pool_", index}), type_, type, step.squares, step.outputs);
        text_ += concatenate({"  $pool_", index, "(", current_, ", ", output, ");\n"});
        if (!sums) {
          text_ +=
              c_loop(step, concatenate({output, "[i] /= ", c_number(static_cast<float>(step.squares.area())), ";"}));
        }
        current_ = output;
        type_ = type;
        break;
      }
      case Kind::affine:
        text_ += c_loop(step, concatenate({current_, "[i] = ", current_, "[i] * @READ_FLOAT(&$weights_", index,
                                           "[i]) + @READ_FLOAT(&$biases_", index, "[i]);"}));
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
  std::string functions_;
  std::string declarations_;
  std::string text_;
  std::string current_ = "inputs";
  std::string type_;
  std::size_t scratch_bytes_ = 0;
};

/// Shared by all programs of floats: the test. TOLERANCE: ExampleAnswers::tolerance.
inline constexpr std::string_view float_end = R"(
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
      const float answer = @READ_FLOAT(&$answers[example * @OUTPUTS + i]);
      largest = answer > largest ? answer : -answer > largest ? -answer : largest;
    }
    for (i = 0; i < @OUTPUTS; ++i) {
      const float difference = logits[i] - @READ_FLOAT(&$answers[example * @OUTPUTS + i]);
      if (!(difference <= TOLERANCE * largest && -difference <= TOLERANCE * largest)) {
        return example + 1;
      }
    }
  }
  return 0;
}
)";

/// All of the program but its first comment. Throws Error for logits of the examples that are not finite.
[[gnu::cold]] inline std::string float_program(const FloatSteps& program, const LogitsFunction& logits, bool bfloat16) {
  const auto any = [&](const auto& is) { return std::ranges::any_of(program.steps, is); };
  const ExampleAnswers answers = example_answers(program);
  std::string text;
  if (any([](const FloatStep& step) { return step.needs_math || step.kind == Kind::norm; })) {
    text += "#include <math.h>\n";
  }
  text += "\n";
  text += c_macro("INPUTS", program.inputs);
  text += c_macro("OUTPUTS", program.outputs);
  text += c_macro("SCRATCH_BYTES", logits.scratch_bytes());
  text += c_macro("EXAMPLES", example_count);
  text += float_beginning;
  text += concatenate({"\ntypedef ", program.bytes ? "uint8_t" : "float", " $input;\n"});
  text += vectors_code;
  text += bfloat16 ? weights_of_bfloat16 : weights_of_floats;
  if (program.takes_raw()) {
    const bool pools = program.steps[0].kind == Kind::mean;
    text += with_text(dense_code, "TYPE", pools ? sum_type(program.steps[0]) : "uint8_t");
  }
  const std::size_t raw = program.takes_raw() ? 1 : 0;  // the first Linear, which takes integers
  if (static_cast<std::size_t>(std::ranges::count(program.steps, Kind::linear, &FloatStep::kind)) > raw) {
    text += with_text(dense_code, "TYPE", "float");
  }
  if (any([](const FloatStep& step) { return step.kind == Kind::norm; })) {
    text += layer_norm_code;
  }
  text += scales_data(program.scales);
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    text += step_data(program.steps[i], i, bfloat16);
  }
  text += logits.text();
  text += example_function(program.bytes, example_step(program));
  text += answers_data<float>("float", answers.logits);
  text += with_text(classify_code, "TYPE", "float");
  return text += with_text(float_end, "TOLERANCE", answers.tolerance);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io::detail

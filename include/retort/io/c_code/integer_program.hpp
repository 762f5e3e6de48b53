// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// An IntegerNetwork as C: its numbers, and what computes with them.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/io/c_code/example.hpp"
#include "retort/io/c_code/integer_code.hpp"
#include "retort/io/c_code/shared_code.hpp"
#include "retort/io/c_code/text.hpp"
#include "retort/quantization/fixed_point.hpp"
#include "retort/quantization/integer_layer.hpp"
#include "retort/quantization/integer_network.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io::detail {

/// Bytes of a row of weights.
constexpr std::size_t row_bytes(int bits, std::size_t inputs) {
  return bits == 4 ? inputs / 8 * 4 + std::min<std::size_t>(4, inputs % 8) : inputs;
}

/// Weights of 4 bits, two a byte: of each eight of a row, byte b of four has number b below and number b + 4 above. The
/// last group may have fewer: then it has as many bytes as numbers, or four.
[[gnu::cold]] inline std::vector<std::uint8_t> packed_by_two(std::span<const std::int8_t> weights,
                                                             std::size_t row_size) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(weights.size() / row_size * row_bytes(4, row_size));
  for (std::size_t row = 0; row < weights.size(); row += row_size) {
    for (std::size_t group = 0; group < row_size; group += 8) {
      const auto nibble = [&](std::size_t i) -> unsigned {
        return group + i < row_size ? static_cast<unsigned>(weights[row + group + i]) & 15u : 0u;
      };
      for (std::size_t b = 0; b < std::min<std::size_t>(4, row_size - group); ++b) {
        bytes.push_back(static_cast<std::uint8_t>(nibble(b) | nibble(b + 4) << 4));
      }
    }
  }
  return bytes;
}

/// That of the network's real example inputs: beyond the range that the bytes stand for. Factors are of half a byte.
[[gnu::cold]] inline float example_step(const IntegerNetwork& network) {
  return network.preprocessing().bytes ? 0.0f : example_step(network.real_inputs().scales, 512.0f);
}

/// A layer's numbers, and the function's arguments.
[[gnu::cold]] inline std::string layer_data(const IntegerNetwork& network, std::size_t index) {
  const internal::IntegerLayer& layer = network.layers()[index];
  std::vector<std::int32_t> multipliers;
  std::vector<std::uint8_t> shifts;
  for (const internal::FixedPoint& factor : layer.factors) {
    multipliers.push_back(factor.multiplier);
    shifts.push_back(static_cast<std::uint8_t>(factor.shift));
  }
  std::string text = "\n";
  if (network.bits() == 4) {
    text += c_data<std::uint8_t>("uint8_t", "weights", index, packed_by_two(layer.weights, layer.inputs));
  } else {
    text += c_data<std::int8_t>("int8_t", "weights", index, layer.weights);
  }
  text += c_data<std::int32_t>("int32_t", "biases", index, layer.biases);
  text += c_data<std::int32_t>("int32_t", "multipliers", index, multipliers);
  text += c_data<std::uint8_t>("uint8_t", "shifts", index, shifts);
  if (!layer.table.empty()) {
    text += c_data<std::uint8_t>("uint8_t", "table", index, layer.table);
  }
  return text;
}

/// `static const $layer layer_0 = {...};`
[[gnu::cold]] inline std::string layer_value(const internal::IntegerLayer& layer, std::size_t index) {
  return concatenate({"  static const $layer layer_",
                      index,
                      " = {",
                      layer.inputs,
                      ", ",
                      layer.outputs,
                      ", ",
                      layer.zero,
                      ", ",
                      layer.lowest,
                      ", $weights_",
                      index,
                      ", $biases_",
                      index,
                      ",\n      $multipliers_",
                      index,
                      ", $shifts_",
                      index,
                      ", ",
                      layer.table.empty() ? "0" : concatenate({"$table_", index}),
                      "};\n"});
}

/// The widths of the two buffers that layers write to in turns; a single layer needs no second one.
[[gnu::cold]] inline std::array<std::size_t, 2> buffer_widths(const IntegerNetwork& network) {
  std::array<std::size_t, 2> widths{};
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    widths[i % 2] = std::max(widths[i % 2], network.layers()[i].outputs);
  }
  return widths;
}

/// Bytes of the stack for all activations: the buffers', and the first layer's inputs where those are not the caller's.
[[gnu::cold]] inline std::size_t scratch_bytes(const IntegerNetwork& network) {
  const auto widths = buffer_widths(network);
  const bool pools = network.pool().square > 1;
  const std::size_t inputs = pools || !network.preprocessing().bytes ? network.layers()[0].inputs : 0;
  return (widths[0] + widths[1] + inputs) * (pools ? 2 : 1);
}

/// The function $logits, from inputs through all layers.
[[gnu::cold]] inline std::string logits_function(const IntegerNetwork& network) {
  const auto& layers = network.layers();
  const bool rounds = !network.preprocessing().bytes;
  const bool pools = network.pool().square > 1;
  const auto widths = buffer_widths(network);
  std::string text =
      "\n/* The logits of a sample's inputs: a real logit is @LOGIT_STEP * (logit - @LOGIT_ZERO). */\n"
      "static inline void $logits(const $input *inputs, int8_t *logits) {\n";
  for (std::size_t i = 0; i < layers.size(); ++i) {
    text += layer_value(layers[i], i);
  }
  text += concatenate({"  $value first[", widths[0], "]"});
  text += layers.size() > 1 ? concatenate({", second[", widths[1], "]"}) : "";
  text += ";\n  uint16_t i;\n";
  std::string current = "inputs";
  if (rounds || pools) {
    text += concatenate({"  $value values[", layers[0].inputs, "];\n"});
    current = "values";
  }
  if (rounds) {
    const InputTerms terms(network.real_inputs().scales);
    text += concatenate({"  for (i = 0; i < @INPUTS; ++i) {\n    values[i] = $round_input(inputs[i]",
                         terms.has_rest ? " - " : ", ", terms.center, ", ", terms.has_rest ? terms.rest : "",
                         terms.has_rest ? ", " : "", terms.factor, ");\n  }\n"});
  } else if (pools) {
    text += "  $pool(inputs, values);\n";
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string_view output = i % 2 == 0 ? "first" : "second";
    text += concatenate({"  $compute(@LAYER(layer_", i, "), ", current, ", ", output, ");\n"});
    current = output;
  }
  return text += concatenate(
             {"  for (i = 0; i < @OUTPUTS; ++i) {\n    logits[i] = (int8_t)(", current, "[i] - 128);\n  }\n}\n"});
}

/// The answers to the examples, which $selftest compares with.
[[gnu::cold]] inline std::vector<std::int8_t> example_answers(const IntegerNetwork& network) {
  std::vector<std::int8_t> answers(example_count * network.output_size());
  const float step = example_step(network);
  for (std::size_t example = 0; example < example_count; ++example) {
    const auto bytes = example_bytes(static_cast<std::uint32_t>(example), network.input_size());
    const auto logits = std::span(answers).subspan(example * network.output_size(), network.output_size());
    if (network.preprocessing().bytes) {
      network.predict(std::span<const std::uint8_t>(bytes), logits);
    } else {
      std::vector<float> reals(bytes.size());
      std::ranges::transform(bytes, reals.begin(),
                             [&](std::uint8_t byte) { return static_cast<float>(byte - 128) * step; });
      network.predict(std::span<const float>(reals), logits);
    }
  }
  return answers;
}

/// All of the program but its first comment.
[[gnu::cold]] inline std::string integer_program(const IntegerNetwork& network) {
  const bool bytes = network.preprocessing().bytes;
  const internal::Squares& pool = network.pool();
  const bool pools = pool.square > 1;
  const auto& layers = network.layers();
  std::string text = "\n";
  text += c_macro("INPUTS", network.input_size());
  text += c_macro("OUTPUTS", network.output_size());
  text += c_macro("SCRATCH_BYTES", scratch_bytes(network));
  text += c_macro("LOGIT_STEP", c_number(static_cast<float>(network.logit_step())));
  text += c_macro("LOGIT_ZERO", network.logit_zero());
  text += c_macro("EXAMPLES", example_count);
  text += integer_beginning;
  text += concatenate({"\ntypedef ", bytes ? "uint8_t" : "float", " $input;\ntypedef ", pools ? "uint16_t" : "uint8_t",
                       " $value;\ntypedef ", pools ? "int32_t" : "int", " $number;\n"});
  text += arm_pairs;
  text += pools ? arm_pairs_of_sums : arm_pairs_of_bytes;
  text += arm_pairs_end;
  if (!pools || pool.area() * 255 <= 32767) {
    text += x86_begin;
    text += pools ? x86_of_sums : x86_of_bytes;
    text += x86_end;
  }
  text += network.bits() == 4 ? weights_of_nibbles : weights_of_bytes;
  text += x86_dot;
  text += network.bits() == 4 ? dot_of_nibbles : dot_of_bytes;
  text += integer_layer_code;
  if (pools) {
    text += pool_function("pool", "uint8_t", "$value", pool, layers[0].inputs);
  }
  if (!bytes) {
    text += "\n" + c_macro("INPUT_ZERO", network.real_inputs().zero);
    text += real_inputs_code;
    text += scales_data(network.real_inputs().scales);
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    text += layer_data(network, i);
  }
  text += logits_function(network);
  text += example_function(bytes, example_step(network));
  text += answers_data<std::int8_t>("int8_t", example_answers(network));
  text += with_text(classify_code, "TYPE", "int8_t");
  return text += integer_end;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io::detail

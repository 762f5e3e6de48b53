// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A training on disk: everything needed to go on as if it had never stopped.

#include <cstddef>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/json.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"
#include "retort/io/safetensors_file.hpp"
#include "retort/loss/metric.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/trainer_interface.hpp"

namespace retort {  // for every instruction set

/// A checkpoint of a run with other settings than this one's.
class [[gnu::visibility("default")]] SettingError : public OptionError {
 public:
  RETORT_ERROR_CONSTRUCTOR SettingError(const std::string& message, std::string setting)
      : OptionError(message), setting_(std::move(setting)) {}

  /// The setting's name, as in Settings: "batch_size", "training data".
  const std::string& setting() const { return setting_; }

 private:
  std::string setting_;
};

}  // namespace retort

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// A checkpoint's contents. Random numbers are functions of the seed and the step, so no generator's state is needed.
struct Checkpoint {
  Settings settings;   ///< of the run that wrote it
  std::size_t epochs;  ///< in all, as planned
  History history;     ///< one entry for each epoch done
  StateArrays state;   ///< after the last of them
  StateArrays best;    ///< the model after the best epoch; empty without early stopping
};

namespace detail {

/// The difference, in words. Data and weights are settings by their fingerprints, which tell a reader nothing.
[[gnu::cold]] inline std::string setting_difference(const std::string& name, const std::string& found,
                                                    const std::string& expected) {
  if (name == "teacher" || name == "initial weights" || name == "training data" || name == "validation data") {
    if (found == "none" || expected == "none") {
      return concatenate({"made ", found == "none" ? "without " : "with ", name, ", cannot be resumed ",
                          expected == "none" ? "without" : "with them"});
    }
    return concatenate({"made with ", name == "teacher" ? "another " : "other ", name,
                        " than this run's, cannot be resumed with ", name == "teacher" ? "this" : "these"});
  }
  return concatenate({"made with ", name, " = ", printable(found, 400), ", cannot be resumed with ", expected});
}

[[gnu::cold, gnu::noinline]] inline std::string evaluation_text(double loss, std::optional<double> accuracy,
                                                                std::optional<std::size_t> errors) {
  std::string text = concatenate({"\"loss\":", json_number(loss)});
  if (accuracy) {
    text += concatenate({",\"accuracy\":", json_number(*accuracy)});
  }
  if (errors) {
    text += concatenate({",\"errors\":", *errors});
  }
  return text;
}

/// A history as JSON: an array with an object for each epoch.
[[gnu::cold]] inline std::string history_text(const History& history) {
  std::string text = "[";
  for (const EpochMetrics& metrics : history) {
    text += concatenate({text.size() > 1 ? ",{\"epoch\":" : "{\"epoch\":", metrics.epoch, ",",
                         evaluation_text(metrics.loss, metrics.accuracy, metrics.errors), ",\"learning_rate\":",
                         json_number(metrics.learning_rate), ",\"seconds\":", json_number(metrics.seconds),
                         ",\"samples_per_second\":", json_number(metrics.samples_per_second)});
    if (metrics.validation) {
      const Evaluation& validation = *metrics.validation;
      text += ",\"validation\":{";
      text += validation.metric == Metric::rmse
                  ? evaluation_text(validation.loss, std::nullopt, std::nullopt)
                  : evaluation_text(validation.loss, validation.accuracy, validation.errors);
      text += '}';
    }
    text += '}';
  }
  return text += ']';
}

/// Takes an object with these fields, each once.
[[gnu::cold]] inline void read_metrics(JsonReader& json, std::vector<JsonField> fields) {
  const std::string_view missing = json.read_object(std::move(fields), "the fields of an epoch, each once");
  if (!missing.empty()) {
    json.fail(concatenate({"a field ", missing, " in the object before"}));
  }
}

[[gnu::cold]] inline EpochMetrics read_epoch(JsonReader& json) {
  EpochMetrics metrics;
  const auto read_validation = [&] {
    Evaluation& values = metrics.validation.emplace();
    std::optional<double> accuracy;
    std::optional<std::size_t> errors;
    read_metrics(json, {{"loss", json.into(values.loss)},
                        {"accuracy", [&] { json.read(accuracy.emplace()); }, false},
                        {"errors", [&] { json.read(errors.emplace()); }, false}});
    if (accuracy.has_value() != errors.has_value()) {
      json.fail(concatenate({"a field ", accuracy ? "errors" : "accuracy", " in the object before"}));
    }
    values.metric = accuracy ? Metric::accuracy : Metric::rmse;  // of a loss that counts errors, or of none
    values.accuracy = accuracy.value_or(std::numeric_limits<double>::quiet_NaN());
    values.errors = errors.value_or(0);
  };
  read_metrics(json, {{"epoch", json.into(metrics.epoch)},
                      {"learning_rate", json.into(metrics.learning_rate)},
                      {"loss", json.into(metrics.loss)},
                      {"accuracy", [&] { json.read(metrics.accuracy.emplace()); }, false},
                      {"errors", [&] { json.read(metrics.errors.emplace()); }, false},
                      {"seconds", json.into(metrics.seconds)},
                      {"samples_per_second", json.into(metrics.samples_per_second)},
                      {"validation", read_validation, false}});
  return metrics;
}

/// Throws JsonError. The memory is allocated once, for as many epochs as the text can have.
[[gnu::cold]] inline History read_history(std::string_view text) {
  constexpr std::string_view shortest_epoch =
      R"({"epoch":1,"learning_rate":1,"loss":1,"seconds":1,"samples_per_second":1},)";
  History history;
  history.reserve(text.size() / shortest_epoch.size() + 1);
  JsonReader json(text);
  json.begin_array();
  while (json.next_element()) {
    history.push_back(read_epoch(json));
  }
  json.end();
  return history;
}

inline constexpr const char* checkpoint_format = "retort-checkpoint-2";
inline constexpr std::string_view best_prefix = "best.";
inline constexpr std::string_view history_name = "history";
inline constexpr std::string_view setting_prefix = "setting.";

}  // namespace detail

/// Writes a checkpoint as a safetensors file (arrays of bytes, the rest as metadata), replacing `path` atomically.
/// Throws FileError.
[[gnu::cold]] inline void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  std::vector<io::Tensor> tensors;
  const auto append = [&](const StateArrays& state, std::string_view prefix) {
    for (const StateArray& array : state) {
      tensors.push_back({concatenate({prefix, array.name}), io::DType::U8, {array.bytes.size()}, array.bytes});
    }
  };
  append(checkpoint.state, "");
  append(checkpoint.best, detail::best_prefix);
  // An array, since a file's metadata may not grow without limit.
  const std::string history = detail::history_text(checkpoint.history);
  tensors.push_back(
      {std::string(detail::history_name), io::DType::U8, {history.size()}, std::as_bytes(std::span(history))});
  io::Metadata metadata{{"format", detail::checkpoint_format}, {"epochs", to_text(checkpoint.epochs)}};
  for (const auto& [name, value] : checkpoint.settings) {
    metadata[concatenate({detail::setting_prefix, name})] = value;
  }
  io::write_safetensors(path, tensors, metadata);
}

/// Reads a checkpoint and compares it with this run. Throws FileError, FormatError for a file that is no checkpoint,
/// and SettingError naming the first setting that differs. Memory: up to four times the file's size.
[[gnu::cold]] inline Checkpoint load_checkpoint(const std::filesystem::path& path, const Settings& expected) {
  const io::SafetensorsFile file = io::SafetensorsFile::read(path);
  const io::Metadata& metadata = file.metadata();
  const auto field = [&](const std::string& name) -> const std::string& {
    const auto found = metadata.find(name);
    if (found == metadata.end()) {
      throw FormatError(path, concatenate({"metadata ", name, ": missing, expected in a checkpoint"}));
    }
    return found->second;
  };
  if (field("format") != detail::checkpoint_format) {
    throw FormatError(
        path, concatenate({"metadata format: ", in_quotes(field("format")), ", expected ", detail::checkpoint_format}));
  }
  Checkpoint checkpoint{};
  for (const auto& [name, value] : expected) {
    const std::string& found = field(concatenate({detail::setting_prefix, name}));
    if (found != value) {
      throw SettingError(concatenate({path_text(path), ": ", detail::setting_difference(name, found, value)}), name);
    }
    checkpoint.settings.emplace_back(name, value);
  }
  try {
    const io::Tensor& history = file.at(detail::history_name);
    checkpoint.history =
        detail::read_history({reinterpret_cast<const char*>(history.bytes.data()), history.bytes.size()});
  } catch (const JsonError& error) {
    throw FormatError(path, concatenate({"tensor history: ", error.what()}));
  }
  try {
    JsonReader json(field("epochs"));
    checkpoint.epochs = json.number<std::size_t>();
    json.end();
  } catch (const JsonError& error) {
    throw FormatError(path, concatenate({"metadata epochs: ", error.what()}));
  }
  for (const io::Tensor& tensor : file.tensors()) {
    if (tensor.name == detail::history_name) {
      continue;
    }
    const bool best = tensor.name.starts_with(detail::best_prefix);
    StateArray array{tensor.name.substr(best ? detail::best_prefix.size() : 0),
                     {tensor.bytes.begin(), tensor.bytes.end()}};
    (best ? checkpoint.best : checkpoint.state).push_back(std::move(array));
  }
  return checkpoint;
}

/// What a training does with a checkpoint's file. Pointers, which CheckpointOptions set: a program that makes none
/// compiles none of the code.
struct CheckpointFile {
  void (*require_writable)(const std::filesystem::path&) = &retort::require_writable;
  void (*save)(const std::filesystem::path&, const Checkpoint&) = &save_checkpoint;
  Checkpoint (*load)(const std::filesystem::path&, const Settings&) = &load_checkpoint;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

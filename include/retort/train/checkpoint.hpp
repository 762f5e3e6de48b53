#pragma once
/// @file
/// A training on disk: everything that is needed to go on as if it had never stopped.

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/io/safetensors_file.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/training_engine.hpp"

namespace retort {

/// What a checkpoint holds. Random numbers are functions of the seed and the step, so no generator's state is among it.
struct Checkpoint {
  Settings settings;    ///< of the run that wrote it
  History history;      ///< one entry for each epoch done
  TrainingState state;  ///< after the last of them
  TrainingState best;   ///< the model after the best epoch; empty without early stopping
};

namespace detail {

inline nlohmann::json to_json(const EpochMetrics& metrics) {
  nlohmann::json json{{"epoch", metrics.epoch},
                      {"learning_rate", metrics.learning_rate},
                      {"loss", metrics.loss},
                      {"accuracy", metrics.accuracy},
                      {"errors", metrics.errors},
                      {"seconds", metrics.seconds},
                      {"samples_per_second", metrics.samples_per_second}};
  if (metrics.validation) {
    json["validation"] = {{"loss", metrics.validation->loss},
                          {"accuracy", metrics.validation->accuracy},
                          {"errors", metrics.validation->errors}};
  }
  return json;
}

inline EpochMetrics epoch_metrics_from_json(const nlohmann::json& json) {
  EpochMetrics metrics{.epoch = json.at("epoch").get<std::size_t>(),
                       .learning_rate = json.at("learning_rate").get<double>(),
                       .loss = json.at("loss").get<double>(),
                       .accuracy = json.at("accuracy").get<double>(),
                       .errors = json.at("errors").get<std::size_t>(),
                       .seconds = json.at("seconds").get<double>(),
                       .samples_per_second = json.at("samples_per_second").get<double>()};
  if (json.contains("validation")) {
    const nlohmann::json& validation = json.at("validation");
    metrics.validation = Evaluation{.loss = validation.at("loss").get<double>(),
                                    .accuracy = validation.at("accuracy").get<double>(),
                                    .errors = validation.at("errors").get<std::size_t>()};
  }
  return metrics;
}

inline constexpr const char* checkpoint_format = "retort-checkpoint-1";
inline constexpr std::string_view best_prefix = "best.";

}  // namespace detail

/// Writes a checkpoint as a safetensors file (arrays of bytes, the rest as metadata), replacing `path` atomically.
/// Throws FileError.
inline void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  std::vector<io::Tensor> tensors;
  const auto append = [&](const TrainingState& state, std::string_view prefix) {
    for (const StateArray& array : state) {
      tensors.push_back({std::string(prefix) + array.name, io::DType::U8, {array.bytes.size()}, array.bytes});
    }
  };
  append(checkpoint.state, "");
  append(checkpoint.best, detail::best_prefix);
  nlohmann::json history = nlohmann::json::array();
  for (const EpochMetrics& metrics : checkpoint.history) {
    history.push_back(detail::to_json(metrics));
  }
  io::Metadata metadata{{"format", detail::checkpoint_format}, {"history", history.dump()}};
  for (const auto& [name, value] : checkpoint.settings) {
    metadata["setting." + name] = value;
  }
  io::write_safetensors(path, tensors, metadata);
}

/// Reads a checkpoint and compares it with the run at hand. Throws FileError, FormatError for a file that is no
/// checkpoint, and OptionError naming the first setting that differs.
inline Checkpoint load_checkpoint(const std::filesystem::path& path, const Settings& expected) {
  const io::SafetensorsFile file = io::SafetensorsFile::read(path);
  const io::Metadata& metadata = file.metadata();
  const auto field = [&](const std::string& name) -> const std::string& {
    const auto found = metadata.find(name);
    if (found == metadata.end()) {
      throw FormatError(path, "metadata " + name + ": missing, expected in a checkpoint");
    }
    return found->second;
  };
  if (field("format") != detail::checkpoint_format) {
    throw FormatError(path, "metadata format: " + field("format") + ", expected " + detail::checkpoint_format);
  }
  Checkpoint checkpoint;
  for (const auto& [name, value] : expected) {
    const std::string& found = field("setting." + name);
    if (found != value) {
      throw OptionError(path.string() + ": made with " + name + " = " + found + ", cannot be resumed with " + value);
    }
    checkpoint.settings.emplace_back(name, value);
  }
  try {
    for (const nlohmann::json& entry : nlohmann::json::parse(field("history"))) {
      checkpoint.history.push_back(detail::epoch_metrics_from_json(entry));
    }
  } catch (const nlohmann::json::exception& error) {
    throw FormatError(path, std::string("metadata history: ") + error.what());
  }
  for (const io::Tensor& tensor : file.tensors()) {
    const bool best = tensor.name.starts_with(detail::best_prefix);
    StateArray array{tensor.name.substr(best ? detail::best_prefix.size() : 0),
                     {tensor.bytes.begin(), tensor.bytes.end()}};
    (best ? checkpoint.best : checkpoint.state).push_back(std::move(array));
  }
  return checkpoint;
}

}  // namespace retort

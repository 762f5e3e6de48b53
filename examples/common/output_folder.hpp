// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The folder that a program leaves its results in.

#include <filesystem>
#include <string>
#include <vector>

namespace examples {

/// Whether a run goes on with the results of an earlier one in its folder, or replaces them.
struct Continuation {
  bool resume = false;
  bool overwrite = false;
  bool any_processor = false;  ///< resume also what a program for another processor, or from another compiler, began
};

/// A folder that one process holds at a time, by a lock (flock) on the file `.retort-lock` in it. The lock ends with
/// the process, however that ends.
class OutputFolder {
 public:
  /// Makes the folder and those in it where they are missing, takes the lock, and removes what killed writers left
  /// (retort::remove_abandoned_files). Throws retort::FileError where that is not possible, and where another process
  /// holds the lock: the message says which one, on what host, and since when.
  OutputFolder(std::filesystem::path folder, const std::vector<std::string>& inner_folders);
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;
  ~OutputFolder();

  /// Decides about files in the folder that an earlier run may have left: throws retort::OptionError where any is there
  /// and the run is neither to resume nor to overwrite. One that overwrites removes those of `cleared`; those of
  /// `replaced` stay until the run has new ones.
  void take_over(const std::vector<std::filesystem::path>& replaced, const std::vector<std::filesystem::path>& cleared,
                 const Continuation& continuation) const;

 private:
  void lock();
  void unlock();

  std::filesystem::path folder_;
  int descriptor_ = -1;
};

}  // namespace examples

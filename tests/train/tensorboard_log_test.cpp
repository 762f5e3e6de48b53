// SPDX-License-Identifier: MIT
#include "retort/train/tensorboard_log.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "full_disk.hpp"
#include "retort/core/error.hpp"
#include "retort/io/event_file.hpp"
#include "retort/train/fit.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/observer.hpp"
#include "small_datasets.hpp"
#include "temporary_folder.hpp"
#include "train/scripted_trainer.hpp"

namespace {

using namespace retort;

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  }
  return value;
}

struct Field {
  std::uint64_t number = 0;
  std::uint64_t value = 0;
  std::string_view bytes{};
};

/// The fields of a Protocol Buffers message.
std::vector<Field> fields_of(std::string_view message) {
  const auto take = [&](std::size_t count) {
    REQUIRE(count <= message.size());
    const std::string_view taken = message.substr(0, count);
    message.remove_prefix(count);
    return taken;
  };
  const auto take_varint = [&] {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const std::uint64_t byte = little_endian(take(1));
      value |= (byte & 0x7Fu) << shift;
      if (byte < 0x80u) {
        return value;
      }
    }
  };
  std::vector<Field> fields;
  while (!message.empty()) {
    const std::uint64_t key = take_varint();
    Field field{.number = key >> 3};
    switch (key & 7u) {
      case 0:
        field.value = take_varint();
        break;
      case 1:
        field.value = little_endian(take(8));
        break;
      case 2:
        field.bytes = take(take_varint());
        break;
      default:
        REQUIRE((key & 7u) == 5);
        field.value = little_endian(take(4));
    }
    fields.push_back(field);
  }
  return fields;
}

struct Event {
  double time = 0.0;
  std::uint64_t step = 0;
  std::string version;
  bool starts = false;
  std::map<std::string, float> scalars;
};

Event parse_event(std::string_view message) {
  Event event;
  for (const Field& field : fields_of(message)) {
    switch (field.number) {
      case 1:
        event.time = std::bit_cast<double>(field.value);
        break;
      case 2:
        event.step = field.value;
        break;
      case 3:
        event.version = field.bytes;
        break;
      case 7:
        event.starts = fields_of(field.bytes).at(0).value == 1;
        break;
      default:
        REQUIRE(field.number == 5);
        for (const Field& value : fields_of(field.bytes)) {
          const std::vector<Field> parts = fields_of(value.bytes);
          REQUIRE(parts.size() == 2);
          event.scalars[std::string(parts[0].bytes)] = std::bit_cast<float>(static_cast<std::uint32_t>(parts[1].value));
        }
    }
  }
  return event;
}

/// The data of the records up to the first that is damaged or cut short, and whether that is all of the file.
struct Records {
  std::vector<std::string_view> data;
  bool whole = false;
};

Records read_records(std::string_view file) {
  Records records;
  const auto matches = [](std::string_view data, std::string_view checksum) {
    const auto rotated = static_cast<std::uint32_t>(little_endian(checksum) - 0xA282EAD8u);
    return io::detail::crc32c(data) == std::rotl(rotated, 15);
  };
  while (file.size() >= 16 && matches(file.substr(0, 8), file.substr(8, 4))) {
    const std::uint64_t size = little_endian(file.substr(0, 8));
    if (size > file.size() - 16 || !matches(file.substr(12, size), file.substr(12 + size, 4))) {
      return records;
    }
    records.data.push_back(file.substr(12, size));
    file.remove_prefix(16 + size);
  }
  records.whole = file.empty();
  return records;
}

/// The event files of a folder, in the order in which TensorBoard reads them.
std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    CHECK(entry.path().filename().string().starts_with("events.out.tfevents."));
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// What TensorBoard shows of a folder: a restart discards what was there of its step and later ones.
std::vector<Event> shown_events(const std::filesystem::path& folder) {
  std::vector<Event> shown;
  for (const std::filesystem::path& path : event_files(folder)) {
    const std::string file = test::read_file(path);
    const Records records = read_records(file);
    CHECK(records.whole);
    REQUIRE(records.data.size() >= 2);
    CHECK(parse_event(records.data[0]).version == "brain.Event:2");
    CHECK(parse_event(records.data[1]).starts);
    for (const std::string_view data : records.data) {
      const Event event = parse_event(data);
      if (event.starts) {
        std::erase_if(shown, [&](const Event& other) { return other.step >= event.step; });
      } else if (!event.scalars.empty()) {
        shown.push_back(event);
      }
    }
  }
  return shown;
}

void require_shown(const std::filesystem::path& folder, const History& history) {
  const std::vector<Event> shown = shown_events(folder);
  REQUIRE(shown.size() == history.size());
  for (std::size_t i = 0; i < history.size(); ++i) {
    const EpochMetrics& metrics = history[i];
    CHECK(shown[i].step == metrics.epoch);
    CHECK((i == 0 || shown[i - 1].time <= shown[i].time));
    std::map<std::string, float> expected{{"loss/training", static_cast<float>(metrics.loss)},
                                          {"learning_rate", static_cast<float>(metrics.learning_rate)}};
    if (metrics.accuracy) {
      expected["accuracy/training"] = static_cast<float>(*metrics.accuracy);
    }
    if (metrics.validation) {
      expected["loss/validation"] = static_cast<float>(metrics.validation->loss);
      expected["accuracy/validation"] = static_cast<float>(metrics.validation->accuracy);
    }
    CHECK(shown[i].scalars == expected);
  }
}

/// Each figure differs from all others. Every third epoch trained without a label.
History epochs(std::size_t first, std::size_t last) {
  History history;
  for (std::size_t epoch = first; epoch <= last; ++epoch) {
    const double part = 1.0 / static_cast<double>(epoch + 2);
    history.push_back({.epoch = epoch,
                       .learning_rate = part / 100.0,
                       .loss = 3.0 * part,
                       .accuracy = 1.0 - part,
                       .validation = Evaluation{.loss = 4.0 * part, .accuracy = 0.9 - part, .errors = epoch},
                       .seconds = 100.0});
    if (epoch % 3 == 0) {
      history.back().accuracy.reset();
    }
  }
  return history;
}

void write(TensorBoardLog& log, const History& restored, const History& trained) {
  log.on_fit_begin(restored, 9);
  for (const EpochMetrics& metrics : trained) {
    log.on_epoch_end(metrics, 9);
  }
}

std::string bytes(std::initializer_list<unsigned> values) { return {values.begin(), values.end()}; }

// RFC 3720, appendix B.4.
TEST_CASE("The checksum is CRC-32C", "[train]") {
  using io::detail::crc32c;
  std::string rising(32, '\0');
  std::iota(rising.begin(), rising.end(), '\0');
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAu);
  CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43u);
  CHECK(crc32c(rising) == 0x46DD794Eu);
  CHECK(crc32c(std::string(rising.rbegin(), rising.rend())) == 0x113FDB5Cu);
  CHECK(crc32c(bytes({0x01, 0xC0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0,
                      0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0,    0})) ==
        0xD9963A56u);
}

// Made by tensorboard 2.21 (summary.writer.record_writer) and protobuf 7.36.
TEST_CASE("Records are those of TensorBoard's own writer", "[train]") {
  const auto hexadecimal = [](std::string_view text) {
    std::string digits;
    for (const char letter : text) {
      const auto byte = static_cast<unsigned char>(letter);
      digits += "0123456789abcdef"[byte >> 4];
      digits += "0123456789abcdef"[byte & 15u];
    }
    return digits;
  };
  CHECK(hexadecimal(io::detail::make_event(1.5, 1, 3, "brain.Event:2")) ==
        "1a00000000000000129bd82d09000000000000f83f10011a0d627261696e2e4576656e743a32bb00b002");
  const test::TemporaryFolder folder;
  io::EventFile file(folder.path(), 1);
  file.write(1.5, 300, std::vector<io::Scalar>{{"loss/training", 0.1}, {"accuracy/training", 1.0}});
  CHECK(
      hexadecimal(test::read_file(event_files(folder.path()).at(0)))
          .ends_with("3e00000000000000d9d240e709000000000000f83f10ac022a300a140a0d6c6f73732f747261696e696e6715cdcccc3d"
                     "0a180a1161636375726163792f747261696e696e67150000803faa22b9b7"));
}

TEST_CASE("An event file is what the history says of a training", "[train]") {
  class Improver : public Observer {
   public:
    explicit Improver(test::ScriptedTrainer& trainer) : trainer_(trainer) {}
    void on_epoch_end(const EpochMetrics& /*metrics*/, std::size_t /*epochs*/) override {
      trainer_.loss *= 0.7;
      trainer_.validation_loss *= 0.8;
    }

   private:
    test::ScriptedTrainer& trainer_;
  };
  const test::TemporaryFolder folder;
  const data::Dataset data = test::clouds(12, 2, 2, 1);
  TensorBoardLog log(folder / "run");
  for (const bool validated : {true, false}) {
    test::ScriptedTrainer trainer({3, 2, 1});
    Improver improver(trainer);
    const History history =
        retort::detail::fit(trainer, data, validated ? &data : nullptr, {.epochs = 3, .observers = {&log, &improver}});
    REQUIRE(history.size() == 3);
    require_shown(folder / "run", history);
  }
}

TEST_CASE("Each epoch is in the file when it ends, and a kill leaves whole ones", "[train]") {
  const test::TemporaryFolder folder;
  TensorBoardLog log(folder.path());
  log.on_fit_begin({}, 9);
  CHECK(event_files(folder.path()).empty());
  for (const EpochMetrics& metrics : epochs(1, 3)) {
    log.on_epoch_end(metrics, 9);
    require_shown(folder.path(), epochs(1, metrics.epoch));
  }
  const std::string file = test::read_file(event_files(folder.path()).at(0));
  const Records all = read_records(file);
  for (std::size_t size = 0; size < file.size(); ++size) {
    const Records cut = read_records(std::string_view(file).substr(0, size));
    const auto end = static_cast<std::size_t>(std::ranges::count_if(
        all.data, [&](std::string_view data) { return data.data() + data.size() + 4 <= file.data() + size; }));
    REQUIRE(cut.data.size() == end);
  }
}

TEST_CASE("A bit that has changed is found", "[train]") {
  const test::TemporaryFolder folder;
  TensorBoardLog log(folder.path());
  write(log, {}, epochs(1, 1));
  std::string file = test::read_file(event_files(folder.path()).at(0));
  REQUIRE(read_records(file).whole);
  for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
    const auto flip = [&] { file[bit / 8] = static_cast<char>(file[bit / 8] ^ 1 << bit % 8); };
    flip();
    REQUIRE_FALSE(read_records(file).whole);
    flip();
  }
}

TEST_CASE("A resumed training goes on in a new file, and shows each epoch once", "[train]") {
  const test::TemporaryFolder folder;
  // Behind its checkpoint by an epoch, ahead of it by two, without any epoch, and begun anew.
  for (const auto& [restored, trained] : {std::pair{0, 3}, {4, 8}, {6, 7}, {9, 9}, {0, 2}}) {
    const std::vector<std::filesystem::path> before = event_files(folder.path());
    std::map<std::filesystem::path, std::string> contents;
    for (const auto& file : before) {
      contents[file] = test::read_file(file);
    }
    TensorBoardLog log(folder.path());
    const auto first = static_cast<std::size_t>(restored);
    const auto last = static_cast<std::size_t>(trained);
    const double now = io::EventFile::now();
    write(log, epochs(1, first), epochs(first + 1, last));
    require_shown(folder.path(), epochs(1, last));
    const std::vector<Event> shown = shown_events(folder.path());
    if (first > 1) {  // as if the epochs of 100 seconds had just been trained
      CHECK_THAT(shown[first - 1].time - shown[0].time, WithinAbs(100.0 * static_cast<double>(first - 1), 1e-3));
      CHECK_THAT(shown[first - 1].time, WithinAbs(now, 60.0));
    }
    const std::vector<std::filesystem::path> after = event_files(folder.path());
    REQUIRE(after.size() == before.size() + 1);
    for (std::size_t i = 0; i < before.size(); ++i) {
      REQUIRE(after[i] == before[i]);
      CHECK(test::read_file(after[i]) == contents[after[i]]);
    }
  }
  // The clock may have been ahead.
  test::write_file(folder / "events.out.tfevents.9000000000.elsewhere.1", "");
  const io::EventFile file(folder.path(), 1);
  CHECK(event_files(folder.path()).back().filename().string().starts_with("events.out.tfevents.9000000001."));
}

TEST_CASE("What cannot be written is a FileError, in one line, and what is there stays whole", "[train]") {
  const test::TemporaryFolder folder;
  test::write_file(folder / "file", "mine");
  const std::string reason = [&] {
    try {
      const TensorBoardLog log(folder / "file/below");
    } catch (const FileError& error) {
      return std::string(error.what());
    }
    return std::string();
  }();
  CHECK(reason == (folder / "file/below").string() + ": cannot be made (Not a directory)");
  CHECK(test::read_file(folder / "file") == "mine");

  TensorBoardLog log(folder / "run");
  write(log, {}, epochs(1, 2));
  {
    const test::FullDisk full(test::read_file(event_files(folder / "run").at(0)).size() + 20);
    CHECK_THROWS_AS(log.on_epoch_end(epochs(3, 3)[0], 9), FileError);
  }
  require_shown(folder / "run", epochs(1, 2));
}

}  // namespace

// RunFolder: where a run leaves what it was and what came of it.
//
//   manifest.json                 what ran: version, command, seed, configuration, result, digest, when
//   orders.csv trades.csv l1.csv  every event of every order, every trade, every change of the best bid and offer
//   phases.csv                    in a market with rules: the phases of each symbol, and how its auctions ended
//   latency.hgrm                  how long orders took (latency.STAGE.hgrm: each stage; latency.hlog: all, in a log)
//   positions.csv strategy.json   what a strategy ended with
//
// Files that are written whole appear whole: under another name first.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace outcry {

class RunFolder {
 public:
  /// Makes the folder where there is none. One that holds anything but an earlier run is left alone. Throws
  /// std::runtime_error with one sentence.
  explicit RunFolder(std::filesystem::path path);
  /// Removes the folder again if it was made for nothing.
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  /// Removes what an earlier run left. Throws std::system_error if it cannot.
  void begin();

  const std::filesystem::path& path() const { return path_; }
  /// Writes one file. Throws std::system_error if it cannot.
  void write(std::string_view name, std::string_view text) const;

 private:
  std::filesystem::path path_;
  std::vector<std::filesystem::path> old_;
  bool made_ = false;
  bool begun_ = false;
};

}  // namespace outcry

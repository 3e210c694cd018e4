#include <outcry/actors/run_folder.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace outcry {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 9> names{"manifest.json", "orders.csv",   "phases.csv",
                                                "trades.csv",    "l1.csv",       "positions.csv",
                                                "strategy.json", "latency.hlog", "latency.hgrm"};

bool of_a_run(const std::string& name) {
  for (const std::string_view one : names)
    if (name == one || name == std::string(one) + ".part") return true;
  return name.starts_with("latency.") && name.ends_with(".hgrm");
}

bool is_manifest(const fs::path& path) {
  std::ifstream file(path);
  std::string head(64, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  return head.find("\"outcry\"") != std::string::npos;
}

}  // namespace

RunFolder::RunFolder(fs::path path) : path_(std::move(path)) {
  std::error_code error;
  made_ = fs::create_directories(path_, error);
  if (!fs::is_directory(path_)) {
    throw std::runtime_error(path_.string() + ": cannot be made a folder: " +
                             (error ? error.message() : std::string("a file of this name is there")));
  }
  std::string foreign;
  fs::directory_iterator entry(path_, error);
  if (error) throw std::runtime_error(path_.string() + ": cannot be read: " + error.message());
  for (; entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!of_a_run(name)) {
      if (foreign.empty() || name < foreign) foreign = name;
    } else {
      old_.push_back(entry->path());
    }
  }
  if (!old_.empty() && foreign.empty() && !is_manifest(path_ / "manifest.json"))
    foreign = old_.front().filename().string();
  if (!foreign.empty())
    throw std::runtime_error(
        path_.string() + ": holds " + foreign +
        ", which is not of a run of Outcry; expected a new or empty folder, or that of an earlier run");
}

RunFolder::~RunFolder() {
  std::error_code ignored;
  if (made_ && !begun_) fs::remove(path_, ignored);
}

void RunFolder::begin() {
  begun_ = true;
  for (const fs::path& file : old_) fs::remove(file);
  old_.clear();
}

void RunFolder::write(std::string_view name, std::string_view text) const {
  const fs::path file = path_ / name;
  const fs::path part = path_ / (std::string(name) + ".part");
  const auto fail = [&](int number) {
    throw std::system_error(number, std::generic_category(), file.string() + ": cannot be written");
  };
  const int descriptor = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) fail(errno);
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int number = errno;
      ::close(descriptor);
      ::unlink(part.c_str());
      fail(number);
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::close(descriptor) != 0 || ::rename(part.c_str(), file.c_str()) != 0) fail(errno);
}

}  // namespace outcry

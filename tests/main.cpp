// The main of every test program: doctest's, plus --seed=N, which drawn scenarios print and take back.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <random>

#include "seed.hpp"

namespace {
std::uint64_t seed_ = 0;
}

std::uint64_t test_seed() { return seed_; }

int main(int argc, char** argv) {
  seed_ = std::random_device{}();
  if (const char* given = std::getenv("OUTCRY_SEED")) seed_ = std::strtoull(given, nullptr, 10);
  for (int i = 1; i < argc; ++i)
    if (std::strncmp(argv[i], "--seed=", 7) == 0) seed_ = std::strtoull(argv[i] + 7, nullptr, 10);
  doctest::Context context(argc, argv);
  return context.run();
}

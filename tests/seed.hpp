// The seed of this test run: drawn anew each time, or given as --seed=N or OUTCRY_SEED=N. A test that draws prints it.
#pragma once

#include <cstdint>

std::uint64_t test_seed();

// What the suite `techniques` compares: the product's books with a technique, and the same source without it.
//
// A build of the books without a technique compiles the product's own headers and sources, in a namespace of another
// name and with one header from off/ in front of the product's. So the whole book is measured, and the product carries
// no switch.
#pragma once

#include "obw1.hpp"

namespace bench {

/// One run through the whole stream, the answer checked: nanoseconds a message, the median chunk.
using Run = double (*)(const obw1::Stream&);

/// Books with dense ids, one by one and prefetching.
struct BuiltBooks {
  Run dense, dense_prefetching;
};

BuiltBooks product_books();
BuiltBooks linear_books();    // off/linear
BuiltBooks tree_books();      // off/tree
BuiltBooks division_books();  // off/division

}  // namespace bench

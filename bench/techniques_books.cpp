// One build of the books: compiled once for each namespace, see techniques.hpp.
#include "book_engines.hpp"
#include "median_run.hpp"
#include "techniques.hpp"

#ifndef OUTCRY_BUILT
#define OUTCRY_BUILT product_books
#endif

namespace bench {

BuiltBooks OUTCRY_BUILT() {
  return {median_ns<Books<outcry::DenseIds>, false>, median_ns<Books<outcry::DenseIds>, true>};
}

}  // namespace bench

#include <outcry/net/mapped_file.hpp>

#include <doctest/doctest.h>

#include <utility>

#include "files.hpp"

using namespace outcry;
using namespace outcry::test;

TEST_CASE("a file that cannot be opened is named, with the reason") {
  const Scratch scratch;
  const auto sentence = [](const std::string& path) {
    try {
      MappedFile file(path);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("opened");
  };

  CHECK(sentence(scratch.path("none.itch")) ==
        scratch.path("none.itch") +
            ": found nothing that opens (No such file or directory), expected a file that can be read");
  CHECK(sentence(scratch.path("")) == scratch.path("") + ": found a directory, expected a file that can be read");
  CHECK(sentence("/dev/null") == "/dev/null: found a pipe or device, expected a file that can be read");
}

TEST_CASE("a mapped file holds what was written, also after it was moved") {
  const Scratch scratch;
  MappedFile first(scratch.write("a", "abc"));
  MappedFile second(scratch.write("empty", ""));
  CHECK(first.bytes().size() == 3);
  CHECK(second.bytes().empty());

  second = std::move(first);

  REQUIRE(second.bytes().size() == 3);
  CHECK(second.bytes()[2] == std::byte{'c'});
}

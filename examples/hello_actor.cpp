// Two actors on one scheduler: one asks, the other answers.
//
//   build/release/bin/hello_actor
#include <cstdio>

#include <outcry/runtime/runtime.hpp>

using namespace outcry;

struct Square {
  using Reply = int;
  int number;
};

Actor calculator(Self<Ask<Square>> self) {
  while (auto question = co_await self.receive()) question->reply(question->query.number * question->query.number);
  std::puts("calculator: nobody asks any more");
}

Actor pupil(Self<> self, Address<Ask<Square>> calculator) {
  for (int number = 1; number <= 3; ++number) {
    auto asking = calculator.ask(Square{number}, std::chrono::seconds(1));
    const auto answer = co_await asking;
    if (answer) std::printf("pupil: %d squared is %d\n", number, *answer);
  }
  co_await self.sleep(std::chrono::milliseconds(1));
  calculator.stop();
}

int main() {
  Runtime runtime;
  const auto address = runtime.spawn({.name = "calculator"}, calculator);
  runtime.spawn({.name = "pupil"}, pupil, address);
  runtime.run();
}
// pupil: 1 squared is 1
// pupil: 2 squared is 4
// pupil: 3 squared is 9
// calculator: nobody asks any more

/* Drives the shared library from C: what it says, word for word, and what it holds afterwards.
 *
 *   build/release/bin/engine_test
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outcry_engine.h"

static char said[8192];

/* Writes down what was reported since the last call, and forgets it. */
static const char* reports_of(outcry_engine* engine) {
  size_t count, length = 0;
  const outcry_report* reports = outcry_engine_reports(engine, &count);
  said[0] = '\0';
  for (size_t i = 0; i < count; ++i) {
    const outcry_report* r = &reports[i];
    char* to = said + length;
    size_t room = sizeof said - length;
    int written = 0;
    switch (r->kind) {
      case OUTCRY_ACCEPTED: written = snprintf(to, room, "accepted %" PRIu64 "\n", r->id); break;
      case OUTCRY_REJECTED:
        written = snprintf(to, room, "rejected %" PRIu64 ": %s\n", r->id, outcry_reason_text(r->reason));
        break;
      case OUTCRY_TRADED:
        written =
            snprintf(to, room, "traded %" PRIu32 " at %" PRId64 ", %" PRIu64 " with %" PRIu64 ", %" PRIu32 " left\n",
                     r->quantity, r->price, r->other_id, r->id, r->open);
        break;
      case OUTCRY_CANCELLED:
        written = snprintf(to, room, "cancelled %" PRIu64 " (%" PRIu32 "): %s\n", r->id, r->quantity,
                           outcry_reason_text(r->reason));
        break;
      case OUTCRY_REDUCED: written = snprintf(to, room, "reduced %" PRIu64 " to %" PRIu32 "\n", r->id, r->open); break;
      case OUTCRY_MODIFIED:
        written = snprintf(to, room, "modified %" PRIu64 " to %" PRIu32 " at %" PRId64 "\n", r->id, r->open, r->price);
        break;
      case OUTCRY_REPLACED:
        written = snprintf(to, room, "replaced %" PRIu64 " by %" PRIu64 "\n", r->id, r->other_id);
        break;
      default: written = snprintf(to, room, "report of kind %u\n", r->kind);
    }
    length += (size_t)written;
  }
  outcry_engine_forget_reports(engine);
  return said;
}

static int failures = 0;

static void expect(int holds, const char* what) {
  if (holds) return;
  printf("not so: %s\n", what);
  ++failures;
}

static void expect_reports(outcry_engine* engine, const char* expected) {
  const char* got = reports_of(engine);
  if (strcmp(got, expected) == 0) return;
  printf("expected\n%sbut the engine said\n%s", expected, got);
  ++failures;
}

static void limit(outcry_engine* engine, uint64_t id, uint8_t side, int64_t price, uint32_t quantity) {
  const outcry_order order = {.id = id, .price = price, .quantity = quantity, .account = 7, .side = side};
  outcry_engine_submit(engine, &order);
}

static void orders_trade_by_price_then_time(void) {
  outcry_engine* engine = outcry_engine_create(NULL);
  outcry_level levels[3];
  outcry_resting_order orders[3];
  outcry_order order;

  limit(engine, 1, OUTCRY_SELL, 101, 50);
  limit(engine, 2, OUTCRY_SELL, 100, 30);
  limit(engine, 3, OUTCRY_SELL, 101, 20);
  limit(engine, 4, OUTCRY_BUY, 101, 60);
  limit(engine, 5, OUTCRY_BUY, 99, 10);

  expect_reports(engine,
                 "accepted 1\n"
                 "accepted 2\n"
                 "accepted 3\n"
                 "accepted 4\n"
                 "traded 30 at 100, 4 with 2, 0 left\n"
                 "traded 30 at 101, 4 with 1, 20 left\n"
                 "accepted 5\n");
  expect(outcry_engine_depth(engine, 0, OUTCRY_SELL, levels, 3) == 1, "one level is offered");
  expect(levels[0].price == 101 && levels[0].quantity == 40 && levels[0].orders == 2, "40 in two orders at 101");
  expect(outcry_engine_orders_at(engine, 0, OUTCRY_SELL, 101, orders, 3) == 2, "two orders rest at 101");
  expect(orders[0].id == 1 && orders[0].open == 20 && orders[1].id == 3 && orders[1].open == 20, "1 before 3");
  expect(outcry_engine_best(engine, 0, OUTCRY_BUY, levels) == 1 && levels[0].price == 99, "99 is bid");
  expect(outcry_engine_find(engine, 0, 5, &order) == 1 && order.quantity == 10 && order.account == 7, "5 is live");
  expect(outcry_engine_find(engine, 0, 2, &order) == 0, "2 is gone");
  expect(outcry_engine_order_count(engine, 0) == 3, "three orders rest");
  outcry_engine_destroy(engine);
}

static void orders_are_changed_by_their_owner_only(void) {
  outcry_engine* engine = outcry_engine_create(NULL);
  limit(engine, 1, OUTCRY_BUY, 100, 10);
  limit(engine, 2, OUTCRY_BUY, 100, 10);
  outcry_engine_forget_reports(engine);

  outcry_engine_cancel(engine, 0, 8, 1);
  outcry_engine_reduce(engine, 0, 7, 1, 4);
  outcry_engine_modify(engine, 0, 7, 1, 100, 12);
  outcry_engine_replace(engine, 0, 7, 2, 3, 101, 5);
  outcry_engine_cancel(engine, 0, 7, 2);
  limit(engine, 1, OUTCRY_SELL, 200, 1);
  outcry_engine_cancel_account(engine, 0, 7);

  expect_reports(engine,
                 "rejected 1: unknown_order\n"
                 "reduced 1 to 6\n"
                 "modified 1 to 12 at 100\n"
                 "replaced 2 by 3\n"
                 "rejected 2: unknown_order\n"
                 "rejected 1: duplicate_id\n"
                 "cancelled 3 (5): mass_cancelled\n"
                 "cancelled 1 (12): mass_cancelled\n");
  expect(outcry_engine_order_count(engine, 0) == 0, "nothing is left");
  outcry_engine_destroy(engine);
}

static void what_makes_no_sense_is_refused(void) {
  const outcry_engine_options options = {.symbols = 2, .orders = 16, .most_orders = 2, .lot = 10, .tick = 5};
  outcry_engine* engine = outcry_engine_create(&options);
  const outcry_order elsewhere = {.id = 1, .price = 5, .quantity = 10, .symbol = 2};
  const outcry_order sideless = {.id = 1, .price = 5, .quantity = 10, .side = 9};
  const outcry_order daily = {.id = 2, .price = 5, .quantity = 10, .symbol = 1, .time_in_force = OUTCRY_DAY};
  outcry_level level;

  expect(outcry_engine_submit(engine, &elsewhere) == 1, "one report");
  outcry_engine_submit(engine, &sideless);
  limit(engine, 1, OUTCRY_BUY, 7, 10);
  limit(engine, 1, OUTCRY_BUY, 5, 9);
  limit(engine, 0, OUTCRY_BUY, 5, 10);
  limit(engine, 1, OUTCRY_BUY, 5, 10);
  outcry_engine_submit(engine, &daily);
  limit(engine, 3, OUTCRY_BUY, 5, 10);
  outcry_engine_end_day(engine, 1);

  expect_reports(engine,
                 "rejected 1: unknown_symbol\n"
                 "rejected 1: invalid_combination\n"
                 "rejected 1: off_tick\n"
                 "rejected 1: off_lot\n"
                 "rejected 0: invalid_combination\n"
                 "accepted 1\n"
                 "accepted 2\n"
                 "rejected 3: pool_exhausted\n"
                 "cancelled 2 (10): end_of_day\n");
  expect(outcry_engine_best(engine, 2, OUTCRY_BUY, &level) == 0, "a symbol that is not there is empty");
  outcry_engine_destroy(engine);
  expect(outcry_engine_create(&(outcry_engine_options){.tick = -1}) == NULL, "a tick below zero makes no engine");
}

/* A million commands, after which everything that was bought was sold. */
static void a_million_commands_add_up(void) {
  outcry_engine* engine = outcry_engine_create(NULL);
  uint64_t random = 1, added = 0, traded = 0, taken_away = 0, open = 0;
  for (uint64_t id = 1; id <= 1000000; ++id) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const uint32_t draw = (uint32_t)(random >> 33);
    if (id % 2 == 0) {
      outcry_engine_cancel(engine, 0, 7, id - 1 - draw % 1000 / 2 * 2);
    } else {
      limit(engine, id, draw & 1, 1000 + (int64_t)(draw >> 1) % 64, 1 + (draw >> 8) % 100);
    }
    size_t count;
    const outcry_report* reports = outcry_engine_reports(engine, &count);
    for (size_t i = 0; i < count; ++i) {
      if (reports[i].kind == OUTCRY_ACCEPTED) added += reports[i].quantity;
      if (reports[i].kind == OUTCRY_TRADED) traded += reports[i].quantity;
      if (reports[i].kind == OUTCRY_CANCELLED) taken_away += reports[i].quantity;
    }
    outcry_engine_forget_reports(engine);
  }
  for (uint8_t side = OUTCRY_BUY; side <= OUTCRY_SELL; ++side) {
    outcry_level levels[64];
    const size_t count = outcry_engine_depth(engine, 0, side, levels, 64);
    for (size_t i = 0; i < count; ++i) open += levels[i].quantity;
  }
  expect(traded > 0 && added == 2 * traded + taken_away + open, "what was added traded, was cancelled, or is open");
  outcry_engine_destroy(engine);
}

int main(void) {
  expect(outcry_engine_version() == OUTCRY_ENGINE_VERSION, "library and header are of one version");
  orders_trade_by_price_then_time();
  orders_are_changed_by_their_owner_only();
  what_makes_no_sense_is_refused();
  a_million_commands_add_up();
  printf("%s\n",
         failures == 0 ? "the engine does what its header says" : "the engine does not do what its header says");
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* outcry_engine: order books behind a plain C interface, for referees and for other languages.
 *
 *   outcry_engine* engine = outcry_engine_create(NULL);
 *   outcry_engine_submit(engine, &(outcry_order){.id = 1, .price = 1600, .quantity = 7, .side = OUTCRY_SELL});
 *   outcry_engine_submit(engine, &(outcry_order){.id = 2, .price = 1600, .quantity = 5, .side = OUTCRY_BUY});
 *   size_t count;
 *   const outcry_report* reports = outcry_engine_reports(engine, &count);    // accepted 1, accepted 2, traded 5 at 1600
 *
 * An engine holds the books of `symbols` instruments, numbered from 0. Matching is by price, then time. Every command is
 * answered by reports; a refused command changes nothing and is answered by one OUTCRY_REJECTED that says why.
 *
 * Threads: one at a time for each engine; engines share nothing. No call blocks, starts a thread or reads a clock.
 * Memory: all of it is taken by outcry_engine_create(), but for tables and reports that outgrow what they ever were.
 * Units: prices are whole ticks of any sign within +-2^60, quantities whole lots from 1 to 2^31 - 1. An order's id is any
 * number but 0 that no live order of the engine has. An order of account A is changed and cancelled by account A only.
 * Enumerators and the layout of the structures keep their meaning within one OUTCRY_ENGINE_VERSION.
 */
#ifndef OUTCRY_ENGINE_H
#define OUTCRY_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OUTCRY_ENGINE_VERSION 1

#if defined(__GNUC__)
#define OUTCRY_ENGINE_CALL __attribute__((visibility("default")))
#else
#define OUTCRY_ENGINE_CALL
#endif

typedef struct outcry_engine outcry_engine;

enum { OUTCRY_BUY = 0, OUTCRY_SELL = 1 };
enum { OUTCRY_LIMIT = 0, OUTCRY_MARKET = 1 };
enum { OUTCRY_GOOD_TILL_CANCELLED = 0, OUTCRY_DAY = 1, OUTCRY_IMMEDIATE_OR_CANCEL = 2, OUTCRY_FILL_OR_KILL = 3 };

/* What a report says, and which of its fields then mean something besides id, symbol, account and side. */
enum {
  OUTCRY_ACCEPTED = 1,  /* price, quantity: of the order; its trades follow */
  OUTCRY_REJECTED = 2,  /* reason; id: as the command named it; side means nothing */
  OUTCRY_TRADED = 3,    /* id, account: the order that rested; other_id: the one that came, and side its side;
                           price, quantity: of the trade; open: what is left of the order that rested */
  OUTCRY_CANCELLED = 4, /* price, quantity: what was open; reason */
  OUTCRY_REDUCED = 5,   /* price, quantity: by how much; open: after */
  OUTCRY_MODIFIED = 6,  /* price, quantity: as asked for; open: after its trades, which were reported before */
  OUTCRY_REPLACED = 7   /* other_id: the new id; price, quantity: as asked for; its trades follow */
};

typedef struct outcry_engine_options {
  uint32_t symbols;     /* books; 0: one */
  uint32_t orders;      /* for which memory is prefaulted; 0: 65,536 */
  uint32_t most_orders; /* live at once in all books, more are refused; 0: 16,777,216 */
  uint32_t lot;         /* quantities are multiples of it; 0: 1 */
  int64_t tick;         /* prices are multiples of it; 0: 1 */
} outcry_engine_options;

typedef struct outcry_order {
  uint64_t id;
  int64_t price; /* of a market order: not looked at */
  uint32_t quantity;
  uint32_t account;
  uint32_t symbol;
  uint8_t side;          /* OUTCRY_BUY ... */
  uint8_t type;          /* OUTCRY_LIMIT ... */
  uint8_t time_in_force; /* OUTCRY_GOOD_TILL_CANCELLED ... */
  uint8_t post_only;     /* 1: refused if it would trade */
} outcry_order;

typedef struct outcry_report {
  uint64_t sequence; /* counts the reports of the engine, from 1 */
  uint64_t id;
  uint64_t other_id;
  int64_t price;
  uint32_t quantity;
  uint32_t open;
  uint32_t account;
  uint32_t other_account; /* of OUTCRY_TRADED: whose order came */
  uint32_t symbol;
  uint8_t kind; /* OUTCRY_ACCEPTED ... */
  uint8_t side;
  uint8_t reason; /* see outcry_reason_text() */
  uint8_t unused;
} outcry_report;

typedef struct outcry_level {
  int64_t price;
  uint64_t quantity;
  uint64_t orders;
} outcry_level;

typedef struct outcry_resting_order {
  uint64_t id;
  uint32_t open;
  uint32_t account;
} outcry_resting_order;

/* OUTCRY_ENGINE_VERSION of the library, to be compared with that of this header. */
OUTCRY_ENGINE_CALL uint32_t outcry_engine_version(void);

/* `options` may be NULL. NULL if the options make no sense or there is no memory. */
OUTCRY_ENGINE_CALL outcry_engine* outcry_engine_create(const outcry_engine_options* options);
OUTCRY_ENGINE_CALL void outcry_engine_destroy(outcry_engine* engine);

/* --- Commands. Each gives back how many reports it made, or OUTCRY_NO_MEMORY if there was none for a table or for the
 * reports: then the engine can only be destroyed. */
#define OUTCRY_NO_MEMORY SIZE_MAX

OUTCRY_ENGINE_CALL size_t outcry_engine_submit(outcry_engine* engine, const outcry_order* order);
OUTCRY_ENGINE_CALL size_t outcry_engine_cancel(outcry_engine* engine, uint32_t symbol, uint32_t account, uint64_t id);
/* Smaller by `by`, in the same place; by all that is open: cancelled. */
OUTCRY_ENGINE_CALL size_t outcry_engine_reduce(outcry_engine* engine, uint32_t symbol, uint32_t account, uint64_t id,
                                               uint32_t by);
/* A new price and open quantity under the same id. The place is kept only at the same price with a smaller quantity. */
OUTCRY_ENGINE_CALL size_t outcry_engine_modify(outcry_engine* engine, uint32_t symbol, uint32_t account, uint64_t id,
                                               int64_t price, uint32_t quantity);
/* A new order in the place of an old one, under a new id, always at the back of its level. */
OUTCRY_ENGINE_CALL size_t outcry_engine_replace(outcry_engine* engine, uint32_t symbol, uint32_t account, uint64_t id,
                                                uint64_t new_id, int64_t price, uint32_t quantity);
/* Cancels the orders of an account, best price first, oldest first, bids before asks; of one that
 * has none there is no report. */
OUTCRY_ENGINE_CALL size_t outcry_engine_cancel_account(outcry_engine* engine, uint32_t symbol, uint32_t account);
/* Ends the orders for the day, in the same order; without any there is no report. */
OUTCRY_ENGINE_CALL size_t outcry_engine_end_day(outcry_engine* engine, uint32_t symbol);

/* --- Reports: kept, in order, until they are forgotten. The pointer is good until the next command. */

OUTCRY_ENGINE_CALL const outcry_report* outcry_engine_reports(const outcry_engine* engine, size_t* count);
OUTCRY_ENGINE_CALL void outcry_engine_forget_reports(outcry_engine* engine);
OUTCRY_ENGINE_CALL const char* outcry_reason_text(uint8_t reason);

/* --- State. Of a symbol that is not there everything is empty. */

/* The best level of a side; 0 if the side is empty, else 1. */
OUTCRY_ENGINE_CALL int outcry_engine_best(const outcry_engine* engine, uint32_t symbol, uint8_t side,
                                          outcry_level* best);
/* The best levels of a side, best first; gives back how many of `room` were filled in. */
OUTCRY_ENGINE_CALL size_t outcry_engine_depth(const outcry_engine* engine, uint32_t symbol, uint8_t side,
                                              outcry_level* levels, size_t room);
/* The orders at a price, oldest first; gives back how many there are, of which at most `room` are filled in. */
OUTCRY_ENGINE_CALL size_t outcry_engine_orders_at(const outcry_engine* engine, uint32_t symbol, uint8_t side,
                                                  int64_t price, outcry_resting_order* orders, size_t room);
/* A live order by its id; 0 if there is none, else 1. */
OUTCRY_ENGINE_CALL int outcry_engine_find(const outcry_engine* engine, uint32_t symbol, uint64_t id,
                                          outcry_order* order);
OUTCRY_ENGINE_CALL size_t outcry_engine_order_count(const outcry_engine* engine, uint32_t symbol);

#ifdef __cplusplus
}
#endif

#endif

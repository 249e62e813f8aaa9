/* SPDX-License-Identifier: Apache-2.0 */
/* The courier's round: learn what is new, send what is due, hear what became of it, overwrite what is
 * done. */
#include "api/courier.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/http.h"
#include "api/journal.h"
#include "api/lanes.h"
#include "api/letter.h"
#include "api/metrics.h"
#include "api/parcel.h"
#include "api/receivers.h"
#include "core/err.h"
#include "storage/callback.h"

enum {
    IDLE_SECONDS = 60,
    AWAY_MAX = 2, /* to one receiver: one that is dead does not keep the others waiting */
    CLOSED_SECONDS = 60, /* a receiver that does not answer; with Retry-After up to */
    CLOSED_SECONDS_MAX = 3600,
    DONE_MAX = 64, /* delivered, and not yet overwritten, for a second at most */
};
_Static_assert((int)DONE_MAX + POSTS_MAX <= CALLBACKS_AT_ONCE,
               "one transaction takes them");

/* What is known of a receiver since the start. */
struct receiver {
    unsigned away;
    int64_t closed; /* until these ticks nothing is sent there */
    bool failing;   /* and the operator was told */
};

struct courier {
    const struct service *service;
    int64_t seconds;
    struct posts *posts;
    struct receiver *receiver; /* (receivers) */
    struct parcels parcels;
    uint64_t cursor; /* the row that the next look begins behind */
    size_t away;
    uint64_t done[DONE_MAX + POSTS_MAX]; /* rows */
    size_t dones;
    int64_t first_done; /* ticks */
    _Atomic bool news, stopping;
    pthread_t thread;
};

static void wake(void *context)
{
    struct courier *courier = context;
    courier->news = true;
    posts_wake(courier->posts);
}

static void finish(struct courier *courier, uint64_t row, struct moment now)
{
    parcels_at(&courier->parcels, row)->away = true;
    if (courier->dones == 0)
        courier->first_done = now.ticks;
    courier->done[courier->dones++] = row;
}

/* ---- what is new ---- */

static int learn_row(struct courier *courier, uint64_t row, struct moment now,
                     size_t *unlisted)
{
    struct callback callback;
    char *receipt = NULL;
    int rc = callback_read(courier->service->state, row, &callback, &receipt);
    if (rc < 0)
        return rc;
    const struct parcel parcel = {
        .receiver = receivers_find(courier->service->receivers, callback.url),
        .n = callback.n,
        .due = now.ticks,
        .deadline = callback.completed + courier->seconds};
    *unlisted += parcel.receiver == RECEIVERS_NONE;
    crypto_wipe(&callback, sizeof callback);
    free(receipt);
    return parcels_add(&courier->parcels, row, &parcel);
}

/* One that cannot be read stays in the database, for people to look at. */
static void learn(struct courier *courier, struct moment now)
{
    size_t unlisted = 0;
    courier->news = false;
    for (uint64_t row = 0; !courier->stopping &&
                           callback_next(courier->service->state, row + 1, &row) == 0;)
        if (!parcels_at(&courier->parcels, row) &&
            learn_row(courier, row, now, &unlisted) < 0)
            journal_say(LOG_WARNING, "a callback is not sent: %s (%s)", err_why(),
                        err_where());
    if (unlisted > 0)
        journal_say(LOG_WARNING,
                    "%zu callbacks wait for receivers that callback_allow does "
                    "not list",
                    unlisted);
}

/* ---- what became of it ---- */

/* Whom a callback was about and where it went, no line says. */
static void give_up(struct courier *courier, uint64_t row, const char *why,
                    struct moment now)
{
    journal_say(LOG_WARNING, "log entry %llu: its callback is given up: %s",
                (unsigned long long)parcels_at(&courier->parcels, row)->n, why);
    metrics_callback(courier->service->metrics, GIVEN_UP);
    finish(courier, row, now);
}

/* Once, until the receiver takes something: thousands may wait for it. */
static void tell(struct receiver *receiver, const struct parcel *parcel, const char *why)
{
    if (!receiver->failing)
        journal_say(LOG_WARNING,
                    "log entry %llu: its callback was not taken, and is "
                    "repeated: %s",
                    (unsigned long long)parcel->n, why);
    receiver->failing = true;
}

/* A receiver that does not answer, or asks for time, is left alone for a while. */
static void close_receiver(struct receiver *receiver, const struct posted *posted,
                           int64_t ticks)
{
    int64_t wait = posted->wait < CLOSED_SECONDS_MAX ? posted->wait : CLOSED_SECONDS_MAX;
    if (posted->status == 0)
        wait = parcel_backoff(2) < CLOSED_SECONDS ? parcel_backoff(2) : CLOSED_SECONDS;
    /* One second more: of the clock's, which are whole, one has begun. */
    if (wait > 0 && ticks + wait + 1 > receiver->closed)
        receiver->closed = ticks + wait + 1;
}

static void not_taken(struct courier *courier, const struct posted *posted,
                      struct moment now)
{
    struct parcel *parcel = parcels_at(&courier->parcels, posted->tag);
    char status[32];
    snprintf(status, sizeof status, "its receiver said %ld", posted->status);
    const char *why = posted->status ? status : posted->why;
    tell(&courier->receiver[parcel->receiver], parcel, why);
    close_receiver(&courier->receiver[parcel->receiver], posted, now.ticks);
    /* 410 Gone: "disable the webhook endpoint and stop sending". */
    if (posted->status == 410 || !parcel_delay(parcel, posted->wait, now))
        give_up(courier, posted->tag, why, now);
}

/* Whether anything has ended. */
static bool hear(struct courier *courier, struct moment now)
{
    struct posted posted;
    bool heard = false;
    for (; posts_take(courier->posts, &posted); heard = true) {
        struct parcel *parcel = parcels_at(&courier->parcels, posted.tag);
        struct receiver *receiver = &courier->receiver[parcel->receiver];
        parcel->away = false;
        receiver->away--;
        courier->away--;
        if (posted.status < 200 || posted.status > 299) {
            not_taken(courier, &posted, now);
            continue;
        }
        receiver->failing = false;
        metrics_callback(courier->service->metrics, DELIVERED);
        finish(courier, posted.tag, now);
    }
    return heard;
}

/* ---- what is due ---- */

static void try(struct courier *courier, uint64_t row, struct parcel *parcel,
                struct moment now)
{
    struct receiver *receiver = &courier->receiver[parcel->receiver];
    if (letter_send(courier->service, courier->posts, row, parcel->receiver) < 0) {
        tell(receiver, parcel, err_why());
        if (!parcel_delay(parcel, 0, now))
            give_up(courier, row, err_why(), now);
        return;
    }
    parcel->away = true;
    receiver->away++;
    courier->away++;
    courier->cursor = row;
}

/* Sends it, if it may go now; else says when. */
static int64_t look_at(struct courier *courier, uint64_t row, struct parcel *parcel,
                       struct moment now)
{
    if (parcel->receiver == RECEIVERS_NONE) {
        if (now.date >= parcel->deadline)
            give_up(courier, row, "callback_allow does not list its receiver any more",
                    now);
        return now.ticks + (parcel->deadline - now.date);
    }
    const struct receiver *receiver = &courier->receiver[parcel->receiver];
    int64_t ready = parcel->due > receiver->closed ? parcel->due : receiver->closed;
    if (ready > now.ticks)
        return ready;
    if (receiver->away < AWAY_MAX)
        try(courier, row, parcel, now);
    return INT64_MAX; /* there is another look when one comes back */
}

/* Returns when to look again, if nothing happens before. */
static int64_t look(struct courier *courier, struct moment now)
{
    size_t receivers = receivers_count(courier->service->receivers);
    size_t most = receivers ? AWAY_MAX * receivers : 1;
    uint64_t room = courier->parcels.room, from = courier->cursor;
    int64_t next = now.ticks + IDLE_SECONDS;
    for (uint64_t i = 0; i < room && courier->away < most && courier->away < POSTS_MAX &&
                         courier->dones < DONE_MAX;
         i++) {
        uint64_t row = (from + i) % room + 1;
        struct parcel *parcel = parcels_at(&courier->parcels, row);
        if (!parcel || parcel->away)
            continue;
        int64_t ready = look_at(courier, row, parcel, now);
        next = ready < next ? ready : next;
    }
    return next;
}

/* ---- what is done ---- */

static void settle(struct courier *courier)
{
    lanes_give_way(courier->service->lanes);
    int rc = callbacks_settle(courier->service->state, courier->done, courier->dones);
    if (rc == MK_EUNKNOWN)
        http_die();
    if (rc < 0) {
        journal_say(LOG_WARNING, "callbacks that were delivered are kept: %s (%s)",
                    err_why(), err_where());
        return;
    }
    for (size_t i = 0; i < courier->dones; i++)
        parcels_drop(&courier->parcels, courier->done[i]);
    courier->dones = 0;
}

/* Several together cost one sync, and nothing is left of any after a second. */
static bool must_settle(const struct courier *courier, struct moment now)
{
    return courier->dones > 0 && (courier->away == 0 || courier->dones >= DONE_MAX ||
                                  now.ticks > courier->first_done);
}

static int milliseconds_to(int64_t next, struct moment now, bool hurry)
{
    int64_t seconds = next > now.ticks ? next - now.ticks : 0;
    return (int)(hurry && seconds > 1 ? 1 : seconds) * 1000;
}

static void *work(void *argument)
{
    struct courier *courier = argument;
    int64_t next = 0;
    while (!courier->stopping) {
        struct moment now = moment_now();
        if (courier->news) {
            learn(courier, now);
            next = 0;
        }
        if (now.ticks >= next)
            next = look(courier, now);
        posts_wait(courier->posts, milliseconds_to(next, now, courier->dones > 0));
        if (hear(courier, moment_now()))
            next = 0;
        if (must_settle(courier, moment_now()))
            settle(courier);
        metrics_callbacks_waiting(courier->service->metrics, courier->parcels.known);
    }
    if (courier->dones > 0)
        settle(courier);
    return NULL;
}

static void courier_free(struct courier *courier)
{
    posts_free(courier->posts);
    parcels_done(&courier->parcels);
    free(courier->receiver);
    free(courier);
}

int courier_start(const struct courier_options *options, const struct service *service,
                  struct courier **ret_courier)
{
    struct courier *courier = calloc(1, sizeof *courier);
    if (!courier)
        return fail(MK_ENOMEM, "no memory for callbacks");
    courier->service = service;
    courier->seconds = options->seconds;
    courier->news = true;
    courier->receiver =
        calloc(receivers_count(service->receivers) + 1, sizeof *courier->receiver);
    int rc = courier->receiver ? posts_new(options->ca_file, &courier->posts)
                               : fail(MK_ENOMEM, "no memory for callbacks");
    if (rc == 0 && pthread_create(&courier->thread, NULL, work, courier) != 0)
        rc = fail(MK_ENOMEM, "no thread to be had");
    if (rc < 0) {
        courier_free(courier);
        return rc;
    }
    callbacks_watch(service->state, wake, courier);
    wake(courier);
    *ret_courier = courier;
    return 0;
}

void courier_stop(struct courier *courier)
{
    if (!courier)
        return;
    callbacks_watch(courier->service->state, NULL, NULL);
    courier->stopping = true;
    posts_wake(courier->posts);
    pthread_join(courier->thread, NULL);
    courier_free(courier);
}

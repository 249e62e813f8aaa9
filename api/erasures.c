/* SPDX-License-Identifier: Apache-2.0 */
/* POST /erasures: erasures by the body, for ids that must not stand in a URL, and for many at once.
 *
 * Lines are independent: each has its own log entry and receipt, or says why it has none.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/answer.h"
#include "api/journal.h"
#include "api/lanes.h"
#include "api/line.h"
#include "api/routes.h"
#include "core/err.h"

enum { LINES_MAX = 10000 };

/* A body of lines; those in line share a transaction. */
struct bulk {
    const struct request *request;
    const char *origin;
    int64_t received;
    const char *next, *end; /* of the body */
    struct line line[FORGET_MAX];
    size_t n;
    struct blob **reply; /* (lines); owned */
    size_t lines, replied;
    bool begun;   /* some lines have their receipts */
    bool stopped; /* the lines from here on are not tried */
    bool unknown; /* the outcome of a commit is */
};

static void bulk_done(struct bulk *bulk)
{
    for (size_t i = 0; i < bulk->n; i++)
        line_done(&bulk->line[i]);
    for (size_t i = 0; bulk->reply && i < bulk->lines; i++)
        blob_free(bulk->reply[i]);
    free(bulk->reply);
}

static int count_lines(struct bulk *bulk)
{
    for (const char *p = bulk->next; p && p < bulk->end; bulk->lines++)
        if ((p = memchr(p, '\n', (size_t)(bulk->end - p))))
            p++;
    if (bulk->lines == 0)
        return fail(MK_EINPUT, "NDJSON: the body is empty");
    if (bulk->lines > LINES_MAX)
        return fail(MK_ETOOBIG, "%zu lines in one request; %d is the limit", bulk->lines,
                    LINES_MAX);
    if (!(bulk->reply = calloc(bulk->lines, sizeof *bulk->reply)))
        return fail(MK_ENOMEM, "no memory for %zu lines", bulk->lines);
    return 0;
}

/* Without memory for the sentence, the code has to do. */
static void give_up(struct line *line, int rc, const char *why)
{
    line->done.rc = rc;
    line->done.why = strdup(why);
}

static void take_lines(struct bulk *bulk)
{
    for (bulk->n = 0; bulk->n < FORGET_MAX && bulk->next < bulk->end; bulk->n++) {
        struct line *line = &bulk->line[bulk->n];
        const char *newline = memchr(bulk->next, '\n', (size_t)(bulk->end - bulk->next));
        const char *stop = newline ? newline : bulk->end;
        *line = (struct line){.text = bulk->next,
                              .len = (size_t)(stop - bulk->next),
                              .received = bulk->received,
                              .number = bulk->replied + bulk->n + 1};
        bulk->next = stop + 1;
        int rc = line_read(bulk->request, line);
        if (rc < 0)
            give_up(line, rc, err_why());
    }
}

/* Those that were understood, in one transaction. */
static int forget_lines(struct bulk *bulk)
{
    struct erasure_request requests[FORGET_MAX];
    struct forgotten done[FORGET_MAX];
    size_t n = 0;
    for (size_t i = 0; i < bulk->n; i++)
        if (bulk->line[i].done.rc == 0)
            requests[n++] = line_request(&bulk->line[i]);
    if (n == 0)
        return 0;
    if (bulk->request->service->lanes)
        lanes_give_way(bulk->request->service->lanes);
    int rc = forget_batch(bulk->request->service->state, requests, n, done);
    if (rc < 0)
        return rc;
    for (size_t i = bulk->n; i-- > 0;)
        if (bulk->line[i].done.rc == 0)
            bulk->line[i].done = done[--n]; /* transferred */
    explicit_bzero(done, sizeof done);
    bulk->begun = true;
    return 0;
}

/* Lines that were answered stay answered; these and all that follow were not done.  But for the
 * lines whose commit has an unknown outcome that is certain. */
static void stop(struct bulk *bulk, int rc)
{
    for (size_t i = 0; i < bulk->n; i++)
        if (bulk->line[i].done.rc == 0)
            give_up(&bulk->line[i], rc, err_why());
    if (!bulk->stopped)
        journal_say(LOG_ERR, "POST /erasures: stopped after %zu lines: %s (%s)",
                    bulk->replied, err_why(), err_where());
    bulk->stopped = true;
    bulk->unknown |= rc == MK_EUNKNOWN;
}

/* The next lines, and their replies.  Fails when there is nothing to tell of but the failure. */
static int run_lines(struct bulk *bulk)
{
    take_lines(bulk);
    int rc = bulk->stopped ? MK_ESTORE : forget_lines(bulk);
    if (rc < 0 && !bulk->begun)
        return rc;
    if (rc < 0)
        stop(bulk, rc);
    rc = 0;
    for (size_t i = 0; i < bulk->n; i++) {
        struct line *line = &bulk->line[i];
        json_t *json = line_reply(line, bulk->request, bulk->origin);
        json_object_set_new(json, "line", json_integer((json_int_t)line->number));
        if (rc < 0)
            json_decref(json);
        else if ((rc = line_json(json, &bulk->reply[bulk->replied])) == 0)
            bulk->replied++;
        line_done(line);
    }
    return rc;
}

static int post_lines(struct request *request, const char *origin,
                      struct reply *ret_reply)
{
    struct bulk bulk
        __attribute__((cleanup(bulk_done))) = {.request = request,
                                               .origin = origin,
                                               .received = time(NULL),
                                               .next = request->body,
                                               .end = request->body + request->body_len};
    int rc = count_lines(&bulk);
    while (rc == 0 && bulk.next < bulk.end)
        rc = run_lines(&bulk);
    if (rc == 0)
        rc = reply_lines(ret_reply, bulk.reply, bulk.lines);
    if (rc == 0)
        ret_reply->fatal = bulk.unknown;
    return bulk.unknown && rc < 0 ? MK_EUNKNOWN : rc;
}

static int post_one(struct request *request, const char *origin, struct reply *ret_reply)
{
    struct line line __attribute__((cleanup(line_done))) = {
        .text = request->body, .len = request->body_len, .received = time(NULL)};
    int rc = line_read(request, &line);
    if (rc < 0)
        return rc;
    const struct erasure_request one = line_request(&line);
    if ((rc = forget_batch(request->service->state, &one, 1, &line.done)) < 0)
        return rc;
    if ((rc = line.done.rc) < 0)
        return fail(rc, "%s", line.done.why ? line.done.why : err_text(rc));
    ret_reply->log_index = line.done.answer.index;
    return reply_json(ret_reply, 200, line_reply(&line, request, origin));
}

int erasures_post(struct request *request, struct reply *ret_reply)
{
    struct state_status status;
    state_status(request->service->state, &status);
    int rc = strcmp(request->media, "application/json") == 0
                 ? post_one(request, status.origin, ret_reply)
                 : post_lines(request, status.origin, ret_reply);
    if (rc < 0)
        metrics_erasure(request->service->metrics, outcome_of(rc, ACT_ERASE));
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One erasure that a body asks for; and GET /erasures/{request_id}, what became of it. */
#include "api/line.h"

#include <stdio.h>
#include <string.h>

#include "api/answer.h"
#include "api/callback_urls.h"
#include "api/json.h"
#include "api/parts.h"
#include "api/problem.h"
#include "api/routes.h"
#include "core/err.h"
#include "storage/request.h"

enum { LINE_MAX = 64 << 10, VALUES_MAX = 20 };

/* GET /erasures/{request_id} and the opening of a receipt need the same name. */
static int set_name(struct line *line, const char *name, size_t number)
{
    char text[REQUEST_MAX + 32];
    size_t len = strlen(name);
    if (number > 0 && len <= REQUEST_MAX)
        len = (size_t)snprintf(text, sizeof text, "%s:%zu", name, number);
    if (len == 0 || len > REQUEST_MAX)
        return fail(MK_EINPUT, "`request_id` has to have 1 to %d bytes; a UUID is best",
                    REQUEST_MAX);
    for (size_t i = 0; name[i]; i++)
        if (name[i] < 0x21 || name[i] > 0x7e)
            return fail(MK_EINPUT,
                        "`request_id` has to be visible ASCII; a UUID is best");
    strcpy(line->name, number > 0 ? text : name);
    return 0;
}

/* A line without a name has that of the whole request and its number. */
static int read_name(const struct request *request, struct line *line)
{
    const char *whole = request->idempotency_key ? request->idempotency_key : request->id;
    const char *name = NULL;
    int rc = json_text(line->json, "request_id", false, &name);
    if (rc < 0)
        return rc;
    return name ? set_name(line, name, 0) : set_name(line, whole, line->number);
}

/* An id that a template inserts as it is: a backslash of its own would be read as the begin of an
 * escape, and `a\/b` erase a/b. */
static int check_raw(const struct line *line, const json_t *subject)
{
    bool raw = false;
    int rc = json_flag(subject, "raw", &raw);
    if (rc < 0 || !raw || !memchr(line->text, '\\', line->len))
        return rc;
    return fail(MK_EINPUT,
                "the subject is said to be `raw`, and a raw id with a backslash "
                "would be read as another one: send it escaped, without `raw`");
}

static int read_subject(struct line *line)
{
    const json_t *subject = json_object_get(line->json, "subject");
    const char *value = NULL;
    int rc = json_known(subject, "value raw");
    if (rc < 0 || (rc = json_text(subject, "value", true, &value)) < 0 ||
        (rc = check_raw(line, subject)) < 0)
        return rc;
    line->subject = (struct subject){value, strlen(value)};
    if (line->subject.len < 1 || line->subject.len > SUBJECT_MAX)
        return fail(MK_EINPUT, "an id has 1 to %d bytes, and this one has %zu",
                    SUBJECT_MAX, line->subject.len);
    return 0;
}

int line_read(const struct request *request, struct line *line)
{
    const char *regulation = NULL;
    int rc;
    if (line->len > LINE_MAX)
        return fail(MK_ETOOBIG, "the line has %zu bytes; %d is the limit", line->len,
                    LINE_MAX);
    if ((rc = json_read(line->text, line->len, VALUES_MAX, &line->json)) < 0 ||
        (rc = json_known(line->json, "subject request_id regulation callback_urls")) <
            0 ||
        (rc = read_name(request, line)) < 0 || (rc = read_subject(line)) < 0 ||
        (rc = json_text(line->json, "regulation", false, &regulation)) < 0 ||
        (rc = callback_urls_read(line->json, request->service->receivers, line->subject,
                                 line->name, line->url, &line->urls)) < 0)
        return rc;
    return regime_find(regulation, &line->regime);
}

void line_done(struct line *line)
{
    json_decref(line->json);
    forgotten_done(&line->done);
    explicit_bzero(line, sizeof *line);
}

struct erasure_request line_request(const struct line *line)
{
    return (struct erasure_request){.subject = line->subject,
                                    .request = line->name,
                                    .idempotent = true,
                                    .regime = line->regime,
                                    .received = line->received,
                                    .callback_url = line->url,
                                    .callback_urls = line->urls};
}

static void add_times(json_t *json, int64_t received, int64_t due)
{
    json_object_set_new(json, "received", json_time(received));
    json_object_set_new(json, "due", json_time(due));
}

/* One that has a receipt. */
static json_t *json_done(const struct line *line, const char *origin)
{
    json_t *json = json_forgotten(&line->done, line->subject, line->name, origin);
    json_object_set_new(json, "request_id", json_string(line->name));
    add_times(json, line->done.received, line->done.due);
    return json;
}

/* One that has none. */
static json_t *json_undone(const struct line *line, const struct request *request)
{
    const struct forgotten *done = &line->done;
    bool held = done->rc == MK_ECONFLICT;
    const char *why = done->why ? done->why : err_text(done->rc);
    json_t *json = json_pack("{s:s, s:o}", "status",
                             outcome_name[outcome_of(done->rc, done->answer.act)],
                             "problem", problem_json(done->rc, request->id, why));
    if (line->name[0])
        json_object_set_new(json, "request_id", json_string(line->name));
    if (held)
        add_times(json, done->received, done->due);
    return json;
}

json_t *line_reply(const struct line *line, const struct request *request,
                   const char *origin)
{
    metrics_erasure(request->service->metrics,
                    outcome_of(line->done.rc, line->done.answer.act));
    return line->done.rc < 0 ? json_undone(line, request) : json_done(line, origin);
}

const char *line_status(const struct request_row *row)
{
    return row->held ? "held" : row->erased ? "erased" : "not_held";
}

const char *line_reason(const struct request_row *row)
{
    if (row->held)
        return "the subject is held: send the request again when the hold is lifted";
    return row->erased ? "everything that was held about the subject is erased"
                       : "nothing was held about the subject";
}

/* ---- GET ---- */

int erasure_get(struct request *request, struct reply *ret_reply)
{
    struct request_row row;
    int rc =
        request_read(request->service->state, request->target->segment[1].data, &row);
    if (rc < 0)
        return rc;
    json_t *json = json_pack("{s:s, s:s, s:s}", "status", line_status(&row), "reason",
                             line_reason(&row), "regulation", row.regulation);
    add_times(json, row.received, row.due);
    if (!row.held) {
        char receipt_id[24];
        snprintf(receipt_id, sizeof receipt_id, "%llu", (unsigned long long)row.n);
        json_object_set_new(json, "completed", json_time(row.answered));
        json_object_set_new(json, "receipt_id", json_string(receipt_id));
    }
    return reply_json(ret_reply, 200, json);
}

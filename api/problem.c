/* SPDX-License-Identifier: Apache-2.0 */
/* Problem documents, and the one place where an error becomes a status. */
#include "api/problem.h"

#include <stdio.h>

#include "core/err.h"

static const struct {
    unsigned status;
    const char *title;
} titles[] = {
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

const char *status_title(unsigned status)
{
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Problem";
}

static unsigned status_of(enum mk_error err)
{
    switch (err) {
    case MK_EINPUT:
        return 400;
    case MK_EAUTH:
        return 403;
    case MK_ENOTFOUND:
        return 404;
    case MK_ECONFLICT:
        return 409;
    case MK_ETOOBIG:
        return 413;
    case MK_EUNPROCESSABLE:
        return 422;
    case MK_EUNKNOWN:
    case MK_EREFUSED:
    case MK_EIO:
        return 500;
    case MK_ENOMEM:
    case MK_ESTORE:
    case MK_EBUSY:
        return 503;
    }
    return 500;
}

static json_t *document(unsigned status, const char *type, const char *request_id,
                        const char *detail)
{
    char instance[sizeof "urn:uuid:" + REQUEST_ID_SIZE];
    snprintf(instance, sizeof instance, "urn:uuid:%s", request_id);
    return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "type", type, "title",
                     status_title(status), "status", (int)status, "detail", detail,
                     "instance", instance, "error", detail);
}

static void fill(unsigned status, json_t *document_take, struct reply *reply)
{
    reply_done(reply);
    if (reply_json(reply, status, document_take) < 0)
        reply->status = status; /* no memory: a bare status */
    reply->media = "application/problem+json";
    reply->close = true;
}

void problem(unsigned status, const char *request_id, const char *detail,
             struct reply *reply)
{
    fill(status, document(status, "about:blank", request_id, detail), reply);
}

/* The type of draft-ietf-httpapi-ratelimit-headers-11, section 5.1. */
void problem_limited(const struct quota *quota, const char *request_id,
                     struct reply *reply)
{
    char detail[160];
    snprintf(detail, sizeof detail,
             "too many requests: the limit \"%s\" is %u in %u seconds; ask again in %u",
             quota->policy, quota->requests, quota->window, quota->left.seconds);
    json_t *json =
        document(429, "https://iana.org/assignments/http-problem-types#quota-exceeded",
                 request_id, detail);
    json_object_set_new(json, "violated-policies", json_pack("[s]", quota->policy));
    fill(429, json, reply);
    reply_header(reply, "Retry-After", "%u", quota->left.seconds);
}

json_t *problem_json(int err, const char *request_id, const char *why)
{
    unsigned status = status_of(err);
    if (err == MK_EUNKNOWN)
        return document(
            status, "urn:munkeyd:problem:outcome-unknown", request_id,
            "The outcome is unknown until munkeyd has started again: ask again then.");
    bool tell = status < 500 || err == MK_EBUSY;
    /* What failed inside is the operator's business and goes to the log, not to the
     * caller. */
    return document(status, "about:blank", request_id, tell ? why : err_text(err));
}

void problem_of_error(int err, const char *request_id, struct reply *reply)
{
    unsigned status = status_of(err);
    fill(status, problem_json(err, request_id, err_why()), reply);
    reply->fatal = err == MK_EUNKNOWN;
    if (status == 503)
        reply_header(reply, "Retry-After", "%d", err == MK_EBUSY ? 1 : 10);
}

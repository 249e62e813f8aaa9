/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl audit: has the running daemon recompute the digest, and waits for what it finds. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/err.h"
#include "daemon/control.h"
#include "daemon/ctl.h"

enum { NOT_OK = 1 };

/* {"running", "last"}, as the daemon has it. */
static int ask(const struct config *config, const char *method, json_t **ret_audit)
{
    char *body;
    int rc = control_request(config->state, method, "/audit", NULL, &body);

    if (rc < 0)
        return rc;
    if (!(*ret_audit = json_loads(body, 0, NULL)))
        rc = fail(MK_EIO, "the daemon's answer is not JSON");
    free(body);
    return rc;
}

/* The last audit's log entry; 0: none. */
static json_int_t index_of(const json_t *audit)
{
    return json_integer_value(json_object_get(json_object_get(audit, "last"), "index"));
}

/* Until the audit is over: its reply, or an error. */
static int wait_for_end(const struct config *config, json_t **ret_audit)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    int rc;

    while ((rc = ask(config, "GET", ret_audit)) == 0 &&
           json_is_true(json_object_get(*ret_audit, "running"))) {
        json_decref(*ret_audit);
        *ret_audit = NULL;
        nanosleep(&pause, NULL);
    }
    return rc;
}

/* 0, NOT_OK, or an error. */
static int run_audit(const struct config *config, void *wishes)
{
    json_auto_t *before = NULL, *begun = NULL, *after = NULL;
    int rc;

    (void)wishes;
    if ((rc = ask(config, "GET", &before)) < 0 ||
        (rc = ask(config, "POST", &begun)) < 0 || (rc = wait_for_end(config, &after)) < 0)
        return rc;
    if (index_of(after) == index_of(before))
        return fail(MK_EIO, "the audit was given up: the daemon's log says why");
    json_t *last = json_object_get(after, "last");
    if (json_dumpf(last, stdout, 0) < 0 || puts("") < 0)
        return fail(MK_EIO, "the result cannot be written: %m");
    return json_is_true(json_object_get(last, "ok")) ? 0 : NOT_OK;
}

int ctl_audit(int argc, char **argv)
{
    const struct argp argp = {
        .doc =
            "Has the running daemon recompute the digest from the slots on the disk and "
            "compare its memory with them, waits, and prints what was found, as JSON.  "
            "The "
            "exit status is 1 when they differ from what the log says.",
        .children = ctl_settings};
    struct config_source source = {0};

    return ctl_run(&argp, argc, argv, &source, run_audit);
}

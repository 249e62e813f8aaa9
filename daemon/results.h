/* SPDX-License-Identifier: Apache-2.0 */
/* The measurements of a study: JSON lines, as munkey-eval writes them, and means of them.
 *
 *     struct results *results;
 *     if ((rc = results_read("study/results.jsonl", &results)) < 0)
 *         return rc;
 *     const struct which which = {.kind = "forgetting", .is = {{"method", "munkey"}}};
 *     struct estimate ta = results_estimate(results, &which, "ta");
 *     ta.mean, ta.half                        of ta.n seeds; n = 0: it was not measured
 *     results_free(results);
 *
 * docs/EVALUATION.md, "Results", defines the lines.
 */
#ifndef MUNKEY_DAEMON_RESULTS_H
#define MUNKEY_DAEMON_RESULTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct results; /* opaque */

/* MK_EIO, MK_ENOMEM; MK_EINPUT names the first line that is none, or that there are none. */
int results_read(const char *path, struct results **ret_results);
void results_free(struct results *results);

/* The lines of a kind whose members have these values; a NULL name ends the list, a NULL
 * value is any. */
enum { WHICH_MAX = 4 };
struct which {
    const char *kind;
    struct {
        const char *name, *value;
    } is[WHICH_MAX];
    const char *begins; /* so does the name of the forget set; NULL: any */
    const char *number; /* the lines whose member of this name ...; NULL: all */
    double equals;      /* ... has this value */
};

/* Borrowed from the results; NULL after the last.  *at starts at 0. */
const json_t *results_next(const struct results *results, const struct which *which,
                           size_t *at);

/* A mean over seeds and half of its 95 % interval (Student's t); lines of one seed are
 * averaged first. */
struct estimate {
    double mean, half; /* half is 0 of one seed, which has no interval */
    size_t n;
};
struct estimate results_estimate(const struct results *results, const struct which *which,
                                 const char *member);

/* Of one member less another, over the seeds that both have. */
struct estimate results_difference(const struct results *results, const struct which *a,
                                   const char *member_a, const struct which *b,
                                   const char *member_b);

double results_sum(const struct results *results, const struct which *which,
                   const char *member);

/* The values of a member, each once, in the order of the lines; at most max. */
size_t results_values(const struct results *results, const struct which *which,
                      const char *member, const char **ret_values, size_t max);
size_t results_numbers(const struct results *results, const struct which *which,
                       const char *member, double *ret_values, size_t max);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The measurements of a study: JSON lines, as munkey-eval writes them, and means of them.
 *
 *     struct results *results;
 *     if ((rc = results_read("study/results.jsonl", &results)) < 0)
 *         return rc;
 *     const struct which which = {"forgetting", {{"method", "munkey"}}};
 *     struct estimate ta = results_estimate(results, &which, "ta");
 *     ta.mean, ta.half                        of ta.n seeds; n = 0: it was not measured
 *     results_free(results);
 *
 * Lines have at least these members; shares are 0 to 1, and a member "roc" of forgetting and
 * attack lines is optional:
 *
 *     {"kind":"study","study":"fashion-20k","dataset":"Fashion-MNIST","images":20000,
 *      "tests":10000,"classes":10,"command":"munkey-eval ...","machine":"...","date":"..."}
 *     {"kind":"forgetting","seed":1,"forget":"random-10","method":"scrub","ta":.88,"ra":.93,
 *      "fa":.9,"auroc":.51,"rmia":.52,"null_sd":.011,"tpr":.012,"gap":.008,"agreement":.95,
 *      "kl":.04,"seconds":31.5,"bytes":0,"roc":[[0,0],[.001,.002],[1,1]]}
 *     {"kind":"attack","seed":1,"forget":"random-10","method":"munkey","view":"null",
 *      "when":"after","auroc":.51,"rmia":.52,"tpr":.012,"null_sd":.011}
 *     {"kind":"passes","seed":1,"forget":"random-10","rows":"forget","when":"after",
 *      "full":.88,"null":.87,"memory":.8}
 *     {"kind":"price","seed":1,"share":.25,"ta":.87}
 *     {"kind":"ablation","seed":1,"name":"attention","value":"sym","ta":.88}
 *     {"kind":"exact","seed":1,"forget":"random-10","queries":10000,"different":0,"gap":0}
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

/* The values of a member, each once, in the order of the lines; at most max. */
size_t results_values(const struct results *results, const struct which *which,
                      const char *member, const char **ret_values, size_t max);
size_t results_numbers(const struct results *results, const struct which *which,
                       const char *member, double *ret_values, size_t max);

#endif

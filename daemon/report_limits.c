/* SPDX-License-Identifier: Apache-2.0 */
/* What the study does not show: what it left out, and what no such study can show. */
#include <string.h>

#include "daemon/markup.h"
#include "daemon/report_method.h"
#include "daemon/report_parts.h"

/* What a whole study has: lines of a kind, with a member of this value. */
static const struct part {
    const char *kind, *member, *value, *title;
} parts[] = {
    {"forgetting", "method", "munkey-oracle", "the MUNKEY oracle"},
    {"forgetting", "method", "plain-oracle", "the plain ViT oracle"},
    {"forgetting", "method", "finetune", "Finetune"},
    {"forgetting", "method", "neggrad", "NegGrad"},
    {"forgetting", "method", "neggrad+", "NegGrad+"},
    {"forgetting", "method", "salun", "SalUn"},
    {"forgetting", "method", "scrub", "SCRUB"},
    {"forgetting", "method", "ssd", "SSD"},
    {"forgetting", "method", "l1-sparse", "l1-sparse"},
    {"forgetting", "method", "knn", "kNN on the keys"},
    {"forgetting", "method", "knn-lm", "the kNN-LM mixture"},
    {"forgetting", "method", "rac", "RAC with deletion"},
    {"forgetting", "method", "sisa", "SISA"},
    {"forgetting", "forget", "random-1", "1 % at random"},
    {"forgetting", "forget", "random-10", "10 % at random"},
    {"forgetting", "forget", "random-50", "50 % at random"},
    {"attack", "view", "full", "attacks on the full answer"},
    {"attack", "view", "null", "attacks on the null pass"},
    {"attack", "view", "memory", "attacks on the memory pass"},
    {"attack", "when", "difference", "differencing"},
    {"ablation", "name", "attention", "the ablation of attention"},
    {"ablation", "name", "tokens", "the ablation of tokens"},
    {"ablation", "name", "retrieve", "the ablation of retrieval"},
    {"ablation", "name", "k", "the ablation of K"},
    {"ablation", "name", "aggregation", "the ablation of aggregation"},
    {"ablation", "name", "suppress-self", "the ablation of self-matches"},
    {"ablation", "name", "keys", "the ablation of keys"},
};

/* Forget sets whose names go on with a number. */
static const char *const forgets[][2] = {
    {"class-", "one class"},
    {"subjects-", "people"},
    {"memorised-", "the most memorised"},
    {"near-duplicates-", "rows whose near-duplicates stay"},
};

static size_t name_missing(FILE *out, size_t n, const char *title)
{
    if (n == 0)
        markup(out, "<li>Not part of this study: ");
    markup(out, "%s%s", n ? ", " : "", title);
    return n + 1;
}

static void write_missing(FILE *out, const struct results *results)
{
    size_t n = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct which which = {.kind = parts[i].kind,
                                    .is = {{parts[i].member, parts[i].value}}};
        if (!results_next(results, &which, &(size_t){0}))
            n = name_missing(out, n, parts[i].title);
    }
    for (size_t i = 0; i < sizeof forgets / sizeof *forgets; i++) {
        const struct which which = {.kind = "forgetting", .begins = forgets[i][0]};
        if (!results_next(results, &which, &(size_t){0}))
            n = name_missing(out, n, forgets[i][1]);
    }
    if (n > 0)
        markup(out, ".</li>\n");
}

/* An interval over few seeds is wide, and there is none over one. */
static void write_seeds(FILE *out, const struct results *results)
{
    const char *forget[FORGETS_MAX];
    size_t n = report_forgets(results, "forgetting", forget), single = 0;
    for (size_t i = 0; i < n; i++) {
        const struct which which = {.kind = "forgetting", .is = {{"forget", forget[i]}}};
        if (results_estimate(results, &which, "ta").n != 1)
            continue;
        if (single == 0)
            markup(out, "<li>One seed, and so no interval: ");
        markup(out, "%s%s", single++ ? "; " : "", forget_title(forget[i]).text);
    }
    if (single > 0)
        markup(out, ".</li>\n");
}

static void write_data(FILE *out, const struct results *results)
{
    const struct which studies = {.kind = "study"};
    const char *name[FORGETS_MAX];
    size_t n = results_values(results, &studies, "dataset", name, FORGETS_MAX);
    if (n == 1)
        markup(out,
               "<li>One data set, %s, and one size of model: other pictures, other sizes "
               "and longer training may forget otherwise.</li>\n",
               name[0]);
}

static void write_tuning(FILE *out, const struct results *results)
{
    const struct which all = {.kind = "tuning"};
    size_t n = 0, at = 0;
    while (results_next(results, &all, &at))
        n++;
    if (n > 0)
        markup(out,
               "<li>Post-hoc methods were tuned on one seed (%zu combinations of knobs) "
               "to minimise their gap to the oracle, which no operator has: that favours "
               "them. Their budget was a tenth of a training at most; a larger one may "
               "favour them more.</li>\n",
               n);
    else
        markup(out,
               "<li>How post-hoc methods were tuned is not among the results.</li>\n");
}

/* RMIA of one oracle by the other is as far below 50 as that of the other by the one is above. */
static void write_mirror(FILE *out, const struct results *results)
{
    const struct which two = {.kind = "study", .number = "oracles", .equals = 2};
    if (results_next(results, &two, &(size_t){0}))
        markup(out,
               "<li>With two oracles, RMIA of an oracle is 50 %% by construction: each "
               "is the other\xE2\x80\x99s only reference, and the two mirror one "
               "another. The null SD is that of drawing rows; models that were "
               "trained again may differ by more.</li>\n");
}

static void write_exact(FILE *out, const struct results *results)
{
    const struct which exact = {.kind = "exact"};
    if (results_next(results, &exact, &(size_t){0}) &&
        results_sum(results, &exact, "different") == 0)
        markup(out,
               "<li>An attack on the exact class that is not at 50 %% found no trace of "
               "the rows: the answers are those of a service that never held them, "
               "bit for bit. It found how the forgotten rows differ from the test "
               "rows.</li>\n");
}

/* What oracles have from the model that they are compared with. */
static void write_encoder(FILE *out, const struct results *results)
{
    const struct which knn = {.kind = "forgetting", .is = {{"method", "knn"}}};
    markup(out,
           "<li>The oracles keep the key encoder and P, the projection of its outputs to "
           "keys, as those of a public encoder would be kept. What an encoder retains of "
           "its own training data is outside of this study, and so is what P, which was "
           "fitted to the members, retains of the forgotten%s.</li>\n",
           results_next(results, &knn, &(size_t){0})
               ? ": but for kNN, whose row compares it with a P that never saw them"
               : "");
}

void report_limits(FILE *out, const struct results *results)
{
    static const char *const always[] = {
        "An attack that fails shows that this attack fails. A stronger one may find what "
        "these "
        "did not; a membership AUROC is an average that one exposed person may not see.",
        "Deleting keys changes no weight. Of rows that the weights saw, what is measured "
        "here "
        "is what these attacks find of them afterwards; it is not that the weights never "
        "saw them. Of the exact class it is.",
        "The baselines are our own implementations on our own trainer, written from "
        "their "
        "definitions; the code of the MUNKEY paper is not public, and its attack is "
        "assumed.",
        "Times are of one machine, and of these sizes.",
    };
    report_section(out, "limits", "What this does not show");
    markup(out, "<ul>\n");
    write_missing(out, results);
    write_data(out, results);
    write_seeds(out, results);
    write_tuning(out, results);
    write_mirror(out, results);
    write_exact(out, results);
    write_encoder(out, results);
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        markup(out, "<li>%s</li>\n", always[i]);
    markup(out, "</ul>\n");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict: what was promised, and whether the numbers keep it. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "daemon/markup.h"
#include "daemon/report_method.h"
#include "daemon/report_parts.h"

enum judgement { HOLDS, FAILS, UNDECIDED, UNKNOWN };

static const double gap_asked = .5; /* points */
static const double bytes_asked = 200, passes_asked = 1.2;

/* Opens a line; the sentence follows, and judged(). */
static void judge(FILE *out, enum judgement judgement)
{
    static const struct {
        const char *class, *word;
    } words[] = {{"yes", "\xE2\x9C\x93 Holds"},
                 {"no", "\xE2\x9C\x97 Does not hold"},
                 {"open", "\xE2\x89\x88 Undecided"},
                 {"open", "? Not measured"}};
    markup(out, "<li class=\"%s\"><b>%s</b><span>", words[judgement].class,
           words[judgement].word);
}

static void judged(FILE *out)
{
    markup(out, "</span></li>\n");
}

/* What is at most limit with its whole interval holds; where the limit lies inside of it,
 * more seeds have to decide. */
static enum judgement at_most(const struct estimate *e, double limit)
{
    if (e->n == 0)
        return UNKNOWN;
    if (fabs(e->mean - limit) <= e->half && e->half > 0)
        return UNDECIDED;
    return e->mean <= limit ? HOLDS : FAILS;
}

/* What may lie on either side of zero, but not further from it than sd, which is another estimate. */
static enum judgement within(const struct estimate *e, const struct estimate *sd)
{
    struct estimate size = *e;
    size.mean = fabs(e->mean);
    return sd->n == 0 ? UNKNOWN : at_most(&size, sd->mean);
}

/* The same, but equal to the limit is not below it. */
static enum judgement below(const struct estimate *e, double limit)
{
    enum judgement judgement = at_most(e, limit);
    return judgement == HOLDS && e->mean >= limit ? FAILS : judgement;
}

static struct estimate of(const struct results *results, const char *forget,
                          const char *method, const char *member)
{
    const struct which which = {.kind = "forgetting",
                                .is = {{"forget", forget}, {"method", method}}};
    return results_estimate(results, &which, member);
}

static void judge_exact(FILE *out, const struct results *results)
{
    const struct which which = {.kind = "exact"};
    struct estimate seeds = results_estimate(results, &which, "different");
    double different = results_sum(results, &which, "different");
    judge(out, seeds.n == 0 ? UNKNOWN : different == 0 ? HOLDS : FAILS);
    if (seeds.n == 0)
        markup(out,
               "Exact class: whether answers after a deletion equal, bit for bit, those "
               "of a service that never held the rows.");
    else
        markup(
            out,
            "Exact class: %.0f of %.0f answers after a deletion differ, in any bit, from "
            "those of a service that never held the deleted rows (%zu seed%s).",
            different, results_sum(results, &which, "queries"), seeds.n,
            seeds.n == 1 ? "" : "s");
    judged(out);
}

static void judge_gap(FILE *out, const struct results *results, const char *forget)
{
    struct estimate gap = of(results, forget, "munkey", "gap");
    struct estimate floor = of(results, forget, "munkey-oracle", "gap");
    judge(out, at_most(&gap, gap_asked));
    markup(
        out,
        "Trained class: the Average Gap to the retrained oracle is at most %.1f points",
        gap_asked);
    if (gap.n > 0)
        markup(out, ". It is %s", report_figure(&gap, 2).text);
    if (gap.n > 0 && floor.n > 0)
        markup(out, "; two oracles that differ in their seed alone are %s apart",
               report_figure(&floor, 2).text);
    markup(out, ".");
    judged(out);
}

/* Whether an attack sees the same in the model as in its oracle: less would be a trace, too.  A
 * difference below the null SD is noise. */
static void judge_attack(FILE *out, const struct results *results, const char *forget)
{
    const struct which ours = {.kind = "forgetting",
                               .is = {{"forget", forget}, {"method", "munkey"}}};
    const struct which oracle = {.kind = "forgetting",
                                 .is = {{"forget", forget}, {"method", "munkey-oracle"}}};
    struct estimate more = results_difference(results, &ours, "rmia", &oracle, "rmia");
    struct estimate sd = results_estimate(results, &ours, "null_sd");
    struct estimate a = results_estimate(results, &ours, "rmia");
    struct estimate b = results_estimate(results, &oracle, "rmia");
    judge(out, within(&more, &sd));
    markup(out,
           "Trained class: RMIA tells forgotten rows from rows never seen as well as "
           "in the oracle, within one null standard deviation");
    if (more.n > 0 && sd.n > 0)
        markup(out,
               ". AUROC %s %%, the oracle %s %%: %s points more, and the null SD is %s",
               report_figure(&a, 2).text, report_figure(&b, 2).text,
               report_figure(&more, 2).text, report_figure(&sd, 2).text);
    markup(out, ".");
    judged(out);
}

/* The post-hoc method of the least gap, of n; its name is NULL if there is none. */
static struct method nearest_posthoc(const struct results *results, const char *forget,
                                     size_t *ret_n)
{
    struct method all[METHODS_MAX], best = {.name = NULL};
    size_t n = methods_of(results, forget, all);
    double least = HUGE_VAL;
    *ret_n = 0;
    for (size_t i = 0; i < n; i++) {
        struct estimate gap = of(results, forget, all[i].name, "gap");
        if (all[i].group != GROUP_POSTHOC || gap.n == 0)
            continue;
        ++*ret_n;
        if (gap.mean < least) {
            least = gap.mean;
            best = all[i];
        }
    }
    return best;
}

static void judge_rivals(FILE *out, const struct results *results, const char *forget)
{
    size_t n;
    const struct method rival = nearest_posthoc(results, forget, &n);
    const struct which ours = {.kind = "forgetting",
                               .is = {{"forget", forget}, {"method", "munkey"}}};
    const struct which theirs = {.kind = "forgetting",
                                 .is = {{"forget", forget}, {"method", rival.name}}};
    struct estimate less = {0};
    if (rival.name)
        less = results_difference(results, &ours, "gap", &theirs, "gap");
    judge(out, below(&less, 0));
    markup(
        out,
        "Trained class: the Average Gap is smaller than that of every post-hoc method");
    if (less.n > 0) {
        struct estimate gap = results_estimate(results, &theirs, "gap");
        markup(out, ". The nearest of %zu is %s with %s; the difference is %s points", n,
               rival.title, report_figure(&gap, 2).text, report_figure(&less, 2).text);
    }
    markup(out, ".");
    judged(out);
}

static void judge_memory(FILE *out, const struct results *results, const char *forget)
{
    const struct which which = {
        .kind = "passes",
        .is = {{"forget", forget}, {"rows", "test"}, {"when", "after"}}};
    struct estimate adds = results_difference(results, &which, "full", &which, "null");
    struct estimate lacks = adds;
    lacks.mean = -adds.mean;
    judge(out, below(&lacks, 0));
    markup(out,
           "The memory matters: answers with it are right more often than those of the "
           "image alone");
    if (adds.n > 0)
        markup(out, ". It adds %s points on test rows", report_figure(&adds, 2).text);
    markup(out, ". If it added nothing, deleting from it would prove nothing.");
    judged(out);
}

/* What the weights alone betray. */
static void judge_null(FILE *out, const struct results *results, const char *forget)
{
    const struct which ours = {.kind = "attack",
                               .is = {{"forget", forget},
                                      {"method", "munkey"},
                                      {"view", "null"},
                                      {"when", "after"}}};
    struct which oracle = ours;
    oracle.is[1].value = "munkey-oracle";
    struct estimate more = results_difference(results, &ours, "rmia", &oracle, "rmia");
    struct estimate sd = results_estimate(results, &ours, "null_sd");
    judge(out, sd.n == 0 ? UNKNOWN : at_most(&more, sd.mean));
    markup(
        out,
        "Trained class: the weights alone (the null pass, which no key reaches) betray "
        "forgotten rows no more than the oracle\xE2\x80\x99s do, within one null SD");
    if (more.n > 0 && sd.n > 0)
        markup(out, ". RMIA\xE2\x80\x99s AUROC is %s points above; the null SD is %s",
               report_figure(&more, 2).text, report_figure(&sd, 2).text);
    markup(out, ".");
    judged(out);
}

static void judge_cost(FILE *out, const struct results *results)
{
    const struct which which = {.kind = "cost"};
    struct estimate passes = results_estimate(results, &which, "passes");
    struct estimate bytes = results_estimate(results, &which, "record_bytes");
    struct estimate paper = results_estimate(results, &which, "paper_bytes");
    judge(out, at_most(&passes, passes_asked));
    markup(out,
           "Four retrieved keys and the null pass cost at most %.1f passes of the "
           "classifier (the paper: 4)",
           passes_asked);
    if (passes.n > 0)
        markup(out, ". They cost %s", report_figure(&passes, 2).text);
    markup(out, ".");
    judged(out);
    judge(out, at_most(&bytes, bytes_asked));
    markup(out, "An instance takes at most %.0f bytes of the memory", bytes_asked);
    if (bytes.n > 0)
        markup(out, ". It takes %s; in the paper\xE2\x80\x99s layout %s",
               report_figure(&bytes, 0).text, report_figure(&paper, 0).text);
    markup(out, ".");
    judged(out);
}

void report_verdict(FILE *out, const struct results *results)
{
    const char *forget = report_forget(results);
    report_section(out, "verdict", "The verdict");
    if (forget) {
        size_t seeds = of(results, forget, "munkey", "gap").n;
        markup(out,
               "<p>Computed from the lines of the study. The trained class: forget set "
               "%s, %zu seed%s%s.</p>\n",
               forget_title(forget).text, seeds, seeds == 1 ? "" : "s",
               seeds == 1 ? ", and so without intervals" : "");
    }
    markup(out, "<ul class=\"verdict\">\n");
    judge_exact(out, results);
    judge_gap(out, results, forget);
    judge_attack(out, results, forget);
    judge_null(out, results, forget);
    judge_rivals(out, results, forget);
    judge_memory(out, results, forget);
    judge_cost(out, results);
    markup(out, "</ul>\n");
}

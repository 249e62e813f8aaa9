/* SPDX-License-Identifier: Apache-2.0 */
/* MUNKEY's forgetting: the rows of the table, the attacks on its parts, what its memory adds. */
#include <stdlib.h>

#include "core/err.h"
#include "daemon/forget_run.h"

enum { VIEW_FULL, VIEW_NULL, VIEW_MEMORY, VIEWS };
static const char *const view_name[VIEWS] = {"full", "null", "memory"};
static const char *const set_name[SETS] = {"test", "retain", "forget"};

static const float *part(const struct views *v, int view)
{
    return view == VIEW_FULL ? v->full : view == VIEW_NULL ? v->null : v->memory;
}

static struct answers answers_of(const struct views views[SETS], int view)
{
    return (struct answers){part(&views[SET_TEST], view), part(&views[SET_RETAIN], view),
                            part(&views[SET_FORGET], view)};
}

/* What one forget set is measured as. */
struct measured {
    struct forget_run *f;
    struct views before[SETS], after[SETS];
    struct answers oracle[VIEWS][STUDY_ORACLES];
    size_t oracles;
    double deletion; /* seconds */
};

static void id_of(const struct forget_run *f, char id[static ID_SIZE], const char *kind,
                  const char *rest)
{
    run_id(id, kind, f->s->seed, f->who.wish->name, rest);
}

/* Every id that this file writes; whether one of them is wanted. */
static bool wants(const struct forget_run *f)
{
    static const char *const methods[] = {"munkey", "munkey-before", "munkey-oracle"};
    static const char *const when[] = {"before", "after", "difference"};
    struct run *run = f->s->run;
    char id[ID_SIZE], rest[64];
    bool wanted = false;
    for (int i = 0; i < 3; i++) {
        id_of(f, id, "forgetting", methods[i]);
        wanted |= run_wants(run, id);
    }
    for (int view = 0; view < VIEWS; view++) {
        for (int i = 0; i < 3; i++) {
            snprintf(rest, sizeof rest, "munkey/%s/%s", view_name[view], when[i]);
            id_of(f, id, "attack", rest);
            wanted |= run_wants(run, id);
        }
        snprintf(rest, sizeof rest, "munkey-oracle/%s/after", view_name[view]);
        id_of(f, id, "attack", rest);
        wanted |= run_wants(run, id);
    }
    for (int set = 0; set < SETS; set++)
        for (int i = 0; i < 2; i++) {
            snprintf(rest, sizeof rest, "%s/%s", set_name[set], when[i]);
            id_of(f, id, "passes", rest);
            wanted |= run_wants(run, id);
        }
    return wanted;
}

static int put_row(const struct measured *m, const char *method,
                   const struct figures *figures, double seconds, size_t bytes)
{
    char id[ID_SIZE];
    json_t *line = forget_line(m->f, "forgetting", method);
    forget_row(m->f, line, "munkey", seconds, bytes, "");
    json_figures(line, figures);
    id_of(m->f, id, "forgetting", method);
    return run_put(m->f->s->run, id, line);
}

/* Mean seconds of retraining. */
static double retraining(const struct forget_run *f)
{
    struct model_wish munkey = model_wish_new(f->s, "munkey");
    double sum = 0;
    char name[32];
    size_t n = f->s->run->study->oracles;
    for (size_t r = 0; r < n; r++) {
        struct model_wish wish = forget_oracle_wish(f, r, &munkey, name);
        sum += study_seconds(&wish, false) / (double)n;
    }
    return sum;
}

static int put_rows(const struct measured *m)
{
    const struct queries *q = &m->f->q;
    const struct answers after = answers_of(m->after, VIEW_FULL),
                         before = answers_of(m->before, VIEW_FULL),
                         *oracle = m->oracle[VIEW_FULL];
    size_t bytes = seed_record_bytes(m->f->s);
    struct figures figures;
    int rc = measure_figures(q, &after, oracle, m->oracles, &figures);
    if (rc == 0)
        rc = put_row(m, "munkey", &figures, m->deletion, bytes);
    if (rc == 0)
        rc = measure_figures(q, &before, oracle, m->oracles, &figures);
    if (rc == 0)
        rc = put_row(m, "munkey-before", &figures, 0, bytes);
    if (rc == 0)
        rc = measure_oracles(q, oracle, m->oracles, &figures);
    return rc == 0 ? put_row(m, "munkey-oracle", &figures, retraining(m->f),
                             seed_image_bytes(m->f->s))
                   : rc;
}

static int put_attack(const struct measured *m, const char *method, int view,
                      const char *when, const struct attack *confidence,
                      const struct attack *rmia)
{
    char id[ID_SIZE], rest[64];
    json_t *line = forget_line(m->f, "attack", method);
    json_object_set_new(line, "view", json_string(view_name[view]));
    json_object_set_new(line, "when", json_string(when));
    json_attack(line, confidence, rmia);
    snprintf(rest, sizeof rest, "%s/%s/%s", method, view_name[view], when);
    id_of(m->f, id, "attack", rest);
    return run_put(m->f->s->run, id, line);
}

static int attack_view(const struct measured *m, int view, const struct views *views,
                       const char *when)
{
    const struct answers target = answers_of(views, view);
    struct attack confidence, rmia;
    int rc = measure_confidence(&m->f->q, &target, &confidence);
    if (rc == 0)
        rc = measure_attack(&m->f->q, &target, m->oracle[view], m->oracles, &rmia);
    return rc == 0 ? put_attack(m, "munkey", view, when, &confidence, &rmia) : rc;
}

static int attack_parts(const struct measured *m, int view)
{
    const struct answers before = answers_of(m->before, view),
                         after = answers_of(m->after, view);
    struct attack moved, ratio;
    struct figures floor;
    int rc = attack_view(m, view, m->before, "before");
    if (rc == 0)
        rc = attack_view(m, view, m->after, "after");
    if (rc == 0)
        rc = measure_difference(&m->f->q, &before, &after, &moved, &ratio);
    if (rc == 0)
        rc = put_attack(m, "munkey", view, "difference", &moved, &ratio);
    if (rc == 0)
        rc = measure_oracles(&m->f->q, m->oracle[view], m->oracles, &floor);
    return rc == 0 ? put_attack(m, "munkey-oracle", view, "after", &floor.confidence,
                                &floor.rmia)
                   : rc;
}

static int put_passes(const struct measured *m, int set, const char *when,
                      const struct views *v)
{
    const struct queries *q = &m->f->q;
    const uint32_t *label = queries_labels(q, set);
    char id[ID_SIZE], rest[32];
    json_t *line = forget_line(m->f, "passes", NULL);
    json_object_set_new(line, "rows", json_string(set_name[set]));
    json_object_set_new(line, "when", json_string(when));
#define SHARE(name, p)                                                                   \
    json_object_set_new(line, name,                                                      \
                        json_real(100 * gap_accuracy(p, label, v->n, q->classes)))
    SHARE("full", v->full);
    SHARE("null", v->null);
    SHARE("memory", v->blind);
    SHARE("knn", v->knn);
#undef SHARE
    snprintf(rest, sizeof rest, "%s/%s", set_name[set], when);
    id_of(m->f, id, "passes", rest);
    return run_put(m->f->s->run, id, line);
}

static int put_all(const struct measured *m)
{
    int rc = put_rows(m);
    for (int view = 0; rc == 0 && view < VIEWS; view++)
        rc = attack_parts(m, view);
    for (int set = 0; rc == 0 && set < SETS; set++)
        if ((rc = put_passes(m, set, "before", &m->before[set])) == 0)
            rc = put_passes(m, set, "after", &m->after[set]);
    return rc;
}

/* The service's own way: all are enrolled, and some are dropped. */
static int ask_before_and_after(struct measured *m)
{
    struct forget_run *f = m->f;
    struct memory *bank = NULL;
    int rc = forget_bank(f, false, &bank);
    if (rc == 0)
        rc = forget_ask(f, f->s->munkey, bank, m->before);
    if (rc == 0) {
        m->deletion = bank_forget(bank, f->s->all.b2, f->who.forget);
        rc = forget_ask(f, f->s->munkey, bank, m->after);
    }
    memory_free(bank);
    return rc;
}

int study_munkey_forgets(struct forget_run *f)
{
    struct measured m = {.f = f, .oracles = f->s->run->study->oracles};
    if (!wants(f))
        return 0;
    int rc = forget_oracles(f);
    if (rc == 0)
        rc = ask_before_and_after(&m);
    for (int view = 0; rc == 0 && view < VIEWS; view++)
        for (size_t r = 0; r < m.oracles; r++)
            m.oracle[view][r] = answers_of(f->oracle[r], view);
    if (rc == 0)
        rc = put_all(&m);
    for (int set = 0; set < SETS; set++) {
        views_done(&m.before[set]);
        views_done(&m.after[set]);
    }
    return rc;
}

int study_forgetting(struct seed_run *s)
{
    int rc = 0;
    for (size_t i = 0; rc >= 0 && i < s->run->study->forgets; i++) {
        struct forget_run f = {0};
        rc = forget_run_new(s, &s->run->study->forget[i], &f);
        if (rc == 0)
            rc = study_munkey_forgets(&f);
        if (rc >= 0)
            rc = study_baselines_forget(&f);
        forget_run_done(&f);
    }
    return rc < 0 ? rc : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The members' keys as a bank of their own. */
#include "daemon/study_near.h"

#include <stdlib.h>

#include "core/err.h"

struct row_keys seed_keys(const struct seed_run *s)
{
    return (struct row_keys){s->keys, s->test_keys};
}

void near_bank_done(struct near_bank *bank)
{
    free(bank->key);
    free(bank->label);
}

int near_bank_new(const struct seed_run *s, struct row_keys of, const bool *without,
                  struct near_bank *ret_bank)
{
    size_t members = range_length(s->all.b2), n = 0;
    struct near_bank bank = {.of = of,
                             .key = calloc(members, sizeof *bank.key),
                             .label = calloc(members, sizeof *bank.label)};
    if (!bank.key || !bank.label) {
        near_bank_done(&bank);
        return fail(MK_ENOMEM, "no memory for %zu keys", members);
    }
    for (size_t i = 0; i < members; i++) {
        if (without && without[i])
            continue;
        bank.key[n] = of.all[s->all.b2.begin + i];
        bank.label[n++] = s->all.pixels.labels[s->all.b2.begin + i];
    }
    bank.view = (struct key_bank){bank.key, bank.label, n, s->run->data.shape.key_dim};
    *ret_bank = bank; /* transferred */
    return 0;
}

int near_find(const struct baseline_run *b, const struct near_bank *bank, int set,
              struct near **ret_near)
{
    const struct row_list rows = queries_rows(&b->f->q, set);
    const struct key *from = set == SET_TEST ? bank->of.tests : bank->of.all;
    struct key *queries = calloc(rows.n, sizeof *queries);
    struct near *near = calloc(rows.n * MIXTURE_K, sizeof *near);
    int rc = queries && near ? 0 : fail(MK_ENOMEM, "no memory for %zu keys", rows.n);
    for (size_t i = 0; rc == 0 && i < rows.n; i++)
        queries[i] = from[rows.row[i]];
    if (rc == 0)
        rc = mixture_nearest(&bank->view, queries, rows.n, false,
                             b->f->s->run->options->threads, near);
    free(queries);
    if (rc < 0)
        free(near);
    else
        *ret_near = near;
    return rc;
}

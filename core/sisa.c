/* SPDX-License-Identifier: Apache-2.0 */
/* SISA: shards that are trained apart and answer together. */
#include "core/sisa.h"

#include <stdlib.h>

#include "core/err.h"

/* News of one shard as news of all. */
struct teller {
    plain_tell *tell;
    void *context;
    size_t before, total; /* steps of the shards that are done, and of all */
};

static bool tell_shard(void *context, size_t done, size_t total, double loss)
{
    (void)total;
    const struct teller *t = context;
    return !t->tell || t->tell(t->context, t->before + done, t->total, loss);
}

size_t sisa_shard_of(uint64_t seed, size_t shards, uint32_t row)
{
    struct rng rng = rng_at(seed, RNG_SHARD, 0, row);
    return rng_below(&rng, (uint32_t)shards);
}

/* The rows of a shard in the order of the list; the caller frees ret_rows. */
static int rows_of(const struct plain_plan *plan, size_t shards, size_t shard,
                   struct row_list rows, uint32_t **ret_rows, size_t *ret_n)
{
    uint32_t *row = calloc(rows.n, sizeof *row);
    size_t n = 0;
    if (!row)
        return fail(MK_ENOMEM, "no memory for a shard's rows");
    for (size_t i = 0; i < rows.n; i++)
        if (sisa_shard_of(plan->seed, shards, rows.row[i]) == shard)
            row[n++] = rows.row[i];
    *ret_rows = row;
    *ret_n = n;
    return 0;
}

static void count(const struct plain_plan *plan, size_t shards, struct row_list rows,
                  size_t ret_n[static SHARDS_MAX])
{
    for (size_t i = 0; i < SHARDS_MAX; i++)
        ret_n[i] = 0;
    for (size_t i = 0; i < rows.n; i++)
        ret_n[sisa_shard_of(plan->seed, shards, rows.row[i])]++;
}

/* Each shard has its own first values. */
static int train_shard(struct sisa *sisa, size_t shard, const struct plain_plan *plan,
                       const struct images *images, struct row_list rows,
                       struct teller *teller)
{
    struct plain_plan own = *plan;
    struct params *params;
    uint32_t *row;
    size_t n;
    own.seed = plan->seed ^ (uint64_t)shard << 32;
    int rc = rows_of(plan, sisa->n, shard, rows, &row, &n);
    if (rc < 0)
        return rc;
    rc =
        plain_train(&own, images, (struct row_list){row, n}, tell_shard, teller, &params);
    free(row);
    if (rc != 0)
        return rc;
    params_free(sisa->shard[shard]);
    sisa->shard[shard] = params;
    sisa->rows[shard] = n;
    teller->before += plain_steps(plan, n);
    return 0;
}

/* Trains the shards that do not have as many rows as they should. */
static int bring_up(struct sisa *sisa, const struct plain_plan *plan,
                    const struct images *images, struct row_list rows, plain_tell *tell,
                    void *context)
{
    struct teller teller = {tell, context, 0, 0};
    size_t n[SHARDS_MAX];
    int rc = plain_check(plan, images, rows);
    if (rc < 0)
        return rc;
    count(plan, sisa->n, rows, n);
    for (size_t i = 0; i < sisa->n; i++) {
        if (n[i] == 0)
            return fail(MK_EINPUT, "shard %zu of %zu would have no row", i, sisa->n);
        teller.total += n[i] == sisa->rows[i] ? 0 : plain_steps(plan, n[i]);
    }
    for (size_t i = 0; rc == 0 && i < sisa->n; i++)
        if (n[i] != sisa->rows[i])
            rc = train_shard(sisa, i, plan, images, rows, &teller);
    return rc;
}

int sisa_train(const struct plain_plan *plan, size_t shards, const struct images *images,
               struct row_list rows, plain_tell *tell, void *context,
               struct sisa **ret_sisa)
{
    if (shards == 0 || shards > SHARDS_MAX)
        return fail(MK_EINPUT, "1 to %d shards, not %zu", SHARDS_MAX, shards);
    struct sisa *sisa = calloc(1, sizeof *sisa);
    if (!sisa)
        return fail(MK_ENOMEM, "no memory for shards");
    sisa->n = shards;
    int rc = bring_up(sisa, plan, images, rows, tell, context);
    if (rc != 0) {
        sisa_free(sisa);
        return rc;
    }
    *ret_sisa = sisa;
    return 0;
}

void sisa_free(struct sisa *sisa)
{
    if (!sisa)
        return;
    for (size_t i = 0; i < sisa->n; i++)
        params_free(sisa->shard[i]);
    free(sisa);
}

int sisa_forget(struct sisa *sisa, const struct plain_plan *plan,
                const struct images *images, struct row_list retain, plain_tell *tell,
                void *context)
{
    return bring_up(sisa, plan, images, retain, tell, context);
}

int sisa_probabilities(const struct sisa *sisa, const struct images *images,
                       struct row_list rows, size_t threads, float *ret_p)
{
    size_t n = rows.n * sisa->shard[0]->shape.classes;
    float *p = calloc(n, sizeof *p), *sum = calloc(n, sizeof *sum);
    int rc = p && sum ? 0 : fail(MK_ENOMEM, "no memory for the shards' answers");
    for (size_t i = 0; rc == 0 && i < sisa->n; i++) {
        rc = plain_probabilities(sisa->shard[i], images, rows, threads, p);
        for (size_t at = 0; rc == 0 && at < n; at++)
            sum[at] += p[at] / (float)sisa->n;
    }
    for (size_t at = 0; rc == 0 && at < n; at++)
        ret_p[at] = sum[at];
    free(p);
    free(sum);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* SISA: deletion leaves what would be there without the deleted rows. */
#include "tests/check.h"

#include "core/sisa.h"
#include "tests/stripes.h"

enum { SHARDS = 3, ROWS = 90 };

static struct sisa *trained(const struct plain_plan *plan, size_t shards,
                            struct row_list rows)
{
    struct sisa *sisa;
    assert_int_equal(sisa_train(plan, shards, &stripes, rows, NULL, NULL, &sisa), 0);
    return sisa;
}

/* The rows but some of the given shard. */
static struct row_list without(const struct plain_plan *plan, size_t shard,
                               uint32_t *rows)
{
    struct row_list list = {rows, 0};
    for (uint32_t row = 0; row < ROWS; row++)
        if (row % 4 || sisa_shard_of(plan->seed, SHARDS, row) != shard)
            rows[list.n++] = row;
    assert_in_range(list.n, 1, ROWS - 4);
    return list;
}

static bool keep_total(void *context, size_t done, size_t total, double loss)
{
    size_t *last = context;
    assert_true(loss > 0);
    assert_int_equal(done, last[0] + 1);
    last[0] = done;
    last[1] = total;
    return true;
}

static void a_service_that_forgot_is_bit_for_bit_one_that_never_knew(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(2, 2);
    uint32_t rows[ROWS];
    struct row_list retain = without(&plan, 1, rows);
    struct sisa *forgot = trained(&plan, SHARDS, stripes_rows(0, ROWS));
    const struct params *others[] = {forgot->shard[0], forgot->shard[2]};
    size_t had = forgot->rows[1], news[2] = {0};
    float *was = malloc(forgot->shard[1]->n * sizeof *was);
    memcpy(was, forgot->shard[1]->values, forgot->shard[1]->n * sizeof *was);
    assert_int_equal(sisa_forget(forgot, &plan, &stripes, retain, keep_total, news), 0);
    struct sisa *never = trained(&plan, SHARDS, retain);
    for (size_t i = 0; i < SHARDS; i++)
        assert_same_params(forgot->shard[i], never->shard[i]);
    assert_ptr_equal(forgot->shard[0], others[0]);
    assert_ptr_equal(forgot->shard[2], others[1]);
    assert_memory_not_equal(was, forgot->shard[1]->values,
                            forgot->shard[1]->n * sizeof *was);
    assert_int_equal(forgot->rows[1], had - (ROWS - retain.n));
    assert_int_equal(news[0], plain_steps(&plan, forgot->rows[1]));
    assert_int_equal(news[1], news[0]);
    sisa_free(forgot);
    sisa_free(never);
    free(was);
}

static void nothing_to_forget_is_nothing_to_do(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(1, 1);
    struct sisa *sisa = trained(&plan, SHARDS, stripes_rows(0, ROWS));
    size_t news[2] = {0};
    assert_int_equal(
        sisa_forget(sisa, &plan, &stripes, stripes_rows(0, ROWS), keep_total, news), 0);
    assert_int_equal(news[0], 0);
    sisa_free(sisa);
}

static void one_shard_is_a_plain_classifier(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(2, 1);
    struct sisa *sisa = trained(&plan, 1, stripes_rows(0, ROWS));
    struct params *plain = stripes_trained(&plan, stripes_rows(0, ROWS));
    assert_same_params(sisa->shard[0], plain);
    params_free(plain);
    sisa_free(sisa);
}

static void shards_share_all_rows_and_start_apart(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(2, .01);
    struct sisa *sisa = trained(&plan, SHARDS, stripes_rows(0, ROWS));
    size_t n = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        assert_in_range(sisa->rows[i], ROWS / SHARDS / 2, 2 * ROWS / SHARDS);
        n += sisa->rows[i];
    }
    assert_int_equal(n, ROWS);
    assert_memory_not_equal(sisa->shard[0]->values, sisa->shard[1]->values,
                            sisa->shard[0]->n * sizeof(float));
    sisa_free(sisa);
}

static void its_answer_is_the_mean_of_its_shards(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(2, 2);
    struct sisa *sisa = trained(&plan, SHARDS, stripes_rows(0, ROWS));
    struct row_list test = stripes_rows(200, 220);
    float p[20 * STRIPES_CLASSES], shard[SHARDS][20 * STRIPES_CLASSES];
    assert_ok(sisa_probabilities(sisa, &stripes, test, 2, p));
    for (size_t i = 0; i < SHARDS; i++)
        assert_ok(plain_probabilities(sisa->shard[i], &stripes, test, 1, shard[i]));
    for (size_t i = 0; i < ARRAY_SIZE(p); i++)
        assert_true(fabs(p[i] - (shard[0][i] + shard[1][i] + shard[2][i]) / 3) < 1e-6);
    sisa_free(sisa);
}

static bool stop(void *context, size_t done, size_t total, double loss)
{
    (void)context;
    (void)loss;
    return done < total - 1;
}

static void it_stops_and_refuses_like_a_plain_classifier(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(1, 1);
    struct row_list rows = stripes_rows(0, ROWS);
    struct sisa *sisa;
    assert_int_equal(sisa_train(&plan, SHARDS, &stripes, rows, stop, NULL, &sisa), 1);
    assert_int_equal(sisa_train(&plan, 0, &stripes, rows, NULL, NULL, &sisa), MK_EINPUT);
    assert_int_equal(sisa_train(&plan, 17, &stripes, rows, NULL, NULL, &sisa), MK_EINPUT);
    assert_int_equal(
        sisa_train(&plan, 5, &stripes, stripes_rows(0, 3), NULL, NULL, &sisa), MK_EINPUT);
    assert_non_null(strstr(err_why(), "would have no row"));
    plan.batch = 12;
    assert_int_equal(sisa_train(&plan, SHARDS, &stripes, rows, NULL, NULL, &sisa),
                     MK_EINPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_that_forgot_is_bit_for_bit_one_that_never_knew),
        cmocka_unit_test(nothing_to_forget_is_nothing_to_do),
        cmocka_unit_test(one_shard_is_a_plain_classifier),
        cmocka_unit_test(shards_share_all_rows_and_start_apart),
        cmocka_unit_test(its_answer_is_the_mean_of_its_shards),
        cmocka_unit_test(it_stops_and_refuses_like_a_plain_classifier),
    };
    return cmocka_run_group_tests_name("sisa", tests, stripes_draw, NULL);
}

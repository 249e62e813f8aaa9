/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of open labels, and what labels are called in training. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/train_naming.h"
#include "storage/label.h"

enum { CLASSES = 400 };

static void a_code_is_the_start_of_sha256(void **state)
{
    (void)state;
    /* printf abc | sha256sum: ba7816bf 8f01cfea ... */
    assert_int_equal(label_code("abc"), 0xeacf018fbf1678ba);
}

static void a_vector_has_a_sign_for_each_bit(void **state)
{
    (void)state;
    real c[LABEL_CODE_DIM], length = 0;
    label_code_vector(0x8000000000000005, c);
    for (size_t i = 0; i < LABEL_CODE_DIM; i++) {
        assert_float_equal(c[i], i == 0 || i == 2 || i == 63 ? .125 : -.125, 0);
        length += c[i] * c[i];
    }
    assert_float_equal(length, 1, 1e-6);
}

static void a_logit_is_the_product_with_the_code_wherever_it_stands(void **state)
{
    (void)state;
    uint64_t codes[CLASSES];
    real u[LABEL_CODE_DIM], together[CLASSES], alone, c[LABEL_CODE_DIM];
    struct rng rng = rng_at(1, RNG_TEST, 0, 0);
    for (size_t i = 0; i < LABEL_CODE_DIM; i++)
        u[i] = (real)rng_normal(&rng);
    for (size_t y = 0; y < CLASSES; y++)
        codes[y] = rng_next(&rng);
    label_code_logits(u, codes, CLASSES, together);
    for (size_t y = 0; y < CLASSES; y++) {
        label_code_logits(u, &codes[y], 1, &alone);
        assert_memory_equal(&alone, &together[y], sizeof alone);
        label_code_vector(codes[y], c);
        assert_float_equal(alone, 8 * linalg_dot(u, c, LABEL_CODE_DIM), 1e-4);
    }
}

static void a_share_of_the_labels_bears_names_that_nobody_bears(void **state)
{
    (void)state;
    uint64_t codes[CLASSES], first[CLASSES];
    struct rng rng = rng_at(2, RNG_TEST, 0, 0);
    for (size_t y = 0; y < CLASSES; y++)
        codes[y] = rng_next(&rng);
    struct naming *naming = naming_new(codes, CLASSES);
    naming_draw(naming, .5, &rng);
    memcpy(first, naming_codes(naming, true), sizeof first);
    naming_draw(naming, .5, &rng);
    size_t drawn = 0;
    for (size_t y = 0; y < CLASSES; y++) {
        uint64_t code = naming_codes(naming, true)[y];
        drawn += code != codes[y];
        for (size_t i = 0; code != codes[y] && i < CLASSES; i++)
            assert_true(code != codes[i] && code != first[i]);
    }
    assert_in_range(drawn, CLASSES / 2 - 50,
                    CLASSES / 2 + 50); /* 5 standard deviations */
    assert_memory_equal(naming_codes(naming, false), codes, sizeof codes);
    naming_draw(naming, 1, &rng);
    for (size_t y = 0; y < CLASSES; y++)
        assert_true(naming_codes(naming, true)[y] != codes[y]);
    naming_free(naming);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_is_the_start_of_sha256),
        cmocka_unit_test(a_vector_has_a_sign_for_each_bit),
        cmocka_unit_test(a_logit_is_the_product_with_the_code_wherever_it_stands),
        cmocka_unit_test(a_share_of_the_labels_bears_names_that_nobody_bears),
    };
    return cmocka_run_group_tests_name("naming", tests, NULL, NULL);
}

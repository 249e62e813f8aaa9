/* SPDX-License-Identifier: Apache-2.0 */
/* Rate limits: how many requests a caller may send, what the reply says of it, and that no number
 * of callers costs more than the next. */
#include "tests/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "api/handler.h"
#include "api/listen.h"
#include "api/quota.h"
#include "core/rng.h"

static const int64_t second = 1000000000, start = INT64_C(1) << 50;
enum { ANN = 1, BOB = 2, OTHERS = 1000 };

static unsigned taken(struct rate *rate, uint64_t caller, int64_t now, unsigned tries)
{
    struct rate_left left;
    unsigned n = 0;
    while (tries-- > 0)
        n += rate_take(rate, caller, now, &left);
    return n;
}

static void the_whole_quota_may_come_at_once_and_no_more(void **state)
{
    (void)state;
    struct rate *rate = rate_new(100, 60);
    struct rate_left left;
    for (unsigned i = 0; i < 100; i++) {
        assert_true(rate_take(rate, ANN, start, &left));
        assert_int_equal(left.requests, 99 - i);
    }
    assert_false(rate_take(rate, ANN, start, &left));
    assert_int_equal(left.requests, 0);
    rate_free(rate);
}

static void it_comes_back_evenly_up_to_the_quota(void **state)
{
    (void)state;
    struct rate *rate = rate_new(6, 60);
    assert_int_equal(taken(rate, ANN, start, 9), 6);
    assert_int_equal(taken(rate, ANN, start + 10 * second - 1, 9), 0);
    assert_int_equal(taken(rate, ANN, start + 10 * second, 9), 1);
    assert_int_equal(taken(rate, ANN, start + 35 * second, 9), 2);
    assert_int_equal(taken(rate, ANN, start + 40 * second, 9), 1);
    assert_int_equal(taken(rate, ANN, start + 9999 * second, 9), 6);
    rate_free(rate);
}

static void whoever_is_refused_learns_when_to_come_back(void **state)
{
    (void)state;
    struct rate *rate = rate_new(2, 60);
    struct rate_left left;
    assert_true(rate_take(rate, ANN, start, &left));
    assert_int_equal(left.seconds, 30);
    assert_true(rate_take(rate, ANN, start + 10 * second, &left));
    assert_int_equal(left.seconds, 20);
    assert_false(rate_take(rate, ANN, start + 10 * second + 1, &left));
    assert_int_equal(left.seconds, 20);
    assert_false(rate_take(rate, ANN, start + 30 * second - 1, &left));
    assert_int_equal(left.seconds, 1);
    assert_true(rate_take(rate, ANN, start + 30 * second, &left));
    rate_free(rate);
}

static void one_caller_takes_nothing_from_another(void **state)
{
    (void)state;
    struct rate *rate = rate_new(3, 60);
    assert_int_equal(taken(rate, ANN, start, 9), 3);
    assert_int_equal(taken(rate, BOB, start, 9), 3);
    rate_free(rate);
}

/* In any span of time, and however requests are spread over it. */
static void never_more_than_the_quota_and_what_came_back(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        struct rng rng = rng_at(1, RNG_TEST, round, 0);
        unsigned quota = 1 + rng_below(&rng, 50), window = 1 + rng_below(&rng, 100);
        struct rate *rate = rate_new(quota, window);
        const int64_t each = window * second / quota;
        int64_t now = start;
        double bucket = quota;
        unsigned n = 0;
        for (unsigned i = 0; i < 500; i++) {
            int64_t pause = (int64_t)rng_below(&rng, 3000) * each / 1000;
            struct rate_left left;
            now += pause;
            bucket += (double)pause / (double)each;
            bucket = bucket < quota ? bucket : quota;
            bool some = rate_take(rate, ANN, now, &left);
            if (bucket > 1.000001 || bucket < 0.999999)
                assert_int_equal(some, bucket > 1);
            bucket -= some;
            n += some;
            assert_true(n <= quota + (now - start) / each);
        }
        rate_free(rate);
    }
}

static void a_flood_of_callers_frees_nobody_who_is_limited(void **state)
{
    (void)state;
    struct rate *rate = rate_new(10, 60);
    assert_int_equal(taken(rate, ANN, start, 99), 10);
    for (uint64_t other = 0; other < 10 * RATE_CALLERS; other++)
        assert_int_equal(taken(rate, OTHERS + other, start + second, 1), 1);
    assert_int_equal(taken(rate, ANN, start + second, 99), 0);
    rate_free(rate);
}

static void and_nobody_new_is_refused_for_it(void **state)
{
    (void)state;
    struct rate *rate = rate_new(1, 60);
    for (uint64_t other = 0; other < 2 * RATE_CALLERS; other++)
        assert_int_equal(taken(rate, OTHERS + other, start, 9), 1);
    assert_int_equal(taken(rate, BOB, start, 9), 1);
    rate_free(rate);
}

static void the_largest_settings_do_not_overflow(void **state)
{
    (void)state;
    static const unsigned quota[] = {1, 1000000000}, window[] = {1, 86400};
    for (size_t i = 0; i < 4; i++) {
        struct rate *rate = rate_new(quota[i / 2], window[i % 2]);
        struct rate_left left;
        for (unsigned n = 0; n < 3; n++)
            assert_int_equal(rate_take(rate, ANN, start, &left), n < quota[i / 2]);
        assert_true(left.seconds >= 1 && left.seconds <= window[i % 2]);
        rate_free(rate);
    }
}

enum { THREADS = 4, PRESSED = 3000000 };

struct crowd {
    struct rate *rate;
    pthread_barrier_t door;
    atomic_uint let_in;
};

static void *press(void *context)
{
    struct crowd *crowd = context;
    pthread_barrier_wait(&crowd->door);
    crowd->let_in += taken(crowd->rate, ANN, start, PRESSED);
    return NULL;
}

static void threads_share_a_bucket_exactly(void **state)
{
    (void)state;
    struct crowd crowd = {.rate = rate_new(2 * PRESSED, 60)};
    pthread_t thread[THREADS];
    pthread_barrier_init(&crowd.door, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, press, &crowd), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(crowd.let_in, 2 * PRESSED);
    pthread_barrier_destroy(&crowd.door);
    rate_free(crowd.rate);
}

/* ---- policies ---- */

static struct quotas *limited(enum policy policy, unsigned requests)
{
    unsigned all[POLICIES] = {0};
    struct quotas *quotas;
    all[policy] = requests;
    assert_ok(quotas_new(all, 60, &quotas));
    return quotas;
}

static void a_reply_says_policy_and_rest_as_the_draft_has_them(void **state)
{
    (void)state;
    struct quotas *quotas = limited(POLICY_ERASE, 2);
    struct quota quota = {0};
    struct reply reply = {0};
    assert_true(quota_take(quotas, POLICY_ERASE, ANN, start, &quota));
    quota_tell(&quota, &reply);
    assert_int_equal(reply.headers, 2);
    assert_string_equal(reply.header[0].name, "RateLimit-Policy");
    assert_string_equal(reply.header[0].value, "\"erase\";q=2;w=60");
    assert_string_equal(reply.header[1].name, "RateLimit");
    assert_string_equal(reply.header[1].value, "\"erase\";r=1;t=30");
    reply_done(&reply);
    assert_true(quota_take(quotas, POLICY_ERASE, ANN, start, &quota));
    assert_false(quota_take(quotas, POLICY_ERASE, ANN, start, &quota));
    quota_tell(&quota, &reply);
    assert_string_equal(reply.header[1].value, "\"erase\";r=0;t=30");
    reply_done(&reply);
    quotas_free(quotas);
}

static void what_is_not_limited_is_let_in_and_says_nothing(void **state)
{
    (void)state;
    struct quotas *quotas = limited(POLICY_ERASE, 1);
    for (enum policy policy = 0; policy < POLICIES; policy++) {
        struct quota quota = {0};
        struct reply reply = {0};
        if (policy == POLICY_ERASE)
            continue;
        for (unsigned i = 0; i < 9; i++)
            assert_true(quota_take(quotas, policy, ANN, start, &quota));
        quota_tell(&quota, &reply);
        assert_int_equal(reply.headers, 0);
    }
    quotas_free(quotas);
}

static void each_scope_has_the_policy_of_its_name(void **state)
{
    (void)state;
    for (unsigned scope = 1; scope & SCOPE_ALL; scope <<= 1) {
        struct quotas *quotas = limited(policy_of(scope), 1);
        struct quota quota = {0};
        assert_true(quota_take(quotas, policy_of(scope), ANN, start, &quota));
        assert_string_equal(quota.policy, scope_name(scope));
        quotas_free(quotas);
    }
}

/* ---- addresses ---- */

static uint64_t number_of(const char *text)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return address_number((const struct sockaddr *)&four);
    assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
    return address_number((const struct sockaddr *)&six);
}

static void an_address_counts_as_its_customer(void **state)
{
    (void)state;
    const struct sockaddr local = {.sa_family = AF_UNIX};
    assert_int_equal(number_of("192.0.2.1"), number_of("::ffff:192.0.2.1"));
    assert_int_not_equal(number_of("192.0.2.1"), number_of("192.0.2.2"));
    assert_int_equal(number_of("2001:db8:1:2::1"), number_of("2001:db8:1:2:ffff::9"));
    assert_int_not_equal(number_of("2001:db8:1:2::1"), number_of("2001:db8:1:3::1"));
    assert_int_not_equal(number_of("::1"), number_of("127.0.0.1"));
    assert_int_equal(address_number(&local), 0);
    assert_int_equal(address_number(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_quota_may_come_at_once_and_no_more),
        cmocka_unit_test(it_comes_back_evenly_up_to_the_quota),
        cmocka_unit_test(whoever_is_refused_learns_when_to_come_back),
        cmocka_unit_test(one_caller_takes_nothing_from_another),
        cmocka_unit_test(never_more_than_the_quota_and_what_came_back),
        cmocka_unit_test(a_flood_of_callers_frees_nobody_who_is_limited),
        cmocka_unit_test(and_nobody_new_is_refused_for_it),
        cmocka_unit_test(the_largest_settings_do_not_overflow),
        cmocka_unit_test(threads_share_a_bucket_exactly),
        cmocka_unit_test(a_reply_says_policy_and_rest_as_the_draft_has_them),
        cmocka_unit_test(what_is_not_limited_is_let_in_and_says_nothing),
        cmocka_unit_test(each_scope_has_the_policy_of_its_name),
        cmocka_unit_test(an_address_counts_as_its_customer),
    };
    return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}

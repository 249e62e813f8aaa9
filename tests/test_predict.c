/* SPDX-License-Identifier: Apache-2.0 */
/* POST /predict, called like any function: equal images give equal bytes, in whatever
 * form they come, and the bank stays as it was until the reply is on its way. */
#include "tests/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "api/routes.h"
#include "tests/asked.h"
#include "tests/drawn.h"

enum { GUEST = 8, GUESTS = ASKED_ROOM };

static int ask(const char *media, const char *raw_target, const void *body, size_t len,
               struct reply *ret_reply)
{
    struct request request = {.media = media, .body = body, .body_len = len};
    return asked_call(predict_post, raw_target, &request, ret_reply);
}

/* A JSON body of n images, seeds first, first + 1, ... */
static char *body_of(unsigned first, unsigned n, const char *rest)
{
    json_t *inputs = json_array();
    for (unsigned i = 0; i < n; i++) {
        uint8_t pixels[ASKED_SIZE];
        json_t *input = json_array();
        asked_paint(pixels, first + i);
        for (unsigned j = 0; j < ASKED_SIZE; j++)
            json_array_append_new(input, json_integer(pixels[j]));
        json_array_append_new(inputs, input);
    }
    char *array = json_dumps(inputs, 0), *body;
    assert_true(asprintf(&body, "{\"inputs\": %s%s}", array, rest) > 0);
    json_decref(inputs);
    free(array);
    return body;
}

static json_t *ask_json(unsigned first, unsigned n, const char *rest)
{
    char *body = body_of(first, n, rest);
    struct reply reply = {0};
    assert_ok(ask("application/json", "/predict", body, strlen(body), &reply));
    json_t *json = json_loadb(reply.body->data, reply.body->len, 0, NULL);
    assert_non_null(json);
    reply_done(&reply);
    free(body);
    return json;
}

static void raw_and_json_give_the_same_bytes(void **state)
{
    (void)state;
    uint8_t pixels[ASKED_SIZE];
    struct reply raw = {0}, json = {0};
    asked_paint(pixels, 3);
    char *body = body_of(3, 1, ", \"top_k\": 2, \"explain\": true");
    assert_ok(ask("application/octet-stream", "/predict?top_k=2&explain=1", pixels,
                  ASKED_SIZE, &raw));
    assert_ok(ask("application/json", "/predict", body, strlen(body), &json));
    assert_string_equal(raw.body->data, json.body->data);
    reply_done(&raw);
    reply_done(&json);
    free(body);
}

static void a_batch_does_not_change_a_bit(void **state)
{
    (void)state;
    json_auto_t *batch = ask_json(1, 9, ", \"top_k\": 10");
    json_t *together = json_object_get(batch, "predictions");
    assert_int_equal(json_array_size(together), 9);
    for (unsigned i = 0; i < 9; i++) {
        json_auto_t *alone = ask_json(1 + i, 1, ", \"top_k\": 10");
        assert_true(json_equal(json_array_get(together, i),
                               json_array_get(json_object_get(alone, "predictions"), 0)));
    }
}

static void the_top_is_in_order_and_sums_to_one(void **state)
{
    (void)state;
    json_auto_t *reply = ask_json(5, 1, ", \"top_k\": 10, \"explain\": true");
    json_t *prediction = json_array_get(json_object_get(reply, "predictions"), 0);
    json_t *top = json_object_get(prediction, "top"), *first = json_array_get(top, 0);
    json_t *explain = json_object_get(prediction, "explain");
    double last = 1, sum = 0;
    assert_int_equal(json_array_size(top), 10);
    for (size_t i = 0; i < 10; i++) {
        double p =
            json_real_value(json_object_get(json_array_get(top, i), "probability"));
        assert_true(p <= last);
        last = p;
        sum += p;
    }
    assert_true(sum > 0.99999 && sum < 1.00001);
    assert_true(json_equal(json_object_get(first, "label"),
                           json_object_get(prediction, "label")));
    assert_int_equal(json_integer_value(json_object_get(explain, "hits")),
                     model_info(asked.model)->k);
    assert_int_equal(json_integer_value(json_object_get(explain, "exact")) +
                         json_integer_value(json_object_get(explain, "trained")),
                     model_info(asked.model)->k);
}

static void the_first_are_the_same_however_many_are_asked_for(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed < 20; seed++) {
        json_auto_t *few = ask_json(seed, 1, ", \"top_k\": 8"),
                    *many = ask_json(seed, 1, ", \"top_k\": 10");
        json_t *a = json_array_get(json_object_get(few, "predictions"), 0),
               *b = json_array_get(json_object_get(many, "predictions"), 0);
        for (size_t i = 0; i < 8; i++)
            assert_true(json_equal(json_array_get(json_object_get(a, "top"), i),
                                   json_array_get(json_object_get(b, "top"), i)));
        assert_true(json_equal(json_object_get(a, "label"), json_object_get(b, "label")));
    }
}

static void a_reply_names_the_memory_it_rests_on(void **state)
{
    (void)state;
    json_auto_t *reply = ask_json(5, 1, "");
    json_t *memory = json_object_get(reply, "memory");
    assert_int_equal(json_integer_value(json_object_get(memory, "n")), ASKED_N);
    assert_memory_equal(json_string_value(json_object_get(memory, "digest")), "abab", 4);
}

/* No change happens between the search and the sending. */
static void the_bank_is_locked_until_the_reply_is_sent(void **state)
{
    (void)state;
    uint8_t pixels[ASKED_SIZE];
    struct reply reply = {0};
    asked_paint(pixels, 3);
    assert_ok(ask("application/octet-stream", "/predict", pixels, ASKED_SIZE, &reply));
    assert_ptr_equal(reply.locked, asked.bank);
    assert_true(asked_locks(&reply));
}

static void a_refused_request_leaves_the_bank_alone(void **state)
{
    (void)state;
    struct reply reply = {0};
    assert_int_equal(ask("application/octet-stream", "/predict", "x", 1, &reply),
                     MK_EUNPROCESSABLE);
    assert_null(reply.locked);
    assert_int_equal(ask("application/json", "/predict", "{}", 2, &reply), MK_EINPUT);
    assert_null(reply.locked);
    const struct memory_state same = asked_state(ASKED_N, 0xab);
    memory_drop(asked.bank, GUEST, &same); /* nobody; but takes the lock */
}

static void too_many_images_are_refused(void **state)
{
    (void)state;
    struct reply reply = {0};
    char *body = body_of(1, ASKED_BATCH + 1, "");
    assert_int_equal(ask("application/json", "/predict", body, strlen(body), &reply),
                     MK_ETOOBIG);
    free(body);
}

static atomic_bool stop;

/* A guest comes and goes as fast as it can. */
static void *come_and_go(void *records)
{
    struct memory_state with = asked_state(ASKED_N + GUESTS, 0xcd),
                        without = asked_state(ASKED_N, 0xab);
    while (!stop) {
        assert_ok(memory_add(asked.bank, records, GUESTS, &with));
        memory_drop(asked.bank, GUEST, &without);
    }
    return NULL;
}

static struct record *guests(void)
{
    struct record *records = calloc(GUESTS, sizeof *records);
    for (unsigned i = 0; i < GUESTS; i++) {
        asked_record(i, (i + 3) % ASKED_NAMES, &records[i]);
        records[i].owner = GUEST;
    }
    return records;
}

/* More images than one lock covers: still none of them sees another memory than the rest. */
static void a_large_batch_sees_one_memory(void **state)
{
    (void)state;
    struct record *records = guests();
    struct memory_state with = asked_state(ASKED_N + GUESTS, 0xcd),
                        without = asked_state(ASKED_N, 0xab);
    json_auto_t *alone = ask_json(1, GUESTS, "");
    assert_ok(memory_add(asked.bank, records, GUESTS, &with));
    json_auto_t *beside = ask_json(1, GUESTS, "");
    assert_int_equal(memory_drop(asked.bank, GUEST, &without), GUESTS);
    assert_false(json_equal(json_object_get(alone, "predictions"),
                            json_object_get(beside, "predictions")));
    pthread_t thread;
    stop = false;
    pthread_create(&thread, NULL, come_and_go, records);
    for (int i = 0; i < 20; i++) {
        json_auto_t *reply = ask_json(1, GUESTS, "");
        assert_true(json_equal(reply, alone) || json_equal(reply, beside));
    }
    stop = true;
    pthread_join(thread, NULL);
    free(records);
}

static int set_up(void **state)
{
    (void)state;
    asked_shipped();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    asked_end();
    return 0;
}

/* A label's place is that of its name, whatever its number in the model. */
static void expect_ranks(void)
{
    json_auto_t *reply = ask_json(5, 1, ", \"top_k\": 10");
    json_t *prediction = json_array_get(json_object_get(reply, "predictions"), 0),
           *choice;
    const char *label[ASKED_BUILT_IN];
    size_t i;
    json_array_foreach(json_object_get(prediction, "top"), i, choice)
        label[json_integer_value(json_object_get(choice, "index"))] =
            json_string_value(json_object_get(choice, "label"));
    for (i = 1; i < ASKED_BUILT_IN; i++)
        assert_true(strcmp(label[i - 1], label[i]) < 0);
}

/* Here the guest brings labels, too: no reply mixes those of two memories. */
static void so_it_is_where_labels_are_open(void **state)
{
    asked_end();
    asked_begin(drawn_model(asked_names, ASKED_BUILT_IN));
    expect_ranks();
    raw_and_json_give_the_same_bytes(state);
    a_batch_does_not_change_a_bit(state);
    the_top_is_in_order_and_sums_to_one(state);
    a_large_batch_sees_one_memory(state);
    asked_end();
    set_up(state);
}

/* Under the bank's lock nobody is erased. */
static void a_reply_has_a_hundred_thousand_labels_at_most(void **state)
{
    enum { MANY = 2000 };
    static char text[MANY][8];
    static const char *many[MANY];
    struct reply reply = {0};
    for (size_t i = 0; i < MANY; i++) {
        snprintf(text[i], sizeof text[i], "%zu", i);
        many[i] = text[i];
    }
    asked_end();
    asked_begin(drawn_model(many, MANY));
    char *body = body_of(1, 51, ", \"top_k\": 2000");
    assert_int_equal(ask("application/json", "/predict", body, strlen(body), &reply),
                     MK_ETOOBIG);
    free(body);
    json_auto_t *all = ask_json(1, 50, ", \"top_k\": 2000");
    assert_int_equal(json_array_size(json_object_get(all, "predictions")), 50);
    asked_end();
    set_up(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_and_json_give_the_same_bytes),
        cmocka_unit_test(a_batch_does_not_change_a_bit),
        cmocka_unit_test(the_top_is_in_order_and_sums_to_one),
        cmocka_unit_test(the_first_are_the_same_however_many_are_asked_for),
        cmocka_unit_test(a_reply_names_the_memory_it_rests_on),
        cmocka_unit_test(the_bank_is_locked_until_the_reply_is_sent),
        cmocka_unit_test(a_refused_request_leaves_the_bank_alone),
        cmocka_unit_test(too_many_images_are_refused),
        cmocka_unit_test(a_large_batch_sees_one_memory),
        cmocka_unit_test(so_it_is_where_labels_are_open),
        cmocka_unit_test(a_reply_has_a_hundred_thousand_labels_at_most),
    };
    return cmocka_run_group_tests_name("predict", tests, set_up, tear_down);
}

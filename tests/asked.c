/* SPDX-License-Identifier: Apache-2.0 */
/* A service without a server. */
#include "tests/asked.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "daemon/model_file.h"
#include "storage/label.h"
#include "tests/check.h"

enum { OWNER = 7, NOBODY = 1007 };

struct service asked;
struct scratch *asked_scratch;

const char *const asked_names[ASKED_NAMES] = {"shirt", "Zebra",    "0",    "4711", "bag",
                                              "pear",  "a",        "b",    "c",    "d",
                                              "e",     "an apple", "zebra"};

void asked_paint(uint8_t *pixels, unsigned seed)
{
    for (unsigned i = 0; i < ASKED_SIZE; i++)
        pixels[i] = (uint8_t)((i * seed + i / 28 * 13) % 251);
}

struct memory_state asked_state(uint64_t n, uint8_t digest)
{
    struct memory_state state = {.n = n};
    memset(state.digest, digest, sizeof state.digest);
    return state;
}

void asked_record(unsigned i, unsigned number, struct record *ret_record)
{
    const struct model_info *info = model_info(asked.model);
    const char *name = asked_names[number % ASKED_NAMES];
    uint8_t pixels[ASKED_SIZE];
    asked_paint(pixels, i + 1);
    model_key(asked.model, asked_scratch, pixels, &ret_record->key);
    memcpy(ret_record->iid, &i, sizeof i);
    ret_record->label = info->open_labels ? label_code(name) : number % info->classes;
    strcpy(ret_record->name, name);
}

static void fill_bank(void)
{
    struct record *records = calloc(ASKED_N, sizeof *records);
    struct memory_state now = asked_state(ASKED_N, 0xab);
    for (unsigned i = 0; i < ASKED_N; i++) {
        asked_record(i, i % ASKED_BUILT_IN, &records[i]);
        records[i].owner = OWNER;
        records[i].class = i % 2 ? CLASS_EXACT : CLASS_TRAINED;
        records[i].iid[15] = 1; /* behind a guest of the same key */
    }
    assert_ok(memory_add(asked.bank, records, ASKED_N, &now));
    free(records);
}

void asked_begin(struct model *model_take)
{
    asked.model = model_take;
    asked.bank = memory_new(model_info(model_take)->key_dim, ASKED_N + ASKED_ROOM);
    if (model_info(model_take)->open_labels)
        assert_ok(label_open(asked.bank, model_info(model_take)));
    asked.limits = (struct limits){
        .batch = ASKED_BATCH, .image_side = 4096, .image_pixels = 1 << 24};
    asked_scratch = scratch_new(model_take);
    fill_bank();
}

void asked_shipped(void)
{
    char path[4096];
    struct model *model;
    snprintf(path, sizeof path, "%s/models/fashion-mnist-T.safetensors",
             getenv("top_srcdir"));
    assert_ok(model_file_load(path, &model, asked.model_sha256));
    asked_begin(model);
}

void asked_end(void)
{
    scratch_free(asked_scratch);
    memory_free(asked.bank);
    model_free((struct model *)asked.model);
}

int asked_call(handler *run, const char *raw_target, struct request *request,
               struct reply *ret_reply)
{
    struct target target;
    assert_ok(target_split(raw_target, &target));
    assert_ok(target_decode(&target));
    request->service = &asked;
    request->scratch = asked_scratch;
    request->target = &target;
    int rc = run(request, ret_reply);
    target_done(&target);
    return rc;
}

static atomic_bool dropped;

static void *drop(void *unused)
{
    (void)unused;
    struct memory_state same = asked_state(ASKED_N, 0xab);
    memory_drop(asked.bank, NOBODY, &same); /* takes the lock */
    dropped = true;
    return NULL;
}

bool asked_locks(struct reply *reply)
{
    pthread_t thread;
    struct timespec deadline;
    dropped = false;
    pthread_create(&thread, NULL, drop, NULL);
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_nsec += 200000000;
    deadline.tv_sec += deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
    bool waits = pthread_timedjoin_np(thread, NULL, &deadline) != 0 && !dropped;
    reply_done(reply);
    if (waits)
        pthread_join(thread, NULL);
    return waits && dropped;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A service in process. */
#include "tests/replica.h"

#include <stdio.h>

#include "core/rng.h"
#include "daemon/idx.h"
#include "daemon/model_file.h"
#include "storage/enroll.h"
#include "storage/forget.h"
#include "storage/restrict.h"
#include "storage/subject.h"
#include "tests/check.h"
#include "tests/drawn.h"

enum { CAPACITY = 10000, DRAWN = 1000 };

static const uint8_t seed[32] = "a seed that fixes ids and nonces";

void model_shipped(const char *profile, struct shipped *ret_shipped)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/models/fashion-mnist-%s.safetensors",
             getenv("top_srcdir"), profile);
    assert_ok(model_file_load(path, &ret_shipped->model, ret_shipped->sha256));
}

const char *label_name(uint32_t label)
{
    static const char *const name[] = {
        "shirt", "4711",      "tomato soup", "0",   "\xc3\xa9tag\xc3\xa8re",
        "shoe",  "a product", "Zebra",       "bag", "10"};
    return name[label];
}

void model_drawn(struct shipped *ret_shipped)
{
    const char *const built_in[] = {label_name(0), label_name(1), label_name(2)};
    *ret_shipped = (struct shipped){.model = drawn_model(built_in, ARRAY_SIZE(built_in)),
                                    .sha256 = {0xd7}};
}

static uint8_t *draw_images(size_t *ret_n)
{
    uint8_t *images = malloc(DRAWN * IMAGE_SIZE);
    struct rng rng = rng_at(1, RNG_TEST, 0, 0);
    for (size_t i = 0; i < DRAWN * IMAGE_SIZE; i++)
        images[i] = (uint8_t)rng_below(&rng, 256);
    *ret_n = DRAWN;
    return images;
}

uint8_t *test_images(size_t *ret_n)
{
    struct idx idx;
    if (idx_read("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz", 3, &idx) <
        0) {
        printf("# drawn images instead of real ones: %s\n", err_why());
        return draw_images(ret_n);
    }
    *ret_n = idx.n;
    return idx.data; /* transferred */
}

int replica_open(struct replica *r)
{
    const struct model_info *info = model_info(r->shipped->model);
    if (!(r->bank = memory_new(info->key_dim, CAPACITY)))
        return fail(MK_ENOMEM, "no memory for a bank");
    int rc = state_open(&r->options, info, r->shipped->sha256, r->bank, true, &r->state);
    if (rc < 0)
        replica_close(r);
    return rc;
}

void replica_close(struct replica *r)
{
    state_close(r->state);
    memory_free(r->bank);
    r->state = NULL;
    r->bank = NULL;
}

int replica_new(struct replica *r, const struct shipped *shipped)
{
    const char *tmp = getenv("TMPDIR");
    const struct init_options init = {.origin = "munkeyd.test/log"};
    *r = (struct replica){.shipped = shipped};
    snprintf(r->folder, sizeof r->folder, "%s/munkeyd-test-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(r->folder));
    assert_non_null(r->scratch = scratch_new(shipped->model));
    r->options.folder = r->folder;
    int rc = state_init(&r->options, &init, model_info(shipped->model), shipped->sha256);
    return rc < 0 ? rc : replica_open(r);
}

void replica_remove(struct replica *r)
{
    char command[256];
    replica_close(r);
    scratch_free(r->scratch);
    snprintf(command, sizeof command, "rm -rf -- '%s'", r->folder);
    assert_int_equal(system(command), 0);
}

void replica_keys(struct replica *r, const struct row *rows, size_t n,
                  struct key *ret_keys)
{
    for (size_t i = 0; i < n; i++)
        model_key(r->shipped->model, r->scratch, rows[i].pixels, &ret_keys[i]);
}

int replica_store(struct replica *r, const struct row *rows, const struct key *keys,
                  size_t n)
{
    static struct import_row import_row[ENROLL_MAX];
    const struct import import = {.seed = seed};
    for (size_t i = 0; i < n; i++)
        import_row[i] = (struct import_row){
            .row = rows[i].number,
            .subject = {rows[i].subject, strlen(rows[i].subject)},
            .instance = {.key = keys[i],
                         .label = rows[i].label,
                         .name = label_name(rows[i].label),
                         .provenance.field = {"shop", "", "", ""}},
        };
    return import_rows(r->state, &import, CLASS_EXACT, import_row, n, 0);
}

int replica_enrol(struct replica *r, const struct row *rows, size_t n)
{
    struct key *keys = calloc(n, sizeof *keys);
    assert_non_null(keys);
    replica_keys(r, rows, n, keys);
    int rc = replica_store(r, rows, keys, n);
    free(keys);
    return rc;
}

static struct subject named(const char *name)
{
    return (struct subject){name, strlen(name)};
}

static int forget_many(struct replica *r, const char *const *subjects, size_t n)
{
    struct erasure_request request[FORGET_MAX] = {0};
    struct forgotten done[FORGET_MAX] = {0};
    for (size_t i = 0; i < n; i++)
        request[i] = (struct erasure_request){.subject = named(subjects[i]),
                                              .request = "a-request"};
    int rc = forget_batch(r->state, request, n, done);
    for (size_t i = 0; i < n; i++)
        forgotten_done(&done[i]);
    return rc;
}

int replica_forget(struct replica *r, const char *const *subjects, size_t n)
{
    struct forgotten done;
    if (n > 1)
        return forget_many(r, subjects, n);
    int rc = forget(r->state, named(*subjects), "a-request", false, &done);
    if (rc == 0)
        forgotten_done(&done);
    return rc;
}

int replica_restrict(struct replica *r, const char *subject, bool restricted)
{
    struct restricted done;
    int rc = restricted
                 ? restrict_set(r->state, named(subject), 'b', "a-request", false, &done)
                 : restrict_lift(r->state, named(subject), "a-request", false, &done);
    if (rc == 0)
        restricted_done(&done);
    return rc;
}

int replica_is_restricted(struct replica *r, const char *subject, bool *ret_restricted)
{
    struct held held;
    int rc = subject_read(r->state, named(subject), 0, 1, &held);
    if (rc < 0)
        return rc;
    *ret_restricted = held.restricted;
    held_done(&held);
    return 0;
}

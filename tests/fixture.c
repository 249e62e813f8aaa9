/* SPDX-License-Identifier: Apache-2.0 */
/* A state folder for tests. */
#include "tests/fixture.h"

#include <math.h>
#include <stdio.h>

#include "storage/digest.h"
#include "tests/check.h"

static const uint8_t model_sha256[32] = {0xab, 0xcd};
static const uint8_t seed[32] = "a seed that fixes ids and nonces";

void fixture_name(struct fixture *f, const char *folder)
{
    static const char *const labels[] = {"shirt", "shoe"};
    *f = (struct fixture){.model = {.name = "test",
                                    .classes = 2,
                                    .labels = labels,
                                    .key_dim = DIM,
                                    .k = 4,
                                    .encoder_sha256 = {1, 2, 3}}};
    snprintf(f->folder, sizeof f->folder, "%s", folder);
    f->options.folder = f->folder;
}

static void make_folder(struct fixture *f, bool open_labels)
{
    const char *tmp = getenv("TMPDIR");
    char folder[sizeof f->folder];
    struct init_options init = {.origin = "munkeyd.test/log"};
    snprintf(folder, sizeof folder, "%s/munkeyd-test-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(folder));
    fixture_name(f, folder);
    f->model.open_labels = open_labels;
    assert_ok(state_init(&f->options, &init, &f->model, model_sha256));
}

void fixture_new(struct fixture *f)
{
    make_folder(f, false);
}

void fixture_new_open(struct fixture *f)
{
    make_folder(f, true);
}

int fixture_try_open(struct fixture *f)
{
    f->bank = memory_new(DIM, 100000);
    assert_non_null(f->bank);
    int rc = state_open(&f->options, &f->model, model_sha256, f->bank, true, &f->state);
    if (rc < 0)
        fixture_close(f);
    return rc;
}

void fixture_open(struct fixture *f)
{
    assert_ok(fixture_try_open(f));
}

static int agree(void *context, const struct restore_plan *plan)
{
    struct restore_plan *copy = context;
    if (copy)
        *copy = *plan;
    return 0;
}

int fixture_try_restore(struct fixture *f, const char *file,
                        struct restore_plan *ret_plan)
{
    struct state_status status;
    struct memory *bank = memory_new(DIM, 100000);
    assert_non_null(bank);
    int rc = state_restore(&f->options, &f->model, model_sha256, bank, file, agree,
                           ret_plan, &status);
    memory_free(bank);
    return rc;
}

void fixture_close(struct fixture *f)
{
    state_close(f->state);
    memory_free(f->bank);
    f->state = NULL;
    f->bank = NULL;
}

void fixture_remove(struct fixture *f)
{
    fixture_close(f);
    fixture_run(f, "rm -rf -- \"$PWD\"");
}

const char *fixture_path(const struct fixture *f, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    return path;
}

void fixture_run(const struct fixture *f, const char *command)
{
    char line[1024];
    snprintf(line, sizeof line, "cd '%s' && { %s; }", f->folder, command);
    assert_int_equal(system(line), 0);
}

struct subject fixture_subject(uint32_t number)
{
    static char name[8][32];
    static int next;
    char *id = name[next++ % 8];
    int len = snprintf(id, sizeof name[0], "person-%u", number);
    return (struct subject){id, (size_t)len};
}

/* A small deterministic generator: the same row is the same instance in every process. */
void fixture_instance(uint64_t row, struct new_instance *ret_instance)
{
    static const char *const names[] = {"shirt", "4711", "tomato soup",
                                        "\xc3\xa9tag\xc3\xa8re", "0"};
    uint64_t x = row * 0x9e3779b97f4a7c15u + 1;
    memset(ret_instance, 0, sizeof *ret_instance);
    ret_instance->label = row % 2;
    ret_instance->name = names[row % 5];
    ret_instance->provenance.field[0] = "shop";
    for (int i = 0; i < DIM; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        ret_instance->key.q[i] = (int8_t)((int)(x >> 40 & 255) - 127);
    }
    ret_instance->key.scale = 1.0f / 127;
}

int fixture_try_import(struct fixture *f, uint64_t begin, uint64_t end, uint32_t without)
{
    static struct import_row rows[ENROLL_MAX];
    static char names[ENROLL_MAX][32];
    const struct import import = {.input_sha256 = {7}, .seed = seed};
    size_t n = 0;
    for (uint64_t row = begin; row < end; row++) {
        if (row % SUBJECTS != without) {
            int len = snprintf(names[n], sizeof names[n], "person-%u",
                               (unsigned)(row % SUBJECTS));
            rows[n].row = row;
            rows[n].subject = (struct subject){names[n], (size_t)len};
            fixture_instance(row, &rows[n].instance);
            n++;
        }
        if (n == ENROLL_MAX || (n > 0 && row + 1 == end)) {
            int rc = import_rows(f->state, &import, CLASS_EXACT, rows, n, row + 1);
            explicit_bzero(rows, sizeof rows); /* tests look for remnants */
            if (rc < 0)
                return rc;
            n = 0;
        }
    }
    return 0;
}

void fixture_import(struct fixture *f, uint64_t begin, uint64_t end, uint32_t without)
{
    assert_ok(fixture_try_import(f, begin, end, without));
}

int fixture_enroll(struct fixture *f, uint32_t subject, uint64_t begin, uint64_t end)
{
    struct new_instance instance[ENROLL_MAX];
    uint8_t iids[ENROLL_MAX][IID_SIZE];
    for (uint64_t row = begin; row < end; row++)
        fixture_instance(row, &instance[row - begin]);
    int rc =
        enroll(f->state, fixture_subject(subject), instance, end - begin, NULL, iids);
    explicit_bzero(instance, sizeof instance); /* tests look for remnants */
    return rc;
}

int fixture_forget(struct fixture *f, uint32_t subject, struct forgotten *ret_forgotten)
{
    return forget(f->state, fixture_subject(subject), "a-request", false, ret_forgotten);
}

int fixture_set_up(void **data)
{
    struct fixture *f = calloc(1, sizeof *f);
    fixture_new(f);
    fixture_open(f);
    *data = f;
    return 0;
}

int fixture_set_up_open(void **data)
{
    struct fixture *f = calloc(1, sizeof *f);
    fixture_new_open(f);
    fixture_open(f);
    *data = f;
    return 0;
}

int fixture_tear_down(void **data)
{
    fixture_remove(*data);
    free(*data);
    return 0;
}

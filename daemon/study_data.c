/* SPDX-License-Identifier: Apache-2.0 */
/* A study's images, read and hashed. */
#include "daemon/study_data.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/crypto.h"

void pixels_done(struct pixels *p)
{
    const struct images *i = &p->images;
    if (p->bytes)
        crypto_wipe(p->bytes, i->n * i->height * i->width * i->channels);
    free(p->bytes);
    free(p->labels);
    free(p->group);
    *p = (struct pixels){0};
}

void study_data_done(struct study_data *data)
{
    pixels_done(&data->train);
    pixels_done(&data->test);
}

/* Room for n images of the shape. */
static int pixels_new(const struct shape *shape, size_t n, struct pixels *p)
{
    size_t size = (size_t)shape->height * shape->width * shape->channels;
    p->bytes = calloc(n ? n : 1, size);
    p->labels = calloc(n ? n : 1, sizeof *p->labels);
    p->group = calloc(n ? n : 1, sizeof *p->group);
    if (!p->bytes || !p->labels || !p->group)
        return fail(MK_ENOMEM, "no memory for %zu images of %zu bytes", n, size);
    p->images = (struct images){n,        shape->height, shape->width, shape->channels,
                                p->bytes, p->labels};
    return 0;
}

struct member {
    const struct sample *sample;
    size_t row;
};

static int by_subject(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    const struct subject *s = &x->sample->subject, *t = &y->sample->subject;
    int order = memcmp(s->id, t->id, s->len < t->len ? s->len : t->len);
    if (order == 0)
        order = (s->len > t->len) - (s->len < t->len);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

static bool same(const struct subject *s, const struct subject *t)
{
    return s->len > 0 && s->len == t->len && memcmp(s->id, t->id, s->len) == 0;
}

/* Numbers subjects; a row that is nobody's is a group of its own. */
static int number_groups(const struct dataset *data, const size_t *at, struct pixels *p)
{
    size_t n = p->images.n;
    struct member *list = calloc(n ? n : 1, sizeof *list);
    if (!list)
        return fail(MK_ENOMEM, "no memory for %zu rows", n);
    for (size_t i = 0; i < n; i++)
        list[i] = (struct member){&data->sample[at[i]], i};
    if (data->root)
        qsort(list, n, sizeof *list, by_subject);
    for (size_t i = 0; i < n; i++) {
        bool again =
            i > 0 && same(&list[i].sample->subject, &list[i - 1].sample->subject);
        p->groups += !again;
        p->group[list[i].row] = (uint32_t)p->groups - 1;
    }
    free(list);
    return 0;
}

/* The samples of one kind, with their pixels. */
static int take(const struct dataset *data, const struct shape *shape, bool tests,
                struct pixels *ret_pixels)
{
    const struct frame frame = {shape->height, shape->width, shape->channels};
    size_t size = (size_t)frame.height * frame.width * frame.channels, n = 0;
    size_t *at = calloc(data->n, sizeof *at);
    if (!at)
        return fail(MK_ENOMEM, "no memory for %zu rows", data->n);
    for (size_t i = 0; i < data->n; i++)
        if ((data->sample[i].split == SPLIT_TEST) == tests)
            at[n++] = i;
    int rc = pixels_new(shape, n, ret_pixels);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        ret_pixels->labels[i] = data->sample[at[i]].label;
        rc = dataset_pixels(data, &frame, &data->sample[at[i]],
                            ret_pixels->bytes + i * size);
    }
    if (rc == 0)
        rc = number_groups(data, at, ret_pixels);
    free(at);
    return rc;
}

/* As munkey-train does it: images of IDX files are taken as they are, all others resized. */
static int choose_shape(const struct study *study, const struct dataset *data,
                        struct shape *ret_shape)
{
    int rc = shape_of_profile(study->profile, data->classes, ret_shape);
    if (rc == 0 && !data->root) {
        ret_shape->height = (uint32_t)data->images.height;
        ret_shape->width = (uint32_t)data->images.width;
        ret_shape->channels = 1;
    }
    return rc == 0 ? train_choices_apply(&study->choices, ret_shape) : rc;
}

static int read_tests(const struct study *study, const struct dataset *train,
                      size_t threads, struct study_data *data)
{
    const struct frame frame = {data->shape.height, data->shape.width,
                                data->shape.channels};
    struct dataset tests = {0};
    int rc = train_source_open_test(&study->source, &tests);
    if (rc == 0 && tests.n == 0)
        rc = take(train, &data->shape, true, &data->test);
    else if (rc == 0 && (rc = dataset_number_labels(&tests)) == 0 &&
             (rc = dataset_read_all(&tests, &frame, threads)) == 0)
        rc = take(&tests, &data->shape, false, &data->test);
    for (size_t i = 0; rc == 0 && i < data->test.images.n; i++)
        if (data->test.labels[i] >= data->shape.classes)
            rc = fail(MK_EINPUT, "a test image has label %u, which no other image has",
                      data->test.labels[i]);
    dataset_done(&tests);
    if (rc == 0 && data->test.images.n == 0)
        rc = fail(MK_EINPUT, "%s has no rows of split test", train->name);
    return rc;
}

/* Labels too: the same images with others are other data. */
static void name_data(struct study_data *data, const uint8_t *sha256)
{
    const struct pixels *train = &data->train, *test = &data->test;
    const struct images *t = &test->images;
    const struct bytes parts[] = {
        {sha256, SHA256_SIZE},
        {train->labels, train->images.n * sizeof *train->labels},
        {test->bytes, t->n * t->height * t->width * t->channels},
        {test->labels, t->n * sizeof *test->labels}};
    crypto_sha256_parts(parts, 4, data->sha256);
}

static int read_all(const struct study *study, struct dataset *train, size_t threads,
                    struct study_data *data)
{
    int rc = dataset_number_labels(train);
    if (rc == 0)
        rc = choose_shape(study, train, &data->shape);
    const struct frame frame = {data->shape.height, data->shape.width,
                                data->shape.channels};
    if (rc == 0)
        rc = dataset_read_all(train, &frame, threads);
    if (rc == 0)
        rc = take(train, &data->shape, false, &data->train);
    if (rc == 0)
        rc = read_tests(study, train, threads, data);
    if (rc == 0)
        name_data(data, train->sha256);
    return rc;
}

int study_data_read(const struct study *study, size_t threads,
                    struct study_data *ret_data)
{
    struct study_data data = {0};
    struct dataset train = {0};
    int rc = train_source_open(&study->source, &train);
    if (rc == 0)
        rc = read_all(study, &train, threads, &data);
    train_source_name(&study->source, data.name, sizeof data.name);
    dataset_done(&train);
    if (rc < 0)
        study_data_done(&data);
    else
        *ret_data = data; /* transferred */
    return rc;
}

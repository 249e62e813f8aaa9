/* SPDX-License-Identifier: Apache-2.0 */
/* The labels of an open set, in one mapping of a fixed size: a name is written once, at a place
 * where it stays until it is wiped. */
#include "core/labels.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

#include "core/err.h"
#include "core/hidden.h"
#include "core/memory.h"
#include "core/model_shape.h"

struct label {
    uint64_t code;
    uint32_t held, live; /* instances; those of them that answer */
    char name[LABEL_SIZE];
    bool built_in;
};

struct labels {
    size_t known; /* held or built in */
    struct label slot[CLASSES_MAX];
    uint16_t
        by_name[CLASSES_MAX]; /* slots: the known in the order of names, then the free */
    uint16_t by_half[CLASSES_MAX]; /* slots: the known in the order of half() */
    bool changed;                  /* since the list was made */
    size_t n;
    uint64_t code[CLASSES_MAX];    /* (n): the list */
    const char *name[CLASSES_MAX]; /* (n) */
};

/* What an element of the memory digest says of a label: among those that are known it is one's
 * alone. */
static uint32_t half(uint64_t code)
{
    return (uint32_t)code;
}

size_t label_list_find(const struct label_list *list, const char *name)
{
    size_t begin = 0, end = list->n;
    while (begin < end) {
        size_t middle = (begin + end) / 2;
        int order = strcmp(list->name[middle], name);
        if (order == 0)
            return middle;
        if (order < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return list->n;
}

struct labels *labels_new(void)
{
    struct labels *labels = hidden_new(sizeof *labels);
    for (size_t i = 0; labels && i < CLASSES_MAX; i++)
        labels->by_name[i] = (uint16_t)i;
    return labels;
}

void labels_free(struct labels *labels)
{
    if (!labels)
        return;
    explicit_bzero(labels, sizeof *labels);
    hidden_free(labels, sizeof *labels);
}

bool labels_lock(struct labels *labels)
{
    return mlock(labels, sizeof *labels) == 0;
}

/* The first place in by_half whose half is not below. */
static size_t place_of_half(const struct labels *labels, uint32_t wanted)
{
    size_t begin = 0, end = labels->known;
    while (begin < end) {
        size_t middle = (begin + end) / 2;
        if (half(labels->slot[labels->by_half[middle]].code) < wanted)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

/* The first place in by_name whose name is not below. */
static size_t place_of_name(const struct labels *labels, const char *name)
{
    size_t begin = 0, end = labels->known;
    while (begin < end) {
        size_t middle = (begin + end) / 2;
        if (strcmp(labels->slot[labels->by_name[middle]].name, name) < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

/* The known label with this half of the code, or NULL. */
static const struct label *find(const struct labels *labels, uint64_t code)
{
    size_t at = place_of_half(labels, half(code));
    if (at == labels->known)
        return NULL;
    const struct label *label = &labels->slot[labels->by_half[at]];
    return half(label->code) == half(code) ? label : NULL;
}

static struct label *held(struct labels *labels, uint64_t code)
{
    const struct label *label = find(labels, code);
    assert(label && label->code == code);
    return &labels->slot[label - labels->slot];
}

/* A free slot, which by_name and by_half know from now on. */
static struct label *learn(struct labels *labels, const char *name, uint64_t code)
{
    uint16_t slot = labels->by_name[labels->known];
    size_t by_name = place_of_name(labels, name),
           by_half = place_of_half(labels, half(code));
    memmove(&labels->by_name[by_name + 1], &labels->by_name[by_name],
            (labels->known - by_name) * sizeof *labels->by_name);
    memmove(&labels->by_half[by_half + 1], &labels->by_half[by_half],
            (labels->known - by_half) * sizeof *labels->by_half);
    labels->by_name[by_name] = labels->by_half[by_half] = slot;
    labels->known++;
    labels->slot[slot].code = code;
    strcpy(labels->slot[slot].name, name);
    return &labels->slot[slot];
}

static void unlearn(struct labels *labels, struct label *label)
{
    size_t by_name = place_of_name(labels, label->name),
           by_half = place_of_half(labels, half(label->code));
    labels->known--;
    memmove(&labels->by_name[by_name], &labels->by_name[by_name + 1],
            (labels->known - by_name) * sizeof *labels->by_name);
    memmove(&labels->by_half[by_half], &labels->by_half[by_half + 1],
            (labels->known - by_half) * sizeof *labels->by_half);
    labels->by_name[labels->known] = (uint16_t)(label - labels->slot);
    explicit_bzero(label, sizeof *label);
}

int labels_build_in(struct labels *labels, const char *const *names,
                    const uint64_t *codes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (find(labels, codes[i]))
            return fail(MK_EREFUSED,
                        "the model's labels %s and %s cannot be told apart by their "
                        "codes: rename one and train again",
                        find(labels, codes[i])->name, names[i]);
        learn(labels, names[i], codes[i])->built_in = true;
    }
    labels->changed = true;
    return 0;
}

/* Not by name: it may be another person's. */
static int refuse_code(void)
{
    return fail(MK_ECONFLICT,
                "the label's code begins like that of another label: give it "
                "another name");
}

/* Of records[i], whose label is not known: whether it is the first such one. */
static int check_new(const struct record *records, size_t i, bool *ret_first)
{
    for (size_t j = 0; j < i; j++)
        if (half(records[j].label) == half(records[i].label)) {
            *ret_first = false;
            return strcmp(records[j].name, records[i].name) ? refuse_code() : 0;
        }
    *ret_first = true;
    return 0;
}

int labels_check(const struct labels *labels, const struct record *records, size_t n)
{
    size_t known = labels->known;
    for (size_t i = 0; i < n; i++) {
        const struct label *label = find(labels, records[i].label);
        bool first = false;
        if (label && strcmp(label->name, records[i].name))
            return refuse_code();
        int rc = label ? 0 : check_new(records, i, &first);
        if (rc < 0)
            return rc;
        known += first;
    }
    return known > CLASSES_MAX
               ? fail(MK_ECONFLICT, "there would be %zu labels: %d is the limit", known,
                      CLASSES_MAX)
               : 0;
}

/* Whether the label answers. */
static bool answers(const struct label *label)
{
    return label->live > 0 || label->built_in;
}

static void count_live(struct labels *labels, struct label *label, int change)
{
    bool before = answers(label);
    label->live += (uint32_t)change;
    labels->changed |= answers(label) != before;
}

void labels_hold(struct labels *labels, const struct record *record, bool live)
{
    struct label *label = find(labels, record->label)
                              ? held(labels, record->label)
                              : learn(labels, record->name, record->label);
    label->held++;
    count_live(labels, label, live);
}

void labels_release(struct labels *labels, uint64_t code, bool live)
{
    struct label *label = held(labels, code);
    label->held--;
    count_live(labels, label, -live);
    if (label->held == 0 && !label->built_in)
        unlearn(labels, label);
}

void labels_mask(struct labels *labels, uint64_t code, bool masked)
{
    count_live(labels, held(labels, code), masked ? -1 : 1);
}

size_t labels_place(const struct labels *labels, uint64_t code)
{
    return (size_t)(find(labels, code) - labels->slot);
}

const char *labels_name(const struct labels *labels, size_t place)
{
    return labels->slot[place].name;
}

void labels_settle(struct labels *labels)
{
    size_t before = labels->n;
    if (!labels->changed)
        return;
    labels->n = 0;
    for (size_t i = 0; i < labels->known; i++) {
        const struct label *label = &labels->slot[labels->by_name[i]];
        if (!answers(label))
            continue;
        labels->code[labels->n] = label->code;
        labels->name[labels->n++] = label->name;
    }
    /* A code is as good as a name to whoever can guess names. */
    if (labels->n < before)
        explicit_bzero(&labels->code[labels->n],
                       (before - labels->n) * sizeof *labels->code);
    labels->changed = false;
}

struct label_list labels_list(const struct labels *labels)
{
    return (struct label_list){labels->name, labels->code, labels->n};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The memory bank: exact top-k over int8 keys, and removal that leaves nothing behind.
 *
 * Records are rows of four parallel arrays in one mapping that never moves, so that
 * growing leaves no old copy.  A removed row is filled with the last one, which is then
 * wiped: the order of rows never shows, because the order of hits is total.
 */
#include "core/memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/err.h"
#include "core/hidden.h"

enum {
    NO_ROW = UINT32_MAX,
    ALIGNMENT = 64,      /* of a key, for whole vector registers */
    LOCK_STEP = 1 << 20, /* bytes that are locked into RAM at a time */
};

/* What a search reads for every row, beside the key. */
struct rank {
    float scale;
    uint32_t masked;
};

/* What is read of a row that is found, added or dropped. */
struct row {
    uint8_t iid[IID_SIZE];
    uint64_t label;
    uint32_t owner, class;
    uint32_t previous, next; /* rows of the same owner */
};

struct memory {
    pthread_rwlock_t lock;
    uint32_t key_dim;
    size_t stride; /* key_dim rounded up to ALIGNMENT; the padding is zero */
    size_t n, capacity;
    uint8_t *mapping;
    size_t mapping_size;
    int8_t *keys;       /* (capacity, stride) */
    struct rank *ranks; /* (capacity) */
    struct row *rows;   /* (capacity) */
    uint32_t *first;    /* (owners): an owner's first row */
    size_t owners;
    struct labels *labels; /* of an open set, or NULL */
    struct census census;
    struct memory_state state;
    uint64_t epoch;
    size_t locked_rows;
    bool locked;
};

static size_t round_up(size_t value, size_t step)
{
    return (value + step - 1) / step * step;
}

/* Writers first: with the default kind a stream of searches starves a forget for ever. */
static int init_lock(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t kind;
    pthread_rwlockattr_init(&kind);
    pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    int rc = pthread_rwlock_init(lock, &kind);
    pthread_rwlockattr_destroy(&kind);
    return rc;
}

static bool map_arrays(struct memory *bank)
{
    size_t keys = round_up(bank->capacity * bank->stride, LOCK_STEP);
    size_t ranks = round_up(bank->capacity * sizeof *bank->ranks, LOCK_STEP);
    size_t rows = round_up(bank->capacity * sizeof *bank->rows, LOCK_STEP);
    bank->mapping_size = keys + ranks + rows;
    bank->mapping = hidden_new(bank->mapping_size);
    if (!bank->mapping)
        return false;
    bank->keys = (int8_t *)bank->mapping;
    bank->ranks = (struct rank *)(bank->mapping + keys);
    bank->rows = (struct row *)(bank->mapping + keys + ranks);
    return true;
}

struct memory *memory_new(uint32_t key_dim, size_t capacity)
{
    assert(key_dim >= 1 && key_dim <= KEY_DIM_MAX);
    assert(capacity < NO_ROW);
    struct memory *bank = calloc(1, sizeof *bank);
    if (!bank)
        return NULL;
    bank->key_dim = key_dim;
    bank->stride = round_up(key_dim, ALIGNMENT);
    bank->capacity = capacity;
    bank->locked = true;
    if (init_lock(&bank->lock) != 0) {
        free(bank);
        return NULL;
    }
    if (!map_arrays(bank)) {
        memory_free(bank);
        return NULL;
    }
    return bank;
}

void memory_free(struct memory *bank)
{
    if (!bank)
        return;
    if (bank->mapping) {
        explicit_bzero(bank->keys, bank->n * bank->stride);
        explicit_bzero(bank->ranks, bank->n * sizeof *bank->ranks);
        explicit_bzero(bank->rows, bank->n * sizeof *bank->rows);
        hidden_free(bank->mapping, bank->mapping_size);
    }
    labels_free(bank->labels);
    free(bank->first);
    pthread_rwlock_destroy(&bank->lock);
    free(bank);
}

int memory_open_labels(struct memory *bank, const char *const *names,
                       const uint64_t *codes, size_t n)
{
    struct labels *labels = labels_new();
    if (!labels)
        return fail(MK_ENOMEM, "no memory for labels");
    int rc = labels_build_in(labels, names, codes, n);
    if (rc < 0) {
        labels_free(labels);
        return rc;
    }
    labels_settle(labels);
    pthread_rwlock_wrlock(&bank->lock);
    assert(!bank->labels && bank->n == 0);
    bank->labels = labels; /* transferred */
    bank->locked = bank->locked && labels_lock(labels);
    pthread_rwlock_unlock(&bank->lock);
    return 0;
}

/* Locks the pages that rows [0, rows) live on.  A refusal (RLIMIT_MEMLOCK) is remembered
 * and not tried again; whether that is acceptable is the operator's choice, not the
 * bank's. */
static void lock_rows(struct memory *bank, size_t rows)
{
    size_t step = LOCK_STEP / bank->stride;
    while (bank->locked && bank->locked_rows < rows) {
        size_t begin = bank->locked_rows;
        size_t end = begin + step < bank->capacity ? begin + step : bank->capacity;
        bank->locked =
            mlock(bank->keys + begin * bank->stride, (end - begin) * bank->stride) == 0 &&
            mlock(bank->ranks + begin, (end - begin) * sizeof *bank->ranks) == 0 &&
            mlock(bank->rows + begin, (end - begin) * sizeof *bank->rows) == 0;
        bank->locked_rows = end;
    }
}

/* Makes room for owner's entry in the subject index.  The index holds row numbers,
 * nothing personal, so that growing it may leave an old copy. */
static bool know_owner(struct memory *bank, uint32_t owner)
{
    if (owner < bank->owners)
        return true;
    size_t owners = round_up((size_t)owner + 1 + bank->owners, 64);
    uint32_t *first = realloc(bank->first, owners * sizeof *first);
    if (!first)
        return false;
    for (size_t i = bank->owners; i < owners; i++)
        first[i] = NO_ROW;
    bank->first = first;
    bank->owners = owners;
    return true;
}

static void link_row(struct memory *bank, uint32_t r)
{
    struct row *row = &bank->rows[r];
    uint32_t *first = &bank->first[row->owner];
    row->previous = NO_ROW;
    row->next = *first;
    if (*first != NO_ROW)
        bank->rows[*first].previous = r;
    *first = r;
}

/* Tells a row's neighbours in its owner's list that it now stands at `at`. */
static void relink_row(struct memory *bank, const struct row *row, uint32_t at)
{
    if (row->previous != NO_ROW)
        bank->rows[row->previous].next = at;
    else
        bank->first[row->owner] = at;
    if (row->next != NO_ROW)
        bank->rows[row->next].previous = at;
}

static bool owner_is_masked(const struct memory *bank, uint32_t owner)
{
    uint32_t first = bank->first[owner];
    return first != NO_ROW && bank->ranks[first].masked;
}

/* Where the census counts a label that has an instance. */
static size_t place_of(const struct memory *bank, uint64_t label)
{
    return bank->labels ? labels_place(bank->labels, label) : label;
}

static void append(struct memory *bank, const struct record *record)
{
    uint32_t r = bank->n++;
    bool masked = owner_is_masked(bank, record->owner);
    memcpy(bank->keys + r * bank->stride, record->key.q, bank->key_dim);
    bank->ranks[r] = (struct rank){.scale = record->key.scale, .masked = masked};
    struct row *row = &bank->rows[r];
    memcpy(row->iid, record->iid, IID_SIZE);
    row->label = record->label;
    row->owner = record->owner;
    row->class = record->class;
    link_row(bank, r);
    if (bank->labels)
        labels_hold(bank->labels, record, !masked);
    census_add(&bank->census, place_of(bank, record->label), record->class);
    bank->census.masked += masked;
}

static int reserve(struct memory *bank, size_t n, uint32_t owner)
{
    if (n > bank->capacity - bank->n)
        return fail(
            MK_ETOOBIG,
            "%zu instances do not fit: the memory holds %zu of at most %zu; raise "
            "the setting capacity",
            n, bank->n, bank->capacity);
    if (!know_owner(bank, owner))
        return fail(MK_ENOMEM, "no memory for the subject index");
    return 0;
}

static int check_labels(const struct memory *bank, const struct record *records, size_t n)
{
    return bank->labels ? labels_check(bank->labels, records, n) : 0;
}

/* Ends a change. */
static void settle_labels(struct memory *bank)
{
    if (bank->labels)
        labels_settle(bank->labels);
}

int memory_check_labels(struct memory *bank, const struct record *records, size_t n)
{
    pthread_rwlock_rdlock(&bank->lock);
    int rc = check_labels(bank, records, n);
    pthread_rwlock_unlock(&bank->lock);
    return rc;
}

int memory_reserve(struct memory *bank, size_t n, uint32_t owner)
{
    pthread_rwlock_wrlock(&bank->lock);
    int rc = reserve(bank, n, owner);
    pthread_rwlock_unlock(&bank->lock);
    return rc;
}

int memory_add(struct memory *bank, const struct record *records, size_t n,
               const struct memory_state *state)
{
    uint32_t owner = 0;
    for (size_t i = 0; i < n; i++)
        owner = records[i].owner > owner ? records[i].owner : owner;
    pthread_rwlock_wrlock(&bank->lock);
    int rc = reserve(bank, n, owner);
    if (rc == 0 && (rc = check_labels(bank, records, n)) == 0) {
        lock_rows(bank, bank->n + n);
        for (size_t i = 0; i < n; i++)
            append(bank, &records[i]);
        settle_labels(bank);
        bank->state = *state;
    }
    pthread_rwlock_unlock(&bank->lock);
    return rc;
}

/* Fills row r with the last one and wipes what is left over; of the last row with its label the
 * name, too. */
static void remove_row(struct memory *bank, uint32_t r)
{
    uint32_t last = --bank->n;
    census_remove(&bank->census, place_of(bank, bank->rows[r].label),
                  bank->rows[r].class);
    bank->census.masked -= bank->ranks[r].masked;
    if (bank->labels)
        labels_release(bank->labels, bank->rows[r].label, !bank->ranks[r].masked);
    if (r != last) {
        memcpy(bank->keys + r * bank->stride, bank->keys + last * bank->stride,
               bank->stride);
        bank->ranks[r] = bank->ranks[last];
        bank->rows[r] = bank->rows[last];
        relink_row(bank, &bank->rows[r], r);
    }
    explicit_bzero(bank->keys + last * bank->stride, bank->stride);
    explicit_bzero(&bank->ranks[last], sizeof bank->ranks[last]);
    explicit_bzero(&bank->rows[last], sizeof bank->rows[last]);
}

static size_t remove_rows(struct memory *bank, uint32_t owner)
{
    size_t removed = 0;
    while (owner < bank->owners && bank->first[owner] != NO_ROW) {
        uint32_t r = bank->first[owner];
        bank->first[owner] = bank->rows[r].next;
        if (bank->first[owner] != NO_ROW)
            bank->rows[bank->first[owner]].previous = NO_ROW;
        remove_row(bank, r);
        removed++;
    }
    return removed;
}

size_t memory_drop(struct memory *bank, uint32_t owner, const struct memory_state *state)
{
    return memory_drop_all(bank, &owner, 1, state);
}

size_t memory_drop_all(struct memory *bank, const uint32_t *owners, size_t n,
                       const struct memory_state *state)
{
    size_t dropped = 0;
    pthread_rwlock_wrlock(&bank->lock);
    for (size_t i = 0; i < n; i++)
        dropped += remove_rows(bank, owners[i]);
    settle_labels(bank);
    bank->state = *state;
    bank->epoch++;
    pthread_rwlock_unlock(&bank->lock);
    return dropped;
}

static void mask_row(struct memory *bank, uint32_t r, bool masked)
{
    if (bank->ranks[r].masked == masked)
        return;
    if (bank->labels)
        labels_mask(bank->labels, bank->rows[r].label, masked);
    bank->census.masked += masked ? 1 : -1;
    bank->ranks[r].masked = masked;
}

void memory_mask(struct memory *bank, uint32_t owner, bool masked)
{
    pthread_rwlock_wrlock(&bank->lock);
    if (owner < bank->owners)
        for (uint32_t r = bank->first[owner]; r != NO_ROW; r = bank->rows[r].next)
            mask_row(bank, r, masked);
    settle_labels(bank);
    bank->epoch++;
    pthread_rwlock_unlock(&bank->lock);
}

size_t memory_count(struct memory *bank, uint32_t owner)
{
    size_t count = 0;
    pthread_rwlock_rdlock(&bank->lock);
    if (owner < bank->owners)
        for (uint32_t r = bank->first[owner]; r != NO_ROW; r = bank->rows[r].next)
            count++;
    pthread_rwlock_unlock(&bank->lock);
    return count;
}

size_t memory_masked(struct memory *bank, uint32_t owner)
{
    size_t count = 0;
    pthread_rwlock_rdlock(&bank->lock);
    if (owner < bank->owners)
        for (uint32_t r = bank->first[owner]; r != NO_ROW; r = bank->rows[r].next)
            count += bank->ranks[r].masked;
    pthread_rwlock_unlock(&bank->lock);
    return count;
}

void memory_lock_shared(struct memory *bank)
{
    pthread_rwlock_rdlock(&bank->lock);
}

void memory_unlock_shared(struct memory *bank)
{
    pthread_rwlock_unlock(&bank->lock);
}

/* A row that may be among the k nearest. */
struct candidate {
    float similarity;
    uint32_t row;
};

/* "A total order on candidates: similarity descending, then iid ascending (as bytes)". */
static bool comes_before(const struct memory *bank, struct candidate a,
                         struct candidate b)
{
    if (a.similarity != b.similarity)
        return a.similarity > b.similarity;
    return memcmp(bank->rows[a.row].iid, bank->rows[b.row].iid, IID_SIZE) < 0;
}

/* Exact in any order of summation, so that the compiler is free to choose one. */
static inline int32_t dot(const int8_t *restrict a, const int8_t *restrict b, size_t n)
{
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Puts the candidate where it belongs among the n best so far, of which k are kept. */
static size_t insert(const struct memory *bank, struct candidate *best, size_t n,
                     size_t k, struct candidate new)
{
    if (n == k && !comes_before(bank, new, best[n - 1]))
        return n;
    size_t at = n < k ? n : k - 1;
    for (; at > 0 && comes_before(bank, new, best[at - 1]); at--)
        best[at] = best[at - 1];
    best[at] = new;
    return n < k ? n + 1 : k;
}

/* One pass over all keys.  The clones differ in speed only: integer sums have one value.
 */
#ifndef __SANITIZE_THREAD__ /* which cannot run the choice at load time */
__attribute__((target_clones("default", "avx2")))
#endif
static size_t
scan(const struct memory *bank, const struct key *query, size_t k, struct candidate *best)
{
    size_t n = 0;
    for (size_t r = 0; r < bank->n; r++) {
        if (bank->ranks[r].masked)
            continue;
        int32_t product = dot(bank->keys + r * bank->stride, query->q, bank->stride);
        float similarity = (float)product * bank->ranks[r].scale * query->scale;
        if (n == k && similarity < best[n - 1].similarity)
            continue;
        n = insert(bank, best, n, k, (struct candidate){similarity, (uint32_t)r});
    }
    return n;
}

size_t memory_search(const struct memory *bank, const struct key *query, size_t k,
                     struct hit *ret_hits)
{
    struct candidate best[HITS_MAX];
    assert(k <= HITS_MAX);
    size_t n = k > 0 ? scan(bank, query, k, best) : 0;
    for (size_t i = 0; i < n; i++) {
        const struct row *row = &bank->rows[best[i].row];
        struct hit *hit = &ret_hits[i];
        *hit = (struct hit){.similarity = best[i].similarity,
                            .label = row->label,
                            .class = row->class,
                            .key.scale = bank->ranks[best[i].row].scale};
        memcpy(hit->iid, row->iid, IID_SIZE);
        memcpy(hit->key.q, bank->keys + best[i].row * bank->stride, bank->key_dim);
    }
    return n;
}

struct label_list memory_labels(const struct memory *bank)
{
    return bank->labels ? labels_list(bank->labels) : (struct label_list){0};
}

const struct census *memory_census(const struct memory *bank)
{
    return &bank->census;
}

const char *memory_label_name(const struct memory *bank, size_t place)
{
    return bank->labels ? labels_name(bank->labels, place) : NULL;
}

size_t memory_record_size(uint32_t key_dim)
{
    const struct memory *bank = NULL;
    return round_up(key_dim, ALIGNMENT) + sizeof *bank->ranks + sizeof *bank->rows;
}

struct memory_state memory_state(const struct memory *bank)
{
    return bank->state;
}

uint64_t memory_epoch(const struct memory *bank)
{
    return bank->epoch;
}

bool memory_is_locked(const struct memory *bank)
{
    return bank->locked;
}

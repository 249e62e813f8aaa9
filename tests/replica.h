/* SPDX-License-Identifier: Apache-2.0 */
/* A service in process, with a shipped model and real images, for tests that compare two.
 *
 *     model_shipped("T", &shipped);
 *     rc = replica_new(&r, &shipped);          an empty state folder, open
 *     rc = replica_enrol(&r, rows, n);         ids and nonces are fixed by the rows' numbers
 *     rc = replica_forget(&r, &(const char *){"anna"}, 1);
 *     rc = replica_close(&r); rc = replica_open(&r);
 *     replica_remove(&r);                      closes, and removes the folder
 */
#ifndef MUNKEY_TESTS_REPLICA_H
#define MUNKEY_TESTS_REPLICA_H

#include "core/memory.h"
#include "core/model.h"
#include "storage/state.h"

enum { IMAGE_SIZE = 28 * 28 };

struct shipped {
    struct model *model;
    uint8_t sha256[32];
};

/* profile: "T" or "F".  The test fails when the model cannot be read. */
void model_shipped(const char *profile, struct shipped *ret_shipped);

/* (n, IMAGE_SIZE): the test images of Fashion-MNIST, or drawn ones where its package is not
 * installed.  The caller frees. */
uint8_t *test_images(size_t *ret_n);

/* One instance of one subject. */
struct row {
    uint64_t number;
    const char *subject;
    uint32_t label; /* below 10 */
    const uint8_t *pixels;
};

/* What a label is called where the model's labels are open.  The first three are built into
 * model_drawn(). */
const char *label_name(uint32_t label);
void model_drawn(struct shipped *ret_shipped);

struct replica {
    const struct shipped *shipped;
    char folder[128];
    struct state_options options;
    struct memory *bank;
    struct state *state; /* NULL: closed */
    struct scratch *scratch;
};

int replica_new(struct replica *r, const struct shipped *shipped);
int replica_open(struct replica *r);
void replica_close(struct replica *r);
void replica_remove(struct replica *r);

/* Makes the keys with the replica's scratch, in the order of the rows: (n).  n: at most
 * ENROLL_MAX. */
void replica_keys(struct replica *r, const struct row *rows, size_t n,
                  struct key *ret_keys);
int replica_store(struct replica *r, const struct row *rows, const struct key *keys,
                  size_t n);
int replica_enrol(struct replica *r, const struct row *rows, size_t n); /* both */
/* In one transaction. */
int replica_forget(struct replica *r, const char *const *subjects, size_t n);
int replica_restrict(struct replica *r, const char *subject, bool restricted);
int replica_is_restricted(struct replica *r, const char *subject, bool *ret_restricted);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Images that somebody asks about, and what the model says of them: the one path of every
 * prediction, whatever form it is asked and answered in.
 *
 *     struct question question __attribute__((cleanup(question_done))) = {0};
 *     if ((rc = question_open(&question, service, n)) < 0)
 *         return rc;
 *     ... image i into question.pixels + i * shape_size(&question.shape) ...
 *     if ((rc = question_answer(&question, request, ret_reply)) < 0)
 *         return rc;
 *     ... question.p, on the labels and the memory that question says ...
 *
 * From question_answer() on the reply holds the bank's lock, until it is on its way.
 */
#ifndef MUNKEY_API_QUESTION_H
#define MUNKEY_API_QUESTION_H

#include "api/handler.h"
#include "api/image.h"

/* Labels in one reply, which is made under the lock. */
enum { QUESTION_LABELS_MAX = 100000 };

/* What one image retrieved. */
struct retrieved {
    size_t hits, exact;
};

struct question {
    const struct model_info *info;
    struct shape shape;
    size_t n;                    /* images */
    uint8_t *pixels;             /* (n, height, width, channels); owned */
    struct key *key;             /* (n); owned */
    struct retrieved *retrieved; /* (n); owned */
    struct label_list labels;    /* of the memory that all answers rest on */
    struct memory_state memory;  /* that memory */
    float *p;                    /* (n, labels.n); owned */
    size_t *order;               /* (labels.n): of one image at a time; owned */
};

/* What the model reads is known from here on; there is room for n images.  MK_ENOMEM, and MK_ETOOBIG
 * for more than a request may hold. */
int question_open(struct question *question, const struct service *service, size_t n);
void question_done(struct question *question); /* wipes */

/* Whether each image's first so many labels may stand in one reply; MK_ETOOBIG. */
int question_check(const struct question *question, size_t labels);

/* Answers all images on one state of the memory. */
int question_answer(struct question *question, const struct request *request,
                    struct reply *ret_reply);

/* The k labels, or all if there are fewer, that come first for image i: the larger probability, then
 * the smaller index.  ret_order: (k), valid until the next call; returns how many. */
size_t question_first(struct question *question, size_t i, size_t k,
                      const size_t **ret_order);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* One labelled image of a data set: where it is, what it shows, whose it is. */
#ifndef MUNKEY_DAEMON_SAMPLE_H
#define MUNKEY_DAEMON_SAMPLE_H

#include "storage/state.h"

/* What may happen to an image. */
enum split {
    SPLIT_NONE,  /* nothing is said */
    SPLIT_BASE,  /* the weights may see it */
    SPLIT_ENROL, /* it is only enrolled */
    SPLIT_TEST,  /* it is only asked about */
    SPLITS
};

/* Text is borrowed from the data set. */
struct sample {
    uint64_t row;     /* place in the data set, from 0; of an IDX file: which image */
    size_t line;      /* of the manifest, from 1; 0: there is none */
    const char *path; /* below the folder; NULL: it lies in the IDX file */
    const char *name; /* of its label; NULL: labels are numbers */
    uint32_t label;
    enum split split;
    struct subject subject; /* len 0: nobody's */
    struct provenance provenance;
};

#endif

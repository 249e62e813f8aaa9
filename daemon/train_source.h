/* SPDX-License-Identifier: Apache-2.0 */
/* munkey-train's options for its images: where they are, and who may see which.
 *
 *     ... argp with train_source_argp as a child, whose input is &source ...
 *     if ((rc = train_source_open(&source, &data)) < 0)
 *         return rc;
 *     wish = train_source_wish(&source, &data, seed);
 */
#ifndef MUNKEY_DAEMON_TRAIN_SOURCE_H
#define MUNKEY_DAEMON_TRAIN_SOURCE_H

#include <argp.h>

#include "daemon/split.h"

/* Zeros: nothing said.  Text is borrowed from argv. */
struct train_source {
    const char *manifest, *folder; /* at most one; neither: IDX files */
    const char *images, *labels;   /* these, or Fashion-MNIST */
    const char *test_images, *test_labels;
    double base;
    unsigned long split[3];
    bool paper, cut_subjects, open_labels;
};
extern const struct argp train_source_argp;

/* Opens what is to be trained on, or for test what is to be asked about, which a manifest or
 * folder holds beside the others: then nothing is opened, and data stays empty. */
int train_source_open(const struct train_source *source, struct dataset *ret_data);
int train_source_open_test(const struct train_source *source, struct dataset *ret_data);

struct split_wish train_source_wish(const struct train_source *source,
                                    const struct dataset *data, uint64_t seed);

/* What a model of these images is called: "people", "fashion-mnist". */
void train_source_name(const struct train_source *source, char *ret_name, size_t size);

/* The options that say it again, without paths: " --manifest FILE --base 0.4". */
void train_source_text(const struct train_source *source, char *ret_text, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What munkey-train is asked to do.
 *
 *     struct train_options options = train_options_parse(argc, argv);
 */
#ifndef MUNKEY_DAEMON_TRAIN_OPTIONS_H
#define MUNKEY_DAEMON_TRAIN_OPTIONS_H

#include "daemon/train_method.h"
#include "daemon/train_source.h"

struct train_options {
    const char *profile, *out, *checkpoint, *metrics;
    const char *encoder;  /* NULL: trained; or where a frozen one is */
    const char *evaluate; /* NULL: train, or: */
    bool survey;          /* only say what was understood */
    const char *name;
    unsigned long seed, threads, steps_encoder, steps_fusion, batch;
    struct train_source source;
    struct train_choices choices;
};

/* Text is borrowed from argv.  Ends the program when the command line is no such thing. */
struct train_options train_options_parse(int argc, char **argv);

/* The command that makes the same model again on any machine: no paths, no threads. */
void train_options_command(const struct train_options *options, char *ret_line,
                           size_t size);

#endif

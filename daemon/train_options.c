/* SPDX-License-Identifier: Apache-2.0 */
/* What munkey-train is asked to do. */
#include "daemon/train_options.h"

#include <argp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/train_parallel.h"

enum { KEY_ENCODER = 0x300 };

static const struct argp_option known[] = {
    {"profile", 'p', "NAME", 0,
     "F, the default, C: 32x32 and colour, or T: small, for tests", 0},
    {"out", 'o', "FILE", 0, "write the model here", 0},
    {"checkpoint", 'c', "FILE", 0,
     "save the state of training here, every two minutes and when interrupted; go on "
     "from it "
     "if it exists",
     0},
    {"metrics", 'm', "FILE", 0,
     "append the course of training here, as JSON lines: loss, accuracy, images a second",
     0},
    {"encoder", KEY_ENCODER, "FOLDER|MODEL", 0,
     "keys come from the Hugging Face ViT in this folder (config.json, "
     "preprocessor_config.json, model.safetensors), or from this model's encoder, so "
     "that its memories stay valid; frozen: no encoder is trained",
     0},
    {"seed", 's', "N", 0, "the same seed gives the same bits (default 1)", 0},
    {"threads", 't', "N", 0, "default: one for each processor", 0},
    {"steps-encoder", 'E', "N", 0, "default 3500", 0},
    {"steps-fusion", 'F', "N", 0, "default 4500", 0},
    {"batch", 'b', "N", 0, "images a step, a multiple of 8 (default 128)", 0},
    {"name", 'n', "NAME", 0, "what the model calls itself (default: DATA-PROFILE)", 0},
    {"evaluate", 'e', "MODEL", 0,
     "train nothing: enrol the rows that MODEL's weights never saw, and print its "
     "accuracy "
     "on the test images",
     0},
    {"survey", 'y', NULL, 0, "say what was understood of the images, and train nothing",
     0},
    {0},
};

static unsigned long number(const char *text, struct argp_state *state)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n > INT32_MAX)
        argp_error(state, "\"%s\" is not a number", text);
    return n;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct train_options *o = state->input;
    switch (key) {
#define TEXT(letter, name)                                                               \
    case letter:                                                                         \
        o->name = text;                                                                  \
        return 0
#define NUMBER(letter, name)                                                             \
    case letter:                                                                         \
        o->name = number(text, state);                                                   \
        return 0
        TEXT('p', profile);
        TEXT('o', out);
        TEXT('c', checkpoint);
        TEXT('m', metrics);
        TEXT(KEY_ENCODER, encoder);
        TEXT('n', name);
        TEXT('e', evaluate);
        NUMBER('s', seed);
        NUMBER('t', threads);
        NUMBER('E', steps_encoder);
        NUMBER('F', steps_fusion);
        NUMBER('b', batch);
#undef TEXT
#undef NUMBER
    case 'y':
        o->survey = true;
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->source;
        state->child_inputs[1] = &o->choices;
        return 0;
    case ARGP_KEY_END:
        if (!o->threads || o->threads > THREADS_MAX)
            argp_error(state, "1 to %d threads", THREADS_MAX);
        if (!!o->out + !!o->evaluate + o->survey != 1)
            argp_error(state, "say --out FILE to train, --evaluate MODEL to measure, or "
                              "--survey");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static struct train_options defaults(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return (struct train_options){
        .profile = "F",
        .seed = 1,
        .threads = processors < 1             ? 1
                   : processors > THREADS_MAX ? THREADS_MAX
                                              : processors,
        .steps_encoder = 3500,
        .steps_fusion = 4500,
        .batch = 128,
        .choices = train_choices_new(),
    };
}

struct train_options train_options_parse(int argc, char **argv)
{
    const struct argp_child children[] = {
        {&train_source_argp, 0, "Images:", 2},
        {&train_method_argp, 0, "Sizes and choices of the method:", 3},
        {0}};
    const struct argp argp = {
        .options = known,
        .parser = parse_option,
        .doc = "Trains a MUNKEY model on labelled images, or measures one.",
        .children = children};
    struct train_options options = defaults();

    argp_parse(&argp, argc, argv, 0, NULL, &options);
    return options;
}

void train_options_command(const struct train_options *o, char *line, size_t size)
{
    char choices[512], source[256];
    train_choices_text(&o->choices, choices, sizeof choices);
    train_source_text(&o->source, source, sizeof source);
    snprintf(line, size,
             "munkey-train --profile %s%s --seed %lu --batch %lu --steps-encoder %lu "
             "--steps-fusion %lu%s%s",
             o->profile, choices, o->seed, o->batch, o->steps_encoder, o->steps_fusion,
             o->encoder ? " --encoder ENCODER" : "", source);
}

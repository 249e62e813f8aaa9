/* SPDX-License-Identifier: Apache-2.0 */
/* munkey-train's options for sizes and for the choices of the method. */
#include "daemon/train_method.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

enum {
    KEY_SET = 0x100,
    KEY_ATTENTION,
    KEY_TOKENS,
    KEY_RETRIEVE,
    KEY_AGGREGATION,
    KEY_DROP,
    KEY_BLIND,
    KEY_SMOOTHING,
    KEY_UPRIGHT,
    KEY_INVERT,
    KEY_NEW
};

static const struct argp_option options[] = {
    {"set", KEY_SET, "SIZE=N", 0,
     "another size than the profile's: height, width, channels, d, layers, heads, "
     "hidden, "
     "key_dim, label_dim, writer_hidden, token_dim, or stem=32/1,64; may be given again",
     0},
    {"attention", KEY_ATTENTION, "KIND", 0,
     "asym, the default, or sym: every pass sees everything and costs a whole pass", 0},
    {"tokens", KEY_TOKENS, "KIND", 0,
     "writer, the default, or free: each instance learns a token of its own; such a "
     "model "
     "cannot be served",
     0},
    {"retrieve", KEY_RETRIEVE, "KIND", 0,
     "leave-out, the default, or self: a query may retrieve itself in training", 0},
    {"aggregation", KEY_AGGREGATION, "KIND", 0,
     "of the passes: softmax of the similarities, the default, mean or rank", 0},
    {"drop", KEY_DROP, "SHARE", 0,
     "of a query's neighbours, at most, in training (default 0.5)", 0},
    {"blind", KEY_BLIND, "WEIGHT", 0,
     "of the loss of passes that do not see the image (default 0.25)", 0},
    {"invert", KEY_INVERT, NULL, 0,
     "for dark strokes on white paper: white becomes 0, as black is otherwise", 0},
    {"new", KEY_NEW, "SHARE", 0,
     "of open labels, how many a service will be asked about that the weights never met: "
     "how far calibration trusts the memory (default 0.5)",
     0},
    {"no-mirror", KEY_UPRIGHT, NULL, 0,
     "for images whose mirror image is something else, such as writing: do not show half "
     "of "
     "them in a mirror",
     0},
    {"smoothing", KEY_SMOOTHING, "SHARE", 0, "of labels (default 0.1)", 0},
    {0}};

static double fraction(const char *text, struct argp_state *state)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || !(number >= 0 && number <= 1))
        argp_error(state, "\"%s\" is not a number from 0 to 1", text);
    return number;
}

/* Whether text is the second word; it has to be one of the two. */
static bool second(const char *text, const char *first, const char *other,
                   struct argp_state *state)
{
    if (strcmp(text, first) != 0 && strcmp(text, other) != 0)
        argp_error(state, "\"%s\" is neither %s nor %s", text, first, other);
    return strcmp(text, other) == 0;
}

static enum aggregation aggregation(const char *text, struct argp_state *state)
{
    enum aggregation i = 0;
    while (i < AGGREGATIONS && strcmp(text, aggregation_name(i)) != 0)
        i++;
    if (i == AGGREGATIONS)
        argp_error(state, "\"%s\" is neither softmax nor mean nor rank", text);
    return i;
}

static void add_setting(struct train_choices *choices, const char *text,
                        struct argp_state *state)
{
    if (choices->settings == SETTINGS_MAX)
        argp_error(state, "--set was given more than %d times", SETTINGS_MAX);
    choices->setting[choices->settings++] = text;
}

static error_t take(int key, char *text, struct argp_state *state)
{
    struct train_choices *choices = state->input;
    struct train_method *method = &choices->method;
    switch (key) {
    case KEY_SET:
        add_setting(choices, text, state);
        return 0;
    case KEY_ATTENTION:
        choices->symmetric = second(text, "asym", "sym", state);
        return 0;
    case KEY_TOKENS:
        method->free_tokens = second(text, "writer", "free", state);
        return 0;
    case KEY_RETRIEVE:
        method->retrieve_self = second(text, "leave-out", "self", state);
        return 0;
    case KEY_AGGREGATION:
        method->aggregation = aggregation(text, state);
        return 0;
    case KEY_DROP:
        method->drop = fraction(text, state);
        return 0;
    case KEY_BLIND:
        method->blind_weight = fraction(text, state);
        return 0;
    case KEY_SMOOTHING:
        method->smoothing = fraction(text, state);
        return 0;
    case KEY_NEW:
        method->new_labels = fraction(text, state);
        return 0;
    case KEY_INVERT:
        choices->inverted = true;
        return 0;
    case KEY_UPRIGHT:
        method->upright = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp train_method_argp = {options, take, NULL, NULL, NULL, NULL, NULL};

struct train_choices train_choices_new(void)
{
    return (struct train_choices){.method = train_method_default};
}

/* "d=64"; stem comes last of all, since it needs d. */
static int set_size(struct shape *shape, const char *setting)
{
    const char *value = strchr(setting, '=');
    size_t len = value ? (size_t)(value - setting) : strlen(setting), i = 0;
    const char *name;
    char *end;
    while ((name = shape_dimension_name(i)) &&
           (strlen(name) != len || strncmp(name, setting, len) != 0))
        i++;
    unsigned long number = value ? strtoul(value + 1, &end, 10) : 0;
    if (!name || !value || value[1] < '0' || value[1] > '9' || *end ||
        number > UINT16_MAX || strcmp(name, "classes") == 0)
        return fail(MK_EINPUT,
                    "--set %.64s: it takes a size and a number, such as layers=6; --help "
                    "lists the sizes",
                    setting);
    *shape_dimension(shape, i) = (uint32_t)number;
    return 0;
}

int train_choices_apply(const struct train_choices *choices, struct shape *shape)
{
    char stem[STEM_TEXT_SIZE];
    const char *text = stem;
    int rc = 0;
    shape_stem_text(shape, stem);
    for (size_t i = 0; rc == 0 && i < choices->settings; i++)
        if (strncmp(choices->setting[i], "stem=", 5) == 0)
            text = choices->setting[i] + 5;
        else
            rc = set_size(shape, choices->setting[i]);
    shape->symmetric = choices->symmetric;
    shape->inverted = choices->inverted;
    if (rc == 0 && (rc = shape_stem_parse(shape, text)) == 0)
        rc = shape_check(shape);
    return rc;
}

void train_choices_text(const struct train_choices *choices, char *ret_text, size_t size)
{
    const struct train_method *method = &choices->method;
    FILE *out = fmemopen(ret_text, size, "w");
    if (size > 0)
        ret_text[0] = '\0';
    if (!out)
        return;
    for (size_t i = 0; i < choices->settings; i++)
        fprintf(out, " --set %s", choices->setting[i]);
    fputs(choices->inverted ? " --invert" : "", out);
    fputs(choices->symmetric ? " --attention sym" : "", out);
    fputs(method->free_tokens ? " --tokens free" : "", out);
    fputs(method->upright ? " --no-mirror" : "", out);
    fputs(method->retrieve_self ? " --retrieve self" : "", out);
    if (method->aggregation != train_method_default.aggregation)
        fprintf(out, " --aggregation %s", aggregation_name(method->aggregation));
    if (method->drop != train_method_default.drop)
        fprintf(out, " --drop %g", method->drop);
    if (method->blind_weight != train_method_default.blind_weight)
        fprintf(out, " --blind %g", method->blind_weight);
    if (method->new_labels != train_method_default.new_labels)
        fprintf(out, " --new %g", method->new_labels);
    if (method->smoothing != train_method_default.smoothing)
        fprintf(out, " --smoothing %g", method->smoothing);
    fclose(out);
}

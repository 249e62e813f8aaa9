/* SPDX-License-Identifier: Apache-2.0 */
/* munkey-train's options for its images: where they are, and who may see which. */
#include "daemon/train_source.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

#define FASHION_MNIST "/usr/share/datasets/fashion-mnist/"

enum { KEY_BASE = 0x200, KEY_MANIFEST, KEY_MODE, KEY_ALLOW };

static const struct argp_option options[] = {
    {"manifest", KEY_MANIFEST, "FILE", 0,
     "CSV file with the columns path,label and, if known, "
     "subject,split,source,collected_at,"
     "lawful_basis,consent_ref; the images are PNG or JPEG files of any size",
     0},
    {"folder", 'd', "FOLDER", 0,
     "a folder of class folders of images, in train/ and test/ or not", 0},
    {"images", 'i', "FILE", 0,
     "IDX, plain or gzip (default: Debian's dataset-fashion-mnist)", 0},
    {"labels", 'l', "FILE", 0,
     "IDX, plain or gzip; or \"open\": classes may appear that the weights never met, "
     "when "
     "they are enrolled",
     0},
    {"test-images", 'I', "FILE", 0, "IDX, plain or gzip", 0},
    {"test-labels", 'L', "FILE", 0, "IDX, plain or gzip", 0},
    {"base", KEY_BASE, "SHARE", 0,
     "of rows that the weights may see, whole subjects, when no row says base or enrol "
     "(default 0.5)",
     0},
    {"split", 'r', "B1,B2,VAL", 0,
     "how those are shared out to encoder, classifier and calibration (default 12,15,3; "
     "in "
     "paper mode 20,75,5); without --base: numbers of rows of the IDX files",
     0},
    {"mode", KEY_MODE, "MODE", 0,
     "exact, the default, or paper: the weights see every row, and those of the encoder "
     "are "
     "public",
     0},
    {"allow-split-subjects", KEY_ALLOW, NULL, 0,
     "one person's rows may be on both sides of a split", 0},
    {0}};

static void take_split(struct train_source *s, const char *text, struct argp_state *state)
{
    int len = -1;
    if (sscanf(text, "%9lu,%9lu,%9lu%n", &s->split[0], &s->split[1], &s->split[2],
               &len) != 3 ||
        text[len] || !s->split[0] || !s->split[1] || !s->split[2])
        argp_error(state, "a split is three numbers above 0, such as 12000,15000,3000");
}

static void take_base(struct train_source *s, const char *text, struct argp_state *state)
{
    char *end;
    s->base = strtod(text, &end);
    if (end == text || *end || !(s->base > 0 && s->base <= 1))
        argp_error(state, "a share of rows is above 0, and at most 1");
}

static void take_mode(struct train_source *s, const char *text, struct argp_state *state)
{
    s->paper = strcmp(text, "paper") == 0;
    if (!s->paper && strcmp(text, "exact") != 0)
        argp_error(state, "a mode is exact or paper");
}

static void check(const struct train_source *s, struct argp_state *state)
{
    if (!!s->manifest + !!s->folder + (s->images || s->labels) > 1)
        argp_error(state, "images come from a manifest, a folder or IDX files");
    if (s->open_labels && !s->manifest && !s->folder)
        argp_error(state, "--labels open needs names: a manifest or a folder");
    if (!s->images != !s->labels || !s->test_images != !s->test_labels)
        argp_error(state, "images and labels belong together");
    if (s->paper && s->base > 0)
        argp_error(state, "in paper mode the weights see every row: --base has no say");
}

static error_t take(int key, char *text, struct argp_state *state)
{
    struct train_source *s = state->input;
    switch (key) {
#define TEXT(letter, name)                                                               \
    case letter:                                                                         \
        s->name = text;                                                                  \
        return 0
        TEXT(KEY_MANIFEST, manifest);
        TEXT('d', folder);
        TEXT('i', images);
        TEXT('I', test_images);
        TEXT('L', test_labels);
#undef TEXT
    case 'l':
        s->open_labels |= strcmp(text, "open") == 0;
        s->labels = strcmp(text, "open") == 0 ? s->labels : text;
        return 0;
    case 'r':
        take_split(s, text, state);
        return 0;
    case KEY_BASE:
        take_base(s, text, state);
        return 0;
    case KEY_MODE:
        take_mode(s, text, state);
        return 0;
    case KEY_ALLOW:
        s->cut_subjects = true;
        return 0;
    case ARGP_KEY_END:
        check(s, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp train_source_argp = {options, take, NULL, NULL, NULL, NULL, NULL};

/* The labels of Debian's dataset-fashion-mnist are numbers. */
static int name_fashion(struct dataset *data)
{
    static const char *const names[] = {
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot",
    };
    if (!(data->label = calloc(sizeof names / sizeof *names, sizeof *names)))
        return fail(MK_ENOMEM, "no memory for labels");
    memcpy(data->label, names, sizeof names);
    return 0;
}

int train_source_open(const struct train_source *s, struct dataset *ret_data)
{
    if (s->manifest)
        return dataset_open_manifest(s->manifest, ret_data);
    if (s->folder)
        return dataset_open_folder(s->folder, ret_data);
    if (s->images)
        return dataset_open_idx(s->images, s->labels, NULL, ret_data);
    int rc = dataset_open_idx(FASHION_MNIST "train-images-idx3-ubyte.gz",
                              FASHION_MNIST "train-labels-idx1-ubyte.gz", NULL, ret_data);
    return rc == 0 ? name_fashion(ret_data) : rc;
}

int train_source_open_test(const struct train_source *s, struct dataset *ret_data)
{
    if (s->manifest || s->folder)
        return 0;
    if (s->test_images)
        return dataset_open_idx(s->test_images, s->test_labels, NULL, ret_data);
    if (s->images)
        return fail(MK_EINPUT, "IDX files say nothing of what to test with: name images "
                               "and labels that no training has seen");
    return dataset_open_idx(FASHION_MNIST "t10k-images-idx3-ubyte.gz",
                            FASHION_MNIST "t10k-labels-idx1-ubyte.gz", NULL, ret_data);
}

struct split_wish train_source_wish(const struct train_source *s,
                                    const struct dataset *data, uint64_t seed)
{
    const unsigned long *split = s->split;
    double sum = (double)split[0] + (double)split[1] + (double)split[2];
    struct split_wish wish = {
        .base = s->base > 0 ? s->base : .5,
        .b1 = s->paper ? 20 : 12,
        .b2 = s->paper ? 75 : 15,
        .val = s->paper ? 5 : 3,
        .paper = s->paper,
        .cut_subjects = s->cut_subjects,
        .open_labels = s->open_labels,
        .seed = seed,
    };
    if (sum > 0) {
        wish.b1 = (double)split[0];
        wish.b2 = (double)split[1];
        wish.val = (double)split[2];
        if (!data->root && !(s->base > 0))
            wish.base = sum / (double)data->n;
    }
    return wish;
}

/* Of UTF-8 that was cut, what may be half of the last character goes, or all of it. */
static void cut_character(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] & 0xc0) == 0x80)
        len--;
    text[len ? len - 1 : 0] = '\0';
}

void train_source_name(const struct train_source *s, char *ret_name, size_t size)
{
    const char *path = s->manifest ? s->manifest : s->folder ? s->folder : s->images;
    const char *base = path ? path : "fashion-mnist";
    int len;
    for (const char *at = base; (at = strchr(at, '/')) && at[1]; at++)
        base = at + 1;
    len = (int)strcspn(base, s->folder ? "/" : "./");
    if (snprintf(ret_name, size, "%.*s", len, base) >= (int)size)
        cut_character(ret_name);
}

void train_source_text(const struct train_source *s, char *ret_text, size_t size)
{
    FILE *out = fmemopen(ret_text, size, "w");
    if (size > 0)
        ret_text[0] = '\0';
    if (!out)
        return;
    fputs(s->manifest ? " --manifest FILE" : s->folder ? " --folder FOLDER" : "", out);
    fputs(s->paper ? " --mode paper" : "", out);
    if (s->base > 0)
        fprintf(out, " --base %g", s->base);
    if (s->split[0])
        fprintf(out, " --split %lu,%lu,%lu", s->split[0], s->split[1], s->split[2]);
    fputs(s->open_labels ? " --labels open" : "", out);
    fputs(s->cut_subjects ? " --allow-split-subjects" : "", out);
    fclose(out);
}

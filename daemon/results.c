/* SPDX-License-Identifier: Apache-2.0 */
/* The measurements of a study, and their means over seeds. */
#include "daemon/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/files.h"

enum { RESULTS_LIMIT = 256 << 20, SEEDS_MAX = 64 };

struct results {
    json_t *array;
};

/* What the report asks of a line; others may have more members. */
static const struct kind {
    const char *name, *texts, *numbers; /* members that it needs, separated by spaces */
} kinds[] = {
    {"study", "study dataset command machine date version",
     "images tests classes public members held_out epochs oracles threads"},
    {"training", "model forget", "seed rows seconds"},
    {"forgetting", "forget method",
     "seed forgotten ta ra fa auroc rmia tpr null_sd gap agreement kl seconds bytes"},
    {"attack", "forget method view when", "seed auroc rmia tpr null_sd"},
    {"passes", "forget rows when", "seed full null memory"},
    {"exact", "forget", "seed queries different gap"},
    {"price", "", "seed share ta null"},
    {"ablation", "name value", "seed ta null before"},
    {"tuning", "forget method knobs", "seed gap ta seconds"},
    {"cost", "", "seed passes encoder prediction searched record_bytes paper_bytes"},
};

static const struct kind *kind_of(const json_t *line)
{
    const char *name = json_string_value(json_object_get(line, "kind"));
    for (size_t i = 0; name && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* A value that the report can print and compute with. */
static bool suits(const json_t *value, bool text)
{
    if (text)
        return json_is_string(value);
    return json_is_number(value) && fabs(json_number_value(value)) < 1e15;
}

static int check_members(const json_t *line, const char *names, bool text, size_t number)
{
    char name[32];
    while (*names) {
        size_t len = strcspn(names, " ");
        snprintf(name, sizeof name, "%.*s", (int)len, names);
        if (!suits(json_object_get(line, name), text))
            return fail(MK_EINPUT, "line %zu of the results needs a %s \"%s\"", number,
                        text ? "text" : "number below 1e15", name);
        names += len + strspn(names + len, " ");
    }
    return 0;
}

static int check_line(const json_t *line, size_t number)
{
    const struct kind *kind = kind_of(line);
    if (!kind)
        return fail(MK_EINPUT,
                    "line %zu of the results has no \"kind\" that the report knows",
                    number);
    int rc = check_members(line, kind->texts, true, number);
    return rc == 0 ? check_members(line, kind->numbers, false, number) : rc;
}

static int parse_line(const char *text, size_t len, size_t number, json_t *array)
{
    json_error_t error;
    json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!line)
        return fail(MK_EINPUT, "line %zu of the results is no JSON object: %s", number,
                    error.text);
    int rc = check_line(line, number);
    if (json_array_append_new(array, line) < 0 && rc == 0)
        rc = fail(MK_ENOMEM, "no memory for line %zu of the results", number);
    return rc;
}

static int parse(const char *text, size_t len, json_t *array)
{
    const char *end = text + len;
    for (size_t number = 1; text < end; number++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        int rc = parse_line(text, (size_t)(stop - text), number, array);
        if (rc < 0)
            return rc;
        text = stop + 1;
    }
    return 0;
}

int results_read(const char *path, struct results **ret_results)
{
    struct results *results = calloc(1, sizeof *results);
    uint8_t *bytes = NULL;
    size_t len;
    if (!results || !(results->array = json_array())) {
        results_free(results);
        return fail(MK_ENOMEM, "no memory for results");
    }
    int rc = file_read(path, RESULTS_LIMIT, &bytes, &len);
    if (rc == 0 && len == 0)
        rc = fail(MK_EINPUT, "%s is empty: the study has measured nothing yet", path);
    if (rc == 0)
        rc = parse((const char *)bytes, len, results->array);
    free(bytes);
    if (rc < 0)
        results_free(results);
    else
        *ret_results = results;
    return rc;
}

void results_free(struct results *results)
{
    if (results)
        json_decref(results->array);
    free(results);
}

static bool is_one(const json_t *line, const struct which *which)
{
    const char *kind = json_string_value(json_object_get(line, "kind"));
    if (strcmp(kind, which->kind) != 0)
        return false;
    for (size_t i = 0; i < WHICH_MAX && which->is[i].name; i++) {
        const char *is = json_string_value(json_object_get(line, which->is[i].name));
        if (which->is[i].value && (!is || strcmp(is, which->is[i].value) != 0))
            return false;
    }
    const char *forget = json_string_value(json_object_get(line, "forget"));
    if (which->begins && strncmp(forget, which->begins, strlen(which->begins)) != 0)
        return false;
    const json_t *at = which->number ? json_object_get(line, which->number) : NULL;
    return !which->number || json_number_value(at) == which->equals;
}

const json_t *results_next(const struct results *results, const struct which *which,
                           size_t *at)
{
    while (*at < json_array_size(results->array)) {
        const json_t *line = json_array_get(results->array, (*at)++);
        if (is_one(line, which))
            return line;
    }
    return NULL;
}

/* Half of a 95 % interval in standard errors: Student's t with n - 1 degrees of freedom. */
static double student(size_t n)
{
    static const double t[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                               2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                               2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                               2.060,  2.056, 2.052, 2.048, 2.045, 2.042};
    return n - 2 < sizeof t / sizeof *t ? t[n - 2] : 1.96 + 2.4 / (double)(n - 1);
}

/* What each seed has, in the order of the lines. */
struct seeds {
    json_int_t seed[SEEDS_MAX];
    size_t count[SEEDS_MAX], n;
    double mean[SEEDS_MAX];
};

static size_t seed_find(const struct seeds *seeds, json_int_t seed)
{
    size_t i = 0;
    while (i < seeds->n && seeds->seed[i] != seed)
        i++;
    return i;
}

static void seed_add(struct seeds *seeds, json_int_t seed, double value)
{
    size_t i = seed_find(seeds, seed);
    if (i == SEEDS_MAX)
        return;
    if (i == seeds->n) {
        seeds->seed[seeds->n++] = seed;
        seeds->count[i] = 0;
        seeds->mean[i] = 0;
    }
    seeds->count[i]++;
    seeds->mean[i] += (value - seeds->mean[i]) / (double)seeds->count[i];
}

static void collect(const struct results *results, const struct which *which,
                    const char *member, struct seeds *ret_seeds)
{
    size_t at = 0;
    ret_seeds->n = 0;
    for (const json_t *line; (line = results_next(results, which, &at));) {
        const json_t *value = json_object_get(line, member);
        if (suits(value, false))
            seed_add(ret_seeds, json_integer_value(json_object_get(line, "seed")),
                     json_number_value(value));
    }
}

static struct estimate estimate(const double *value, size_t n)
{
    struct estimate e = {.n = n};
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        e.mean += value[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (value[i] - e.mean) * (value[i] - e.mean);
    if (n > 1)
        e.half = student(n) * sqrt(squares / (double)(n - 1) / (double)n);
    return e;
}

struct estimate results_estimate(const struct results *results, const struct which *which,
                                 const char *member)
{
    struct seeds seeds;
    collect(results, which, member, &seeds);
    return estimate(seeds.mean, seeds.n);
}

struct estimate results_difference(const struct results *results, const struct which *a,
                                   const char *member_a, const struct which *b,
                                   const char *member_b)
{
    struct seeds of_a, of_b;
    double difference[SEEDS_MAX];
    size_t n = 0;
    collect(results, a, member_a, &of_a);
    collect(results, b, member_b, &of_b);
    for (size_t i = 0; i < of_a.n; i++) {
        size_t j = seed_find(&of_b, of_a.seed[i]);
        if (j < of_b.n)
            difference[n++] = of_a.mean[i] - of_b.mean[j];
    }
    return estimate(difference, n);
}

double results_sum(const struct results *results, const struct which *which,
                   const char *member)
{
    double sum = 0;
    size_t at = 0;
    for (const json_t *line; (line = results_next(results, which, &at));)
        sum += json_number_value(json_object_get(line, member));
    return sum;
}

size_t results_values(const struct results *results, const struct which *which,
                      const char *member, const char **ret_values, size_t max)
{
    size_t n = 0, i, at = 0;
    for (const json_t *line; n < max && (line = results_next(results, which, &at));) {
        const char *value = json_string_value(json_object_get(line, member));
        for (i = 0; value && i < n && strcmp(ret_values[i], value) != 0; i++)
            ;
        if (value && i == n)
            ret_values[n++] = value;
    }
    return n;
}

size_t results_numbers(const struct results *results, const struct which *which,
                       const char *member, double *ret_values, size_t max)
{
    size_t n = 0, i, at = 0;
    for (const json_t *line; n < max && (line = results_next(results, which, &at));) {
        const json_t *value = json_object_get(line, member);
        for (i = 0; i < n && ret_values[i] != json_number_value(value); i++)
            ;
        if (suits(value, false) && i == n)
            ret_values[n++] = json_number_value(value);
    }
    return n;
}

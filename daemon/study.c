/* SPDX-License-Identifier: Apache-2.0 */
/* A study's file: strict, so that a misspelt member is not a measurement that is missing. */
#include "daemon/study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/files.h"

enum { STUDY_LIMIT = 1 << 20 };

const char *baseline_name(enum baseline baseline)
{
    static const char *const names[] = {"knn", "knn-lm", "rac", "sisa"};
    return (int)baseline < UNLEARN_METHODS ? unlearn_name((enum unlearn_method)baseline)
                                           : names[baseline - BASELINE_KNN];
}

const char *ablation_name(enum ablation ablation)
{
    static const char *const names[ABLATIONS] = {
        "attention", "tokens", "retrieve", "k", "aggregation", "suppress-self", "keys"};
    return names[ablation];
}

/* Whether each member of object is one of the names, which spaces separate. */
static int check_members(const json_t *object, const char *where, const char *names)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        const char *at = names;
        size_t len = strlen(name);
        while ((at = strstr(at, name)) &&
               ((at > names && at[-1] != ' ') || (at[len] != ' ' && at[len] != '\0')))
            at += len;
        if (!at || len == 0)
            return fail(MK_EINPUT, "%s has no member \"%.64s\"; there are: %s", where,
                        name, names);
    }
    return 0;
}

static int take_text(const json_t *object, const char *name, const char **value)
{
    const json_t *found = json_object_get(object, name);
    if (found && !json_is_string(found))
        return fail(MK_EINPUT, "\"%s\" is a text", name);
    if (found)
        *value = json_string_value(found);
    return 0;
}

static int take_number(const json_t *object, const char *name, double least, double most,
                       double *value)
{
    const json_t *found = json_object_get(object, name);
    double number = json_number_value(found);
    if (found && !(json_is_number(found) && number >= least && number <= most))
        return fail(MK_EINPUT, "\"%s\" is a number from %g to %g", name, least, most);
    if (found)
        *value = number;
    return 0;
}

static int take_count(const json_t *object, const char *name, size_t least, size_t most,
                      size_t *value)
{
    const json_t *found = json_object_get(object, name);
    json_int_t number = json_integer_value(found);
    if (found && (!json_is_integer(found) || number < (json_int_t)least ||
                  number > (json_int_t)most))
        return fail(MK_EINPUT, "\"%s\" is a whole number from %zu to %zu", name, least,
                    most);
    if (found)
        *value = (size_t)number;
    return 0;
}

static int take_truth(const json_t *object, const char *name, bool *value)
{
    const json_t *found = json_object_get(object, name);
    if (found && !json_is_boolean(found))
        return fail(MK_EINPUT, "\"%s\" is true or false", name);
    if (found)
        *value = json_is_true(found);
    return 0;
}

static int take_list(const json_t *object, const char *name, size_t most,
                     const json_t **ret_list)
{
    const json_t *found = json_object_get(object, name);
    if (found && (!json_is_array(found) || json_array_size(found) > most))
        return fail(MK_EINPUT, "\"%s\" is a list of at most %zu", name, most);
    *ret_list = found;
    return 0;
}

static int take_source(const json_t *root, struct train_source *s)
{
    const json_t *data = json_object_get(root, "data");
    const struct {
        const char *name, **value;
    } paths[] = {
        {"manifest", &s->manifest},       {"folder", &s->folder},
        {"images", &s->images},           {"labels", &s->labels},
        {"test_images", &s->test_images}, {"test_labels", &s->test_labels},
    };
    int rc = 0;
    if (!data)
        return 0;
    if (!json_is_object(data))
        return fail(MK_EINPUT, "\"data\" is an object");
    rc = check_members(data, "\"data\"",
                       "manifest folder images labels test_images test_labels");
    for (size_t i = 0; rc == 0 && i < sizeof paths / sizeof *paths; i++)
        rc = take_text(data, paths[i].name, paths[i].value);
    if (rc == 0 && (!!s->manifest + !!s->folder + (s->images || s->labels) > 1 ||
                    !s->images != !s->labels || !s->test_images != !s->test_labels))
        rc = fail(MK_EINPUT, "\"data\" is a manifest, a folder, or images and labels");
    return rc;
}

/* As munkey-train's --set takes them. */
static int take_sizes(const json_t *root, struct study *s)
{
    json_t *sizes = json_object_get(root, "sizes"), *value;
    const char *name;
    if (!sizes)
        return 0;
    if (!json_is_object(sizes) || json_object_size(sizes) > SETTINGS_MAX)
        return fail(MK_EINPUT, "\"sizes\" is an object, such as {\"d\": 64}");
    json_object_foreach(sizes, name, value)
    {
        const char *text = json_string_value(value);
        char number[32];
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        char **to = &s->settings[s->choices.settings];
        if (asprintf(to, "%s=%s", name, text ? text : number) < 0) {
            *to = NULL;
            return fail(MK_ENOMEM, "no memory for sizes");
        }
        s->choices.setting[s->choices.settings++] = *to;
    }
    return 0;
}

static int take_seeds(const json_t *root, struct study *s)
{
    const json_t *list;
    int rc = take_list(root, "seeds", STUDY_SEEDS, &list);
    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        const json_t *seed = json_array_get(list, i);
        if (!json_is_integer(seed) || json_integer_value(seed) < 0)
            return fail(MK_EINPUT, "a seed is a whole number, 0 or more");
        s->seed[s->seeds++] = (uint64_t)json_integer_value(seed);
    }
    if (rc == 0 && s->seeds == 0)
        s->seed[s->seeds++] = 1;
    return rc;
}

static const double among_default = .5;

static int name_forget(struct forget_wish *w, const char *kind)
{
    if (w->kind == FORGET_CLASS)
        snprintf(w->name, sizeof w->name, "%s-%u", kind, w->class);
    else if (w->kind == FORGET_MEMORISED && w->among != among_default)
        snprintf(w->name, sizeof w->name, "%s-%g-among-%g", kind, 100 * w->share,
                 100 * w->among);
    else
        snprintf(w->name, sizeof w->name, "%.20s-%g", kind, 100 * w->share);
    return 0;
}

static int parse_forget(const json_t *wish, struct forget_wish *w)
{
    static const char *const kinds[] = {"random", "class", "subjects", "memorised",
                                        "near-duplicates"};
    size_t class = 0, i = 0;
    int rc = check_members(wish, "a forget set",
                           "random class subjects memorised near-duplicates among");
    while (i < sizeof kinds / sizeof *kinds && !json_object_get(wish, kinds[i]))
        i++;
    w->kind = (enum forget_kind)i;
    bool memorised = w->kind == FORGET_MEMORISED;
    w->among = memorised ? among_default : 0;
    if (rc == 0 &&
        (i == sizeof kinds / sizeof *kinds ||
         json_object_size(wish) != 1u + (memorised && json_object_get(wish, "among"))))
        return fail(MK_EINPUT, "a forget set is such as {\"random\": 0.1}, "
                               "{\"class\": 3} or {\"memorised\": 0.05, \"among\": 0.5}");
    if (rc == 0 && w->kind == FORGET_CLASS)
        rc = take_count(wish, kinds[i], 0, CLASSES_MAX - 1, &class);
    else if (rc == 0)
        rc = take_number(wish, kinds[i], 1e-6, .9, &w->share);
    if (rc == 0)
        rc = take_number(wish, "among", 1e-6, .9, &w->among);
    if (rc == 0 && memorised && w->share >= w->among)
        rc = fail(MK_EINPUT, "the memorised are fewer than those that they are among");
    w->class = (uint32_t) class;
    return rc == 0 ? name_forget(w, kinds[i]) : rc;
}

static int take_forgets(const json_t *root, struct study *s)
{
    const json_t *list;
    int rc = take_list(root, "forget", STUDY_FORGETS, &list);
    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++)
        rc = parse_forget(json_array_get(list, i), &s->forget[s->forgets++]);
    for (size_t i = 0; rc == 0 && i < s->forgets; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(s->forget[i].name, s->forget[j].name) == 0)
                return fail(MK_EINPUT, "\"forget\" has %s twice", s->forget[i].name);
    return rc;
}

static int take_price(const json_t *root, struct study *s)
{
    const json_t *list;
    int rc = take_list(root, "price", STUDY_SHARES, &list);
    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        double share = json_number_value(json_array_get(list, i));
        if (!(share > 0 && share <= 1))
            return fail(MK_EINPUT, "\"price\" lists shares above 0, and at most 1");
        s->price[s->prices++] = share;
    }
    return rc;
}

typedef const char *name_of(int number);

static const char *baseline_of(int number)
{
    return baseline_name((enum baseline)number);
}

static const char *ablation_of(int number)
{
    return ablation_name((enum ablation)number);
}

/* A list of names of one kind. */
static int take_names(const json_t *root, const char *member, name_of *name, int names,
                      bool *ret_chosen)
{
    const json_t *list;
    int rc = take_list(root, member, (size_t)names, &list);
    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        int n = 0;
        while (n < names && (!text || strcmp(text, name(n)) != 0))
            n++;
        if (n == names)
            return fail(MK_EINPUT, "\"%s\" does not know \"%.64s\"", member,
                        text ? text : "");
        ret_chosen[n] = true;
    }
    return rc;
}

static int take_all(const json_t *root, struct study *s)
{
    int rc = check_members(
        root, "a study",
        "name data images tests profile sizes epochs encoder_epochs batch rate seeds "
        "oracles shards forget baselines exact ablations price cost mirror invert");
#define TAKE(call)                                                                       \
    if (rc == 0)                                                                         \
    rc = call
    TAKE(take_text(root, "name", &s->name));
    TAKE(take_text(root, "profile", &s->profile));
    TAKE(take_source(root, &s->source));
    TAKE(take_sizes(root, s));
    TAKE(take_count(root, "images", 0, UINT32_MAX, &s->images));
    TAKE(take_count(root, "tests", 0, UINT32_MAX, &s->tests));
    TAKE(take_number(root, "epochs", 1e-3, 1e4, &s->epochs));
    s->encoder_epochs = 3 * s->epochs;
    TAKE(take_number(root, "encoder_epochs", 1e-3, 1e4, &s->encoder_epochs));
    TAKE(take_number(root, "rate", 1e-9, 1, &s->rate));
    TAKE(take_count(root, "batch", 8, 4096, &s->batch));
    TAKE(take_count(root, "oracles", 2, STUDY_ORACLES, &s->oracles));
    TAKE(take_count(root, "shards", 2, 16, &s->shards));
    TAKE(take_seeds(root, s));
    TAKE(take_forgets(root, s));
    TAKE(take_price(root, s));
    TAKE(take_names(root, "baselines", baseline_of, BASELINES, s->baseline));
    TAKE(take_names(root, "ablations", ablation_of, ABLATIONS, s->ablation));
    TAKE(take_truth(root, "exact", &s->exact));
    TAKE(take_truth(root, "cost", &s->cost));
    TAKE(take_truth(root, "mirror", &s->mirror));
    TAKE(take_truth(root, "invert", &s->choices.inverted));
#undef TAKE
    return rc;
}

int study_parse(const char *text, size_t len, struct study *ret_study)
{
    json_error_t error;
    struct study s = {
        .name = "study",
        .profile = "F",
        .choices = train_choices_new(),
        .epochs = 10,
        .rate = 1e-3,
        .batch = 128,
        .oracles = 2,
        .shards = 5,
        .mirror = true,
    };
    s.root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!s.root)
        return fail(MK_EINPUT, "line %d is no JSON: %s", error.line, error.text);
    int rc = json_is_object(s.root) ? take_all(s.root, &s)
                                    : fail(MK_EINPUT, "a study is a JSON object");
    if (rc < 0)
        study_done(&s);
    else
        *ret_study = s;
    return rc;
}

int study_read(const char *path, struct study *ret_study)
{
    uint8_t *bytes;
    size_t len;
    int rc = file_read(path, STUDY_LIMIT, &bytes, &len);
    if (rc < 0)
        return rc;
    rc = study_parse((const char *)bytes, len, ret_study);
    free(bytes);
    return rc < 0 ? fail(rc, "%s: %s", path, err_why()) : 0;
}

void study_done(struct study *study)
{
    for (size_t i = 0; i < study->choices.settings; i++)
        free(study->settings[i]);
    json_decref(study->root);
}

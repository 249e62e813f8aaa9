/* SPDX-License-Identifier: Apache-2.0 */
/* Names of methods and forget sets, and what each is compared with. */
#include "daemon/report_method.h"

#include <stdio.h>
#include <string.h>

static const char ours[] = "munkey-oracle", plain[] = "plain-oracle";
static const struct method known[] = {
    {"munkey", "MUNKEY", GROUP_OURS, ours},
    {"munkey-exact", "MUNKEY, exact", GROUP_OURS, NULL},
    {"munkey-oracle", "MUNKEY oracle", GROUP_ORACLE, NULL},
    {"plain-oracle", "ViT oracle", GROUP_ORACLE, NULL},
    {"finetune", "Finetune", GROUP_POSTHOC, plain},
    {"neggrad", "NegGrad", GROUP_POSTHOC, plain},
    {"neggrad+", "NegGrad+", GROUP_POSTHOC, plain},
    {"random-labels", "Random labels", GROUP_POSTHOC, plain},
    {"salun", "SalUn", GROUP_POSTHOC, plain},
    {"scrub", "SCRUB", GROUP_POSTHOC, plain},
    {"ssd", "SSD", GROUP_POSTHOC, plain},
    {"l1-sparse", "l1-sparse", GROUP_POSTHOC, plain},
    {"bad-teacher", "Bad Teacher", GROUP_POSTHOC, plain},
    {"knn", "kNN", GROUP_DESIGN, NULL},
    {"knn-lm", "kNN-LM mixture", GROUP_DESIGN, NULL},
    {"rac", "RAC", GROUP_DESIGN, NULL},
    {"sisa", "SISA", GROUP_DESIGN, NULL},
    {"munkey-before", "MUNKEY, before", GROUP_BEFORE, ours},
    {"plain", "ViT, before", GROUP_BEFORE, plain},
};
enum { KNOWN = sizeof known / sizeof *known };

static bool is_known(const char *name)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (strcmp(known[i].name, name) == 0)
            return true;
    return false;
}

size_t methods_of(const struct results *results, const char *forget,
                  struct method ret_methods[static METHODS_MAX])
{
    const struct which which = {.kind = "forgetting", .is = {{"forget", forget}}};
    const char *name[METHODS_MAX];
    size_t n = 0, names = results_values(results, &which, "method", name, METHODS_MAX);
    for (size_t k = 0; k < KNOWN; k++)
        for (size_t i = 0; i < names; i++)
            if (strcmp(known[k].name, name[i]) == 0)
                ret_methods[n++] = known[k];
    for (size_t i = 0; i < names; i++)
        if (!is_known(name[i]))
            ret_methods[n++] = (struct method){name[i], name[i], GROUP_OTHER, NULL};
    return n;
}

const char *group_title(enum group group)
{
    static const char *const titles[] = {"Deletion of keys",
                                         "Oracles: retrained without the forget set",
                                         "Post-hoc: the weights are changed",
                                         "Other designs that can delete",
                                         "Other methods",
                                         "Before anything is forgotten"};
    return titles[group];
}

struct title forget_title(const char *forget)
{
    static const struct {
        const char *kind, *before, *after;
    } kinds[] = {
        {"random-", "Random ", " %"},
        {"class-", "Class ", ""},
        {"subjects-", "People, ", " %"},
        {"memorised-", "Most memorised ", " %"},
        {"near-duplicates-", "With near-duplicates kept, ", " %"},
    };
    struct title title;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t len = strlen(kinds[i].kind);
        if (strncmp(forget, kinds[i].kind, len) == 0) {
            snprintf(title.text, sizeof title.text, "%s%.40s%s", kinds[i].before,
                     forget + len, kinds[i].after);
            return title;
        }
    }
    snprintf(title.text, sizeof title.text, "%.90s", forget);
    return title;
}

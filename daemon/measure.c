/* SPDX-License-Identifier: Apache-2.0 */
/* munkey-train --evaluate: how well a model recognises the test images. */
#include "daemon/measure.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/err.h"
#include "daemon/evaluate.h"
#include "daemon/known_data.h"
#include "daemon/model_file.h"

static void print_scores(const struct model_info *info, const struct scores *s)
{
    printf("full           %.2f %%\n", 100 * s->full);
    printf("null pass      %.2f %%   image alone\n", 100 * s->null);
    printf("memory-only    %.2f %%   keys and labels alone, through the classifier\n",
           100 * s->memory_only);
    printf(
        "kNN            %.2f %%   vote of the %u nearest keys, weighted by similarity\n",
        100 * s->knn, info->k);
    printf("kNN            %.2f %%   vote of the %d nearest keys\n", 100 * s->knn_wide,
           KNN_WIDE);
    printf("nearest key    %.2f %%\n", 100 * s->nearest_key);
    printf("nearest pixels %.2f %%   Euclidean, without any model\n",
           100 * s->nearest_pixels);
}

static void print_evaluation(const struct model_info *info, const struct evaluation *e)
{
    printf("%s: %zu enrolled, %zu tested\n", info->name, e->enrolled, e->all.tested);
    print_scores(info, &e->all);
    if (e->unseen.tested == 0)
        return;
    printf("of these, %zu have labels that the weights never met:\n", e->unseen.tested);
    print_scores(info, &e->unseen);
}

static int measure_with(const struct train_options *o, const struct model *model,
                        struct known_data *known)
{
    struct evaluation evaluation;
    const struct dataset *data = &known->data[0];
    uint64_t *codes = NULL;
    int rc = known_data_open(model, &o->source, o->threads, known);
    if (rc == 0)
        rc = pictures_codes(data, model_info(model)->open_labels, data->classes, &codes);
    if (rc < 0)
        return rc;
    const struct label_set labels = {codes, data->classes};
    rc = evaluate(model, &labels, &known->train, &known->test, o->threads, &evaluation);
    free(codes);
    if (rc == 0)
        print_evaluation(model_info(model), &evaluation);
    return rc;
}

int measure(const struct train_options *o)
{
    struct known_data known = {0};
    struct model *model = NULL;
    int rc = model_file_read(o->evaluate, &model);
    if (rc == 0 && model_info(model)->own_tokens > 0)
        rc =
            fail(MK_EINPUT,
                 "%s was trained with --tokens free: its tokens are of its own rows, and "
                 "munkey-eval's ablation of tokens measures such models",
                 o->evaluate);
    if (rc == 0)
        rc = measure_with(o, model, &known);
    model_free(model);
    known_data_done(&known);
    return rc;
}

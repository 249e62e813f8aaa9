/* SPDX-License-Identifier: Apache-2.0 */
/* The course of a training run as JSON lines. */
#include "daemon/train_metrics.h"

#include <sys/resource.h>
#include <time.h>

#include "core/err.h"

enum { EVERY = 50 /* steps */ };

const char *stage_name(enum train_stage stage)
{
    static const char *const names[] = {"encoder", "keys", "classifier", "calibration",
                                        "done"};
    return names[stage];
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int metrics_open(const char *path, size_t batch, struct metrics *ret_metrics)
{
    *ret_metrics = (struct metrics){.path = path, .batch = batch, .stage = STAGE_DONE};
    if (path && !(ret_metrics->out = fopen(path, "ae")))
        return fail(MK_EIO, "cannot write %s: %m", path);
    return 0;
}

static bool counts_steps(enum train_stage stage)
{
    return stage == STAGE_ENCODER || stage == STAGE_FUSION;
}

void metrics_rate(const struct metrics *metrics, const struct train_news *news,
                  double *ret_rate, double *ret_left)
{
    double passed = now() - metrics->began, done = (double)(news->done - metrics->first);
    double images = counts_steps(news->stage) ? (double)metrics->batch : 1;
    *ret_rate = passed > 0 ? done * images / passed : 0;
    *ret_left = done > 0 ? passed / done * (double)(news->total - news->done) : 0;
}

static int flush(const struct metrics *metrics)
{
    if (fflush(metrics->out) == EOF)
        return fail(MK_EIO, "cannot write %s: %m", metrics->path);
    return 0;
}

int metrics_news(struct metrics *metrics, const struct train_news *news)
{
    double rate, left;
    if (news->stage != metrics->stage) {
        metrics->stage = news->stage;
        metrics->first = news->done;
        metrics->began = now();
    }
    if (!metrics->out || (news->done % EVERY && news->done < news->total))
        return 0;
    metrics_rate(metrics, news, &rate, &left);
    fprintf(metrics->out, "{\"time\":%lld,\"stage\":\"%s\",\"done\":%zu,\"total\":%zu,",
            (long long)time(NULL), stage_name(news->stage), news->done, news->total);
    if (counts_steps(news->stage))
        fprintf(metrics->out, "\"loss\":%.6g,\"accuracy\":%.6g,", news->loss,
                news->accuracy);
    fprintf(metrics->out, "\"images_per_second\":%.6g,\"seconds_left\":%.6g}\n", rate,
            left);
    return flush(metrics);
}

int metrics_findings(struct metrics *metrics, const struct train_findings *f,
                     const struct model_info *info)
{
    struct rusage usage;
    if (!metrics->out)
        return 0;
    getrusage(RUSAGE_SELF, &usage);
    fprintf(
        metrics->out,
        "{\"time\":%lld,\"stage\":\"%s\",\"agreement_b2\":%.6g,\"agreement_val\":%.6g,"
        "\"val_loss\":%.6g,\"val_accuracy\":%.6g,\"val_null\":%.6g,\"k\":%u,"
        "\"lambda\":%.6g,\"tau_mix\":%.6g,\"peak_rss_mib\":%ld}\n",
        (long long)time(NULL), stage_name(STAGE_DONE), f->agreement_b2, f->agreement_val,
        f->val_loss, f->val_accuracy, f->val_null, info->k, info->lambda, info->tau_mix,
        usage.ru_maxrss / 1024);
    return flush(metrics);
}

void metrics_close(struct metrics *metrics)
{
    if (metrics->out)
        fclose(metrics->out);
    metrics->out = NULL;
}

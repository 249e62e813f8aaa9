/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a trainer: shown, saved, interrupted, gone on with. */
#include "daemon/train_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "daemon/files.h"
#include "daemon/interrupt.h"
#include "daemon/progress.h"

enum { CHECKPOINT_MAX = 1 << 30, SAVE_EVERY = 120 /* seconds */ };

/* One training run, and how to show it. */
struct train_session {
    struct trainer *trainer;
    const char *checkpoint; /* NULL: none */
    struct metrics *metrics;
    struct progress progress;
    enum train_stage shown;
    time_t saved;
    int rc; /* of saving, or of the metrics */
};

static int save(const struct train_session *s)
{
    void *bytes;
    size_t len;
    int rc = trainer_save(s->trainer, &bytes, &len);
    if (rc < 0)
        return rc;
    rc = file_write(s->checkpoint, bytes, len);
    free(bytes);
    return rc;
}

static void show(struct train_session *s, const struct train_news *news)
{
    bool steps = news->stage == STAGE_ENCODER || news->stage == STAGE_FUSION;
    char note[80] = "";
    double rate, left;
    if (news->stage != s->shown || news->total != s->progress.total) {
        progress_end(&s->progress);
        s->progress = progress_start(stage_name(news->stage), steps ? "steps" : "images",
                                     news->total);
        s->shown = news->stage;
    }
    metrics_rate(s->metrics, news, &rate, &left);
    if (steps)
        snprintf(note, sizeof note, "loss %.4f, accuracy %.1f %%, %.0f images/s",
                 news->loss, 100 * news->accuracy, rate);
    progress_at(&s->progress, news->done, note);
}

static bool tell(void *context, const struct train_news *news)
{
    struct train_session *s = context;
    s->rc = metrics_news(s->metrics, news);
    show(s, news);
    if (s->rc == 0 && s->checkpoint &&
        (interrupt_wanted() || time(NULL) - s->saved >= SAVE_EVERY)) {
        s->rc = save(s);
        s->saved = time(NULL);
    }
    return !interrupt_wanted() && s->rc == 0;
}

static int resume(struct train_session *s)
{
    uint8_t *bytes;
    size_t len;
    if (!s->checkpoint || access(s->checkpoint, F_OK) < 0)
        return 0;
    int rc = file_read(s->checkpoint, CHECKPOINT_MAX, &bytes, &len);
    if (rc < 0)
        return rc;
    rc = trainer_resume(s->trainer, bytes, len);
    free(bytes);
    return rc < 0 ? fail(rc, "%s: %s", s->checkpoint, err_why()) : 0;
}

int train_session_run(struct trainer *trainer, const char *checkpoint,
                      struct metrics *metrics)
{
    struct train_session s = {trainer, checkpoint, metrics, .shown = STAGE_DONE,
                              .saved = time(NULL)};
    interrupt_watch();
    int rc = resume(&s);
    if (rc == 0)
        rc = trainer_run(trainer, tell, &s);
    progress_end(&s.progress);
    if (rc <= 0)
        return rc;
    if (s.rc < 0)
        return s.rc;
    return fail(MK_EBUSY, checkpoint ? "interrupted; the same command goes on"
                                     : "interrupted; nothing was saved");
}

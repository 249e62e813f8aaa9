/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of the database, made while the service goes on. */
#include "storage/backup.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "storage/sql.h"
#include "storage/state_private.h"

enum { STEP_PAGES = 64 }; /* 256 KiB: about a millisecond */

static int begin(struct state *state, const char *path, struct sql_backup **ret_backup)
{
    pthread_mutex_lock(&state->mutex);
    int rc = state_usable(state);
    if (rc == 0)
        rc = store_backup(state->store, path, ret_backup);
    pthread_mutex_unlock(&state->mutex);
    return rc;
}

/* 1 while there is more. */
static int step(struct state *state, struct sql_backup *backup)
{
    pthread_mutex_lock(&state->mutex);
    int rc = state_usable(state);
    if (rc == 0)
        rc = sql_backup_step(backup, STEP_PAGES);
    pthread_mutex_unlock(&state->mutex);
    return rc;
}

static int copy(struct state *state, const char *path, void (*between)(void *context),
                void *context)
{
    struct sql_backup *backup = NULL;
    int rc = begin(state, path, &backup);
    while (rc >= 0 && (rc = step(state, backup)) == 1)
        if (between)
            between(context);
    pthread_mutex_lock(&state->mutex);
    sql_backup_close(backup);
    pthread_mutex_unlock(&state->mutex);
    return rc;
}

static int check_path(const char *path, char ret_part[static PATH_SIZE])
{
    struct stat there;
    if (*path != '/' || strlen(path) > PATH_SIZE - sizeof ".part")
        return fail(MK_EINPUT,
                    "the path of a backup has to be absolute, and shorter than "
                    "%d bytes",
                    PATH_SIZE);
    if (lstat(path, &there) == 0)
        return fail(MK_ECONFLICT, "there is a file of this name already: choose another");
    snprintf(ret_part, PATH_SIZE, "%s.part", path);
    return 0;
}

int state_backup(struct state *state, const char *path, void (*between)(void *context),
                 void *context)
{
    char part[PATH_SIZE];
    int rc = check_path(path, part);
    if (rc < 0)
        return rc;
    unlink(part); /* of a crash */
    if ((rc = disk_create(part)) == 0 && (rc = copy(state, part, between, context)) == 0)
        rc = disk_move(part, path);
    if (rc == 0)
        return 0;
    unlink(part);
    return rc == MK_EIO || rc == MK_EREFUSED
               ? fail(MK_EUNPROCESSABLE,
                      "%s: name a file that munkeyd's own user may write, in its state "
                      "folder for example",
                      strdupa(err_why()))
               : rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The two other places of a database in a state folder. */
#include "storage/aside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"

static const char *const names[] = {"munkeyd.db", "munkeyd.db-wal", "munkeyd.db-journal"};
enum { NAMES = sizeof names / sizeof *names };

/* name in a place; the state folder's own is NULL. */
static int path_of(const struct state *state, const char *place, const char *name,
                   char ret_path[static PATH_SIZE])
{
    char part[64];
    snprintf(part, sizeof part, "%s%s%s", place ? place : "", place ? "/" : "", name);
    return disk_path(state->folder, part, ret_path);
}

static int sweep(const struct state *state, const char *place)
{
    char folder[PATH_SIZE], path[PATH_SIZE];
    int rc = disk_path(state->folder, place, folder);
    if (rc < 0 || !disk_exists(folder))
        return rc;
    for (size_t i = 0; rc == 0 && i < NAMES; i++)
        if ((rc = path_of(state, place, names[i], path)) == 0)
            rc = disk_destroy(path);
    /* What somebody else has put there is theirs. */
    if (rc == 0 && rmdir(folder) < 0 && errno != ENOTEMPTY)
        rc = fail(MK_EIO, "the folder %s cannot be removed: %s", place, strerror(errno));
    return rc < 0 ? rc : disk_sync_folder(state->folder);
}

int aside_sweep_draft(struct state *state)
{
    return sweep(state, "restore");
}

int aside_sweep(struct state *state)
{
    int rc = sweep(state, "restore");
    return rc < 0 ? rc : sweep(state, "aside");
}

static int move(const struct state *state, const char *name, const char *from_place,
                const char *to_place)
{
    char from[PATH_SIZE], to[PATH_SIZE];
    int rc;
    if ((rc = path_of(state, from_place, name, from)) < 0 ||
        (rc = path_of(state, to_place, name, to)) < 0 || !disk_exists(from))
        return rc;
    return disk_move(from, to);
}

/* The database first: without it SQLite reads no WAL.  One that was left in aside/ by a restore
 * that did not come to its end gives way to one that has a name still. */
static int set_aside(struct state *state)
{
    char folder[PATH_SIZE], path[PATH_SIZE];
    int rc;
    if ((rc = disk_path(state->folder, "munkeyd.db", path)) < 0 ||
        (disk_exists(path) && (rc = sweep(state, "aside")) < 0) ||
        (rc = disk_path(state->folder, "aside", folder)) < 0 ||
        (rc = disk_make_folder(folder)) < 0 || (rc = disk_sync_folder(state->folder)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < NAMES; i++)
        rc = move(state, names[i], NULL, "aside");
    return rc;
}

/* A database is its file and the WAL beside it. */
static int copy_pair(const struct state *state, const char *file)
{
    char path[PATH_SIZE], wal[PATH_SIZE];
    int rc = path_of(state, "restore", names[0], path);
    if (rc < 0 || (rc = disk_copy(file, path)) < 0)
        return rc;
    snprintf(wal, sizeof wal, "%s-wal", file);
    if (!disk_exists(wal))
        return 0;
    rc = path_of(state, "restore", names[1], path);
    return rc < 0 ? rc : disk_copy(wal, path);
}

int aside_draft(struct state *state, const char *file, char ret_folder[static PATH_SIZE])
{
    char path[PATH_SIZE];
    int rc;
    if (strlen(file) >= PATH_SIZE - sizeof "-wal")
        return fail(MK_EREFUSED, "the name of the backup is too long");
    if ((rc = disk_path(state->folder, names[0], path)) < 0)
        return rc;
    /* An earlier restore was interrupted before it had moved the WAL, too. */
    if (!disk_exists(path) && (rc = set_aside(state)) < 0)
        return rc;
    if ((rc = sweep(state, "restore")) < 0 ||
        (rc = disk_path(state->folder, "restore", ret_folder)) < 0 ||
        (rc = disk_make_folder(ret_folder)) < 0)
        return rc;
    return copy_pair(state, file);
}

int aside_swap(struct state *state)
{
    int rc = set_aside(state);
    return rc < 0 ? rc : move(state, names[0], "restore", NULL);
}

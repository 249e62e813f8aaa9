/* SPDX-License-Identifier: Apache-2.0 */
/* A study's folder: lines of results, and trained models by the hash of their settings.
 *
 *     rc = study_store_open("study", &store);             FOLDER/results.jsonl, FOLDER/models/
 *     if (!study_store_line(store, "forgetting/1/random-10/munkey"))
 *         rc = study_store_append(store, id, line_take);
 *     rc = study_store_find(store, settings, &about);          1: it is there
 *     rc = study_store_keep(store, settings, bytes, len, about_take);
 *     study_store_close(store);
 */
#ifndef MUNKEY_DAEMON_STUDY_STORE_H
#define MUNKEY_DAEMON_STUDY_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct study_store; /* opaque */

enum { SETTINGS_HEX = 65, STORE_PATH = 4096 };

/* Makes the folder when it is not there.  A last line that was cut off is cut away.  Nobody else
 * has it open: MK_ECONFLICT.  MK_EIO, MK_EINPUT, MK_ENOMEM. */
int study_store_open(const char *folder, struct study_store **ret_store);
void study_store_close(struct study_store *store);

/* The line with this id, borrowed; or NULL. */
const json_t *study_store_line(const struct study_store *store, const char *id);
size_t study_store_lines(const struct study_store *store);

/* The next line of a kind, borrowed; or NULL.  at: where to go on, NULL for the first. */
const json_t *study_store_next(const struct study_store *store, const char *kind,
                               void **at);

/* Adds id and time to a line, and writes it to the disk. */
int study_store_append(struct study_store *store, const char *id, json_t *line_take);

/* SHA-256 of the settings as canonical JSON: sorted, without spaces. */
void study_store_name(const json_t *settings, char ret_hex[static SETTINGS_HEX]);

/* The model of these settings: 1 and what is kept about it, which the caller owns; or 0. */
int study_store_find(const struct study_store *store, const json_t *settings,
                     json_t **ret_about);
int study_store_load(const struct study_store *store, const json_t *settings,
                     uint8_t **ret_bytes, size_t *ret_len);
int study_store_keep(const struct study_store *store, const json_t *settings,
                     const void *bytes, size_t len, json_t *about_take);

/* Seconds that one unit of work has taken in the trainings that are kept; 0: there are none. */
double study_store_pace(const struct study_store *store);

/* Where an interrupted training of these settings is saved; and that it is over. */
void study_store_checkpoint(const struct study_store *store, const json_t *settings,
                            char ret_path[static STORE_PATH]);

#endif

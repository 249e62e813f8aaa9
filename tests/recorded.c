/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of a server in this process.  The file holds METHOD, TARGET and length in a line, and the
 * bytes behind it, again and again; first the document. */
#include "tests/recorded.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct recorded {
    pthread_mutex_t mutex;
    FILE *file;
    const char *folder;
};

struct recorded *recorded_new(const char *document)
{
    const char *folder = getenv("validator");
    char modules[4096];
    snprintf(modules, sizeof modules, "%s/node_modules", folder ? folder : "");
    if (!folder || access(modules, F_OK) < 0)
        return NULL;
    struct recorded *recorded = calloc(1, sizeof *recorded);
    pthread_mutex_init(&recorded->mutex, NULL);
    recorded->folder = folder;
    recorded->file = tmpfile();
    recorded_add(recorded, "document", "", document, strlen(document));
    return recorded;
}

void recorded_add(struct recorded *recorded, const char *method, const char *target,
                  const char *reply, size_t len)
{
    if (!recorded)
        return;
    pthread_mutex_lock(&recorded->mutex);
    fprintf(recorded->file, "%s %s %zu\n", method, target, len);
    fwrite(reply, 1, len, recorded->file);
    pthread_mutex_unlock(&recorded->mutex);
}

void recorded_check(struct recorded *recorded_take)
{
    char command[4096];
    if (!recorded_take)
        return;
    fflush(NULL);
    snprintf(command, sizeof command, "node '%s/recorded.mjs' </proc/self/fd/%d",
             recorded_take->folder, fileno(recorded_take->file));
    if (system(command) != 0)
        abort(); /* it has said which */
    fclose(recorded_take->file);
    free(recorded_take);
}

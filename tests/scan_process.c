/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for bytes in the memory of a running process, the way somebody who took it over would.
 *
 *     scan_process PID <patterns          a pattern a line, in hexadecimal
 *
 * Prints how many of the patterns were found.  Exits 77 when the process may not be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATTERNS_MAX = 4096, PATTERN_MAX = 64, CHUNK = 1 << 20, PAGE = 4096 };

struct pattern {
    unsigned char bytes[PATTERN_MAX];
    size_t len;
    bool found;
};

static struct pattern patterns[PATTERNS_MAX];
static size_t n_patterns;

static void read_patterns(void)
{
    char line[2 * PATTERN_MAX + 2];
    while (n_patterns < PATTERNS_MAX && fgets(line, sizeof line, stdin)) {
        struct pattern *pattern = &patterns[n_patterns];
        for (const char *p = line; sscanf(p, "%2hhx", &pattern->bytes[pattern->len]) == 1;
             p += 2)
            pattern->len++;
        n_patterns += pattern->len > 0;
    }
}

static bool is_zero(const unsigned char *bytes, size_t len)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

/* Page by page, with what surrounds it: most of a process's address space was never written. */
static void search(const unsigned char *bytes, size_t len)
{
    for (size_t at = 0; at < len; at += PAGE) {
        size_t end = len - at < PAGE ? len : at + PAGE;
        size_t from = at < PATTERN_MAX ? 0 : at - PATTERN_MAX;
        size_t to = len - end < PATTERN_MAX ? len : end + PATTERN_MAX;
        if (is_zero(bytes + at, end - at))
            continue;
        for (size_t i = 0; i < n_patterns; i++)
            if (!patterns[i].found &&
                memmem(bytes + from, to - from, patterns[i].bytes, patterns[i].len))
                patterns[i].found = true;
    }
}

/* Neighbouring reads overlap, so that nothing hides on a border. */
static void scan_range(int memory, unsigned long start, unsigned long end)
{
    static unsigned char buffer[CHUNK];
    for (unsigned long at = start; at < end; at += CHUNK - PATTERN_MAX) {
        size_t want = end - at < CHUNK ? end - at : CHUNK;
        ssize_t got = pread(memory, buffer, want, (off_t)at);
        if (got <= 0)
            return; /* mapped, but not to be read */
        search(buffer, (size_t)got);
    }
}

static FILE *open_of(const char *pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    FILE *stream = fopen(path, "r");
    if (!stream) {
        fprintf(stderr, "scan_process: %s: %s\n", path, strerror(errno));
        exit(77);
    }
    return stream;
}

int main(int argc, char **argv)
{
    unsigned long start, end;
    char line[4608], access[8];
    size_t found = 0;
    if (argc != 2)
        return 2;
    read_patterns();
    FILE *maps = open_of(argv[1], "maps"), *memory = open_of(argv[1], "mem");
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %7s", &start, &end, access) == 3 && access[0] == 'r')
            scan_range(fileno(memory), start, end);
    for (size_t i = 0; i < n_patterns; i++)
        found += patterns[i].found;
    printf("%zu\n", found);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for bytes the way somebody who took the machine over would: in the memory of a running
 * process, and in a file or in all files of a folder.
 *
 *     needles list FOLDER MODEL ID | search PID FOLDER        `-` for either: not there
 *
 * Prints where which kind was found, and how many different ones: "process key 60".  Exits 77
 * when the process may not be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    NEEDLES_MAX = 1 << 16,
    NEEDLE_MAX = 64,
    KINDS_MAX = 32,
    STRIDES = 32,                /* words between the words of a vector */
    SPAN = STRIDES * NEEDLE_MAX, /* bytes that a needle can cover */
    CHUNK = 1 << 20,
    PAGE = 4096,
    BUCKETS = 1 << 20,
};

struct needle {
    uint8_t bytes[NEEDLE_MAX];
    size_t len;
    bool words; /* of a vector: also at equal distances, as BLAS packs a matrix */
    bool found;
    unsigned kind;
    struct needle *next; /* in its bucket */
};

static struct needle needles[NEEDLES_MAX], *bucket[BUCKETS];
static size_t n_needles;
static char kinds[KINDS_MAX][16];
static unsigned n_kinds;

static uint32_t word_at(const uint8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static struct needle **bucket_of(uint32_t word)
{
    return &bucket[(word * 2654435761u) >> 12];
}

static unsigned kind_of(const char *name)
{
    unsigned i = 0;
    while (i < n_kinds && strcmp(kinds[i], name))
        i++;
    if (i == n_kinds && i < KINDS_MAX)
        snprintf(kinds[n_kinds++], sizeof kinds[0], "%s", name);
    return i;
}

/* "key 0a1b..." or "token words 0a1b..." */
static void read_needle(char *line)
{
    struct needle *needle = &needles[n_needles];
    char *kind = strtok(line, " \n"), *hex = strtok(NULL, " \n");
    needle->words = hex && !strcmp(hex, "words");
    if (needle->words)
        hex = strtok(NULL, " \n");
    for (; hex && needle->len < NEEDLE_MAX && hex[0] && hex[1]; hex += 2)
        needle->len += sscanf(hex, "%2hhx", &needle->bytes[needle->len]) == 1;
    if (needle->len < 8 || word_at(needle->bytes) == 0) {
        fprintf(stderr,
                "search: a needle has 8 bytes or more, and does not begin with zeros\n");
        exit(2);
    }
    struct needle **head = bucket_of(word_at(needle->bytes));
    needle->kind = kind_of(kind);
    needle->next = *head;
    *head = needle;
    n_needles++;
}

static void read_needles(void)
{
    char line[2 * NEEDLE_MAX + 40];
    while (n_needles < NEEDLES_MAX && fgets(line, sizeof line, stdin))
        read_needle(line);
    if (n_needles == NEEDLES_MAX) {
        fprintf(stderr, "search: more than %d needles\n", NEEDLES_MAX - 1);
        exit(2);
    }
}

static bool words_match(const struct needle *needle, const uint8_t *at, size_t len)
{
    for (size_t stride = 4; stride <= 4 * STRIDES; stride += 4) {
        size_t i = 4;
        while (i < needle->len && i / 4 * stride + 4 <= len &&
               word_at(needle->bytes + i) == word_at(at + i / 4 * stride))
            i += 4;
        if (i == needle->len)
            return true;
    }
    return false;
}

static bool matches(const struct needle *needle, const uint8_t *at, size_t len)
{
    if (needle->words)
        return word_at(needle->bytes) == word_at(at) && words_match(needle, at, len);
    return needle->len <= len && !memcmp(needle->bytes, at, needle->len);
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

static void search(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i + 4 <= len; i++) {
        if (i % PAGE == 0 && len - i >= PAGE && is_zero(bytes + i, PAGE)) {
            i += PAGE - 4; /* what begins in the last bytes may go on behind them */
            continue;
        }
        struct needle *needle = *bucket_of(word_at(bytes + i));
        for (; needle; needle = needle->next)
            if (!needle->found && matches(needle, bytes + i, len - i))
                needle->found = true;
    }
}

/* Neighbouring reads overlap, so that nothing hides on a border. */
static void search_range(int fd, uint64_t start, uint64_t end)
{
    static uint8_t buffer[CHUNK];
    for (uint64_t at = start; at < end; at += CHUNK - SPAN) {
        ssize_t got = pread(fd, buffer, end - at < CHUNK ? end - at : CHUNK, (off_t)at);
        if (got <= 0)
            return; /* mapped, but not to be read */
        search(buffer, (size_t)got);
    }
}

static void report(const char *where)
{
    size_t found[KINDS_MAX] = {0};
    for (size_t i = 0; i < n_needles; i++) {
        found[needles[i].kind] += needles[i].found;
        needles[i].found = false;
    }
    for (unsigned i = 0; i < n_kinds; i++)
        if (found[i] > 0)
            printf("%s %s %zu\n", where, kinds[i], found[i]);
}

/* ---- files ---- */

static size_t prefix; /* bytes of a path up to what is printed of it */

static int search_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)ftw;
    int fd =
        type == FTW_F && S_ISREG(st->st_mode) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    search_range(fd, 0, (uint64_t)st->st_size);
    close(fd);
    report(path + prefix);
    return 0;
}

static void search_files(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0) {
        fprintf(stderr, "search: %s: %s\n", path, strerror(errno));
        exit(2);
    }
    prefix = S_ISDIR(st.st_mode) ? strlen(path) + 1 : 0;
    nftw(path, search_file, 16, FTW_PHYS);
}

/* ---- a process ---- */

static int open_of(const char *pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "search: %s: %s\n", path, strerror(errno));
        exit(77);
    }
    return fd;
}

/* proc(5), pagemap: bit 63 of a page's word, "page present"; bit 62, "page swapped". */
static bool has_page(int pagemap, uint64_t address)
{
    static uint64_t word[4096], first = UINT64_MAX;
    uint64_t page = address / PAGE, block = page / 4096 * 4096;
    if (block != first) {
        ssize_t got = pread(pagemap, word, sizeof word, (off_t)(block * 8));
        memset((char *)word + (got < 0 ? 0 : got), 0, sizeof word - (got < 0 ? 0 : got));
        first = block;
    }
    return word[page - block] >> 62;
}

/* Most of an address space was never written. */
static void search_mapping(int memory, int pagemap, uint64_t start, uint64_t end)
{
    while (start < end) {
        uint64_t stop = start;
        while (stop < end && has_page(pagemap, stop))
            stop += PAGE;
        search_range(memory, start, stop);
        start = stop + PAGE;
    }
}

static void search_process(const char *pid)
{
    unsigned long start, end;
    char line[4608], access[8];
    int memory = open_of(pid, "mem"), pagemap = open_of(pid, "pagemap");
    FILE *maps = fdopen(open_of(pid, "maps"), "r");
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %7s", &start, &end, access) == 3 && access[0] == 'r')
            search_mapping(memory, pagemap, start, end);
    fclose(maps);
    close(memory);
    close(pagemap);
    report("process");
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    read_needles();
    if (strcmp(argv[1], "-"))
        search_process(argv[1]);
    if (strcmp(argv[2], "-"))
        search_files(argv[2]);
    return 0;
}

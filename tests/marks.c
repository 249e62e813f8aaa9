/* SPDX-License-Identifier: Apache-2.0 */
/* Searches all memory of this process for marked floats. */
#include "tests/marks.h"

#include "tests/check.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* Never held in one piece, so that the search does not find the mark that it searches for. */
enum { MARK_LOW = 0x5a17, MARK_HIGH = 0x4bc3 };

void mark(float *ret_values, size_t n)
{
    volatile uint32_t high = MARK_HIGH;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = high << 16 | MARK_LOW;
        memcpy(&ret_values[i], &bits, sizeof bits);
    }
}

/* Eight in a row or more: a register that a thread saved on its stack holds four. */
static size_t marks_between(int memory, uintptr_t begin, uintptr_t end)
{
    enum { PIECE = 1 << 16 };
    uint32_t *piece = malloc(PIECE);
    size_t marks = 0, run = 0;
    volatile uint32_t high = MARK_HIGH;
    for (; begin < end; begin += PIECE) {
        ssize_t n =
            pread(memory, piece, end - begin < PIECE ? end - begin : PIECE, (off_t)begin);
        for (ssize_t i = 0; i < n / 4; i++) {
            bool mark = piece[i] >> 16 == high && (uint16_t)piece[i] == MARK_LOW;
            run = mark ? run + 1 : 0;
            marks += run >= 8;
        }
    }
    explicit_bzero(piece, PIECE);
    free(piece);
    return marks;
}

/* Over all of this process's memory that can be written to, but for the terabytes that a
 * sanitizer reserves for its own notes. */
size_t marks_left(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY);
    uintptr_t begin, end;
    char line[512], writable;
    size_t marks = 0;
    assert_true(maps && memory >= 0);
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " r%c", &begin, &end, &writable) == 3 &&
            writable == 'w' && end - begin < (uintptr_t)1 << 30)
            marks += marks_between(memory, begin, end);
    fclose(maps);
    close(memory);
    return marks;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in a chart, placed so that they do not lie on each other.
 *
 *     struct label label[] = {{"MUNKEY", 120, 40}, {"SCRUB", 124, 44}};
 *     labels_beside(label, 2, &frame);         anywhere around their points
 *     labels_stack(label, 2, &frame);          or in a column at the right
 *     labels_draw(out, label, 2);
 */
#ifndef MUNKEY_DAEMON_CHART_LABEL_H
#define MUNKEY_DAEMON_CHART_LABEL_H

#include <stddef.h>
#include <stdio.h>

struct label {
    const char *text;
    double x, y;        /* the point that it names ... */
    double top, bottom; /* ... and how far its interval reaches */
    double at_x, at_y;  /* where it goes: start of the text, its middle */
    unsigned style;
};

struct frame {
    double left, top, right, bottom;
};

enum { LINE_HEIGHT = 14 };

/* About; fonts differ. */
double label_width(const char *text);

void labels_beside(struct label *label, size_t n, const struct frame *frame);
/* Sorts them by height. */
void labels_stack(struct label *label, size_t n, const struct frame *frame);
void labels_draw(FILE *out, const struct label *label, size_t n);

#endif

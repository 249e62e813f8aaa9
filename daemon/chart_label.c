/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in a chart, placed so that they do not lie on each other. */
#include "daemon/chart_label.h"

#include <math.h>
#include <stdlib.h>

#include "daemon/markup.h"

static const double gap = 9;  /* between a mark and its text */
static const double mark = 5; /* half of a mark's width */

double label_width(const char *text)
{
    double width = 0;
    for (; *text; text++)
        if ((*text & 0xC0) != 0x80) /* the first byte of a character */
            width += *text >= 'A' && *text <= 'Z' ? 8.7 : 6.9;
    return width;
}

static double shared(double from, double to, double other_from, double other_to)
{
    return fmax(0, fmin(to, other_to) - fmax(from, other_from));
}

static double overlap(const struct frame *a, const struct frame *b)
{
    return shared(a->left, a->right, b->left, b->right) *
           shared(a->top, a->bottom, b->top, b->bottom);
}

static struct frame box_of(const struct label *label)
{
    return (struct frame){label->at_x, label->at_y - LINE_HEIGHT / 2.,
                          label->at_x + label_width(label->text),
                          label->at_y + LINE_HEIGHT / 2.};
}

/* What a place costs: what is covered of marks and of earlier texts, and what would stand
 * outside. */
static double cost(const struct label *label, size_t i, size_t n,
                   const struct frame *frame)
{
    const struct frame box = box_of(&label[i]);
    double area = (box.right - box.left) * (box.bottom - box.top);
    double sum = 8 * (area - overlap(&box, frame));
    for (size_t j = 0; j < n; j++) {
        const struct frame point = {
            label[j].x - mark, fmin(label[j].y - mark, label[j].top), label[j].x + mark,
            fmax(label[j].y + mark, label[j].bottom)};
        const struct frame other = box_of(&label[j]);
        sum += 2 * overlap(&box, &point);
        if (j < i)
            sum += 4 * overlap(&box, &other);
    }
    return sum;
}

/* Puts the text at the right (1), the left (-1) or the middle (0) of its point, so many
 * rows below it. */
static void put(struct label *label, int side, int row)
{
    double reach = row == 0 ? gap : gap / 2;
    label->at_x = label->x + side * reach - (1 - side) * label_width(label->text) / 2;
    label->at_y = label->y + row * (LINE_HEIGHT - 1);
}

/* The cheapest place, the nearest first. */
static void place(struct label *label, size_t i, size_t n, const struct frame *frame)
{
    static const int rows[] = {0, -1, 1, -2, 2, -3, 3, -4, 4}, sides[] = {1, -1, 0};
    struct label best = label[i];
    double least = HUGE_VAL;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (size_t s = 0; s < sizeof sides / sizeof *sides; s++) {
            put(&label[i], sides[s], rows[r]);
            double c = cost(label, i, n, frame) + 6 * (double)r + (double)s;
            if ((sides[s] != 0 || rows[r] != 0) && c < least) {
                least = c;
                best = label[i];
            }
        }
    label[i] = best;
}

void labels_beside(struct label *label, size_t n, const struct frame *frame)
{
    for (size_t i = 0; i < n; i++)
        place(label, i, n, frame);
}

static int by_height(const void *a, const void *b)
{
    const struct label *l = a, *m = b;
    return l->y < m->y ? -1 : l->y > m->y;
}

/* From the top each moves below the one before; then from the bottom back into the frame. */
void labels_stack(struct label *label, size_t n, const struct frame *frame)
{
    double floor = frame->bottom;
    qsort(label, n, sizeof *label, by_height);
    for (size_t i = 0; i < n; i++) {
        label[i].at_x = frame->right + 12;
        label[i].at_y = i == 0 ? fmax(label[i].y, frame->top)
                               : fmax(label[i].y, label[i - 1].at_y + LINE_HEIGHT);
    }
    for (size_t i = n; i-- > 0; floor = label[i].at_y - LINE_HEIGHT)
        label[i].at_y = fmin(label[i].at_y, floor);
}

/* A text that had to move away from its point is led back to it. */
static void draw_lead(FILE *out, const struct label *label)
{
    double width = label_width(label->text);
    double x = fmin(fmax(label->x, label->at_x), label->at_x + width);
    if (x == label->at_x)
        x -= 2;
    if (hypot(x - label->x, label->at_y - label->y) > 2 * gap)
        markup(out,
               "<line class=\"lead\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
               label->x, label->y, x, label->at_y);
}

void labels_draw(FILE *out, const struct label *label, size_t n)
{
    for (size_t i = 0; i < n; i++)
        draw_lead(out, &label[i]);
    for (size_t i = 0; i < n; i++)
        markup(out, "<text class=\"name t%d\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
               (int)label[i].style, label[i].at_x, label[i].at_y + 4, label[i].text);
}

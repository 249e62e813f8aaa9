/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, axes and signs of charts. */
#include "daemon/chart_frame.h"

#include "daemon/markup.h"

void chart_open(FILE *out, const struct chart *chart, double width, double height)
{
    static const char *const classes[] = {"chart", "small", "large"};
    markup(out,
           "<svg class=\"%s\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
           "aria-labelledby=\"%s-title %s-about\">\n"
           "<title id=\"%s-title\">%s</title>\n<desc id=\"%s-about\">%s</desc>\n",
           classes[chart->size], width, height, chart->id, chart->id, chart->id,
           chart->title, chart->id, chart->about);
}

void chart_close(FILE *out)
{
    markup(out, "</svg>\n");
}

void chart_x_axis(FILE *out, const struct axis *axis, const struct frame *frame,
                  size_t ticks)
{
    struct tick tick[TICKS_MAX];
    size_t n = scale_ticks(&axis->scale, ticks, tick);
    for (size_t i = 0; i < n; i++) {
        double x = scale_at(&axis->scale, tick[i].value);
        markup(
            out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
            tick[i].text[0] ? "grid" : "grid faint", x, frame->top, x, frame->bottom + 4);
        markup(out, "<text class=\"tick mid\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", x,
               frame->bottom + 17, tick[i].text);
    }
    markup(out,
           "<line class=\"axis\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
           frame->left, frame->bottom, frame->right, frame->bottom);
    markup(out, "<text class=\"axis-title mid\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
           (frame->left + frame->right) / 2, frame->bottom + 36, axis->title);
}

void chart_y_axis(FILE *out, const struct axis *axis, const struct frame *frame,
                  size_t ticks)
{
    struct tick tick[TICKS_MAX];
    size_t n = scale_ticks(&axis->scale, ticks, tick);
    double middle = (frame->top + frame->bottom) / 2;
    for (size_t i = 0; i < n; i++) {
        double y = scale_at(&axis->scale, tick[i].value);
        markup(
            out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
            tick[i].text[0] ? "grid" : "grid faint", frame->left - 4, y, frame->right, y);
        markup(out, "<text class=\"tick end\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
               frame->left - 7, y + 4, tick[i].text);
    }
    markup(out,
           "<line class=\"axis\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
           frame->left, frame->top, frame->left, frame->bottom);
    markup(
        out,
        "<text class=\"axis-title mid\" transform=\"translate(11 %.1f) rotate(-90)\">%s"
        "</text>\n",
        middle, axis->title);
}

void chart_interval(FILE *out, unsigned style, bool upright, double across, double low,
                    double high)
{
    if (upright)
        markup(out,
               "<path class=\"interval s%d\" d=\"M%.1f %.1fV%.1fM%.1f %.1fh6M%.1f "
               "%.1fh6\"/>\n",
               (int)style, across, low, high, across - 3, low, across - 3, high);
    else
        markup(out,
               "<path class=\"interval s%d\" d=\"M%.1f %.1fH%.1fM%.1f %.1fv6M%.1f "
               "%.1fv6\"/>\n",
               (int)style, low, across, high, low, across - 3, high, across - 3);
}

/* Circle, square, diamond, triangle, triangle on its tip, cross. */
void chart_mark(FILE *out, unsigned style, double x, double y)
{
    static const char *const shape[STYLES] = {
        "m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
        "m-4 -4h8v8h-8z",
        "m0 -5.6l5.6 5.6l-5.6 5.6l-5.6 -5.6z",
        "m0 -5.2l5.4 9.4h-10.8z",
        "m0 5.2l5.4 -9.4h-10.8z",
        "m-4 -4l8 8m0 -8l-8 8",
    };
    markup(out, "<path class=\"mark s%d\" d=\"M%.1f %.1f%s\"/>\n", (int)style, x, y,
           shape[style % STYLES]);
}

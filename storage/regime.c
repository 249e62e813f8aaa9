/* SPDX-License-Identifier: Apache-2.0 */
/* Periods for an answer, as the laws state them. */
#include "storage/regime.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "core/err.h"

/* The first is the default. */
static const struct regime regimes[] = {
    /* GDPR Art. 12(3): "within one month of receipt of the request". */
    {"gdpr", 1, 0},
    /* UK GDPR Art. 12(3): the same. */
    {"uk_gdpr", 1, 0},
    /* California Civil Code 1798.130(a)(2)(A): "within 45 days of receiving a verifiable
     * consumer request". */
    {"ccpa", 0, 45},
    /* Code of Virginia 59.1-577(B)(1): "within 45 days of receipt". */
    {"vcdpa", 0, 45},
    /* LGPD (Brazil) Art. 19, II: "no prazo de até 15 (quinze) dias". */
    {"lgpd", 0, 15},
};

int regime_find(const char *name, const struct regime **ret_regime)
{
    for (size_t i = 0; i < sizeof regimes / sizeof *regimes; i++)
        if (!name || !strcmp(name, regimes[i].name)) {
            *ret_regime = &regimes[i];
            return 0;
        }
    return fail(
        MK_EUNPROCESSABLE,
        "`regulation` is not known here; known are: gdpr uk_gdpr ccpa vcdpa lgpd");
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month] + (month == 1 && leap);
}

/* Regulation (EEC, Euratom) No 1182/71, Art. 3(2)(c): a period in months ends on the same date "as
 * the day from which the period runs"; if the last month does not have it, on "the last day of
 * that month". */
int64_t regime_due(const struct regime *regime, int64_t received)
{
    time_t time = received;
    struct tm tm;
    gmtime_r(&time, &tm);
    int month = tm.tm_mon + regime->months;
    tm.tm_year += month / 12;
    tm.tm_mon = month % 12;
    int last = days_of_month(tm.tm_year + 1900, tm.tm_mon);
    tm.tm_mday = tm.tm_mday < last ? tm.tm_mday : last;
    tm.tm_mday += regime->days;
    return timegm(&tm);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* report LINES OUT: writes the report of a study's lines. */
#include <stdio.h>
#include <stdlib.h>

#include "core/err.h"
#include "daemon/report.h"

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: report LINES OUT\n", stderr);
        return 2;
    }
    int rc = report_write(argv[1], argv[2]);
    if (rc < 0)
        fprintf(stderr, "report: %s\n", err_why());
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

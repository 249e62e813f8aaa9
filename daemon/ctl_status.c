/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl status: what the running daemon says about itself. */
#include <stdio.h>
#include <stdlib.h>

#include "core/err.h"
#include "daemon/control.h"
#include "daemon/ctl.h"

static int ask(const struct config *config, void *wishes)
{
    char *body;
    int rc = control_request(config->state, "GET", "/status", NULL, &body);

    (void)wishes;
    if (rc < 0)
        return rc;
    puts(body);
    free(body);
    return 0;
}

int ctl_status(int argc, char **argv)
{
    const struct argp argp = {
        .doc = "Prints what the running daemon says about itself, as JSON.",
        .children = ctl_settings};
    struct config_source source = {0};

    return ctl_run(&argp, argc, argv, &source, ask);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl status: what the running daemon says about itself. */
#include <stdio.h>
#include <stdlib.h>

#include "core/err.h"
#include "daemon/control.h"
#include "daemon/ctl.h"

static int ask(const struct config *config)
{
    char *body;
    int rc = control_request(config->state, "GET", "/status", NULL, &body);

    if (rc < 0)
        return rc;
    puts(body);
    free(body);
    return 0;
}

int ctl_status(int argc, char **argv)
{
    const struct argp_child children[] = {{&config_argp, 0, "Settings:", 0}, {0}};
    const struct argp argp = {
        .doc = "Prints what the running daemon says about itself, as JSON.",
        .children = children};
    struct config_source source = {0};
    struct config config;
    int rc;

    argp_parse(&argp, argc, argv, 0, NULL, &source);
    if ((rc = ctl_config(&source, &config)) < 0)
        return ctl_failed(rc);
    rc = ask(&config);
    config_done(&config);
    return rc < 0 ? ctl_failed(rc) : EXIT_SUCCESS;
}

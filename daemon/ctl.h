/* SPDX-License-Identifier: Apache-2.0 */
/* What munkeyctl's commands are, and what they share.  Each command is a main() of its
 * own and returns an exit status. */
#ifndef MUNKEY_DAEMON_CTL_H
#define MUNKEY_DAEMON_CTL_H

#include "daemon/config.h"

int ctl_init(int argc, char **argv);
int ctl_backup(int argc, char **argv);
int ctl_callbacks(int argc, char **argv);
int ctl_import(int argc, char **argv);
int ctl_token(int argc, char **argv);
int ctl_log(int argc, char **argv);
int ctl_restore(int argc, char **argv);
int ctl_rotate(int argc, char **argv);
int ctl_audit(int argc, char **argv);
int ctl_status(int argc, char **argv);
int ctl_verify(int argc, char **argv);

/* Says why the last failure happened; the exit status for it: 78 when a person has to
 * change something, 1 otherwise. */
int ctl_failed(int rc);

/* Reads the settings and, when root runs munkeyctl on a state folder of another user,
 * writes as that user: files that root made would be closed to the daemon. */
int ctl_config(const struct config_source *source, struct config *ret_config);

/* --config and the settings, for argp.children. */
extern const struct argp_child ctl_settings[];

/* A command from its arguments to its exit status: reads them and the settings, and works.  wishes is
 * what argp fills, and begins with a struct config_source; work returns an exit status or an error. */
int ctl_run(const struct argp *argp, int argc, char **argv, void *wishes,
            int (*work)(const struct config *config, void *wishes));

#endif

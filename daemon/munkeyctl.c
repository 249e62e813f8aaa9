/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's tool: picks the command and hands over. */
#include <argp.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/err.h"
#include "daemon/ctl.h"

const char *argp_program_version = "munkeyctl " PACKAGE_VERSION;

static const struct command {
    const char *name, *doc;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"init", "make a state folder", ctl_init},
    {"import", "enrol images from a manifest or IDX files", ctl_import},
    {"backup", "have the running daemon copy its database", ctl_backup},
    {"restore", "go back to a backup; the erased stay erased", ctl_restore},
    {"token", "make, list and revoke the tokens of callers", ctl_token},
    {"callbacks", "show the secrets of receivers", ctl_callbacks},
    {"status", "ask the running daemon how it is", ctl_status},
    {"audit", "have the running daemon recompute the digest", ctl_audit},
    {"rotate", "change a signing key", ctl_rotate},
    {"log", "audit a log, or print it", ctl_log},
    {"verify", "check a receipt, offline", ctl_verify},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

int ctl_failed(int rc)
{
    fprintf(stderr, "munkeyctl: %s\n", err_why());
    return rc == MK_EREFUSED || rc == MK_EINPUT ? EX_CONFIG : EXIT_FAILURE;
}

/* Turns on what root may do to files, which a change of the file system's user turns off:
 * root may name files that the owner can't read, and reach a folder in one that is closed. */
static int keep_access(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, data) < 0)
        return fail(MK_EIO, "cannot read my capabilities: %m");
    data[0].effective |= data[0].permitted & 1u << CAP_DAC_OVERRIDE;
    if (syscall(SYS_capset, &header, data) < 0)
        return fail(MK_EIO, "cannot keep access to files: %m");
    return 0;
}

static int write_as_owner(const char *folder)
{
    struct stat status;

    if (geteuid() != 0 || stat(folder, &status) < 0 || status.st_uid == 0)
        return 0;
    setfsgid(status.st_gid);
    setfsuid(status.st_uid);
    if (setfsuid(-1) != (int)status.st_uid)
        return fail(MK_EIO, "cannot write as the owner of %s", folder);
    return keep_access();
}

int ctl_config(const struct config_source *source, struct config *ret_config)
{
    int rc;

    if ((rc = config_load(source, ret_config)) < 0)
        return rc;
    if ((rc = write_as_owner(ret_config->state)) < 0)
        config_done(ret_config);
    return rc;
}

const struct argp_child ctl_settings[] = {{&config_argp, 0, "Settings:", 0}, {0}};

int ctl_run(const struct argp *argp, int argc, char **argv, void *wishes,
            int (*work)(const struct config *config, void *wishes))
{
    struct config config;
    int rc;

    argp_parse(argp, argc, argv, 0, NULL, wishes);
    if ((rc = ctl_config(wishes, &config)) < 0)
        return ctl_failed(rc);
    rc = work(&config, wishes);
    config_done(&config);
    return rc < 0 ? ctl_failed(rc) : rc;
}

static int usage(FILE *out, int status)
{
    fputs("usage: munkeyctl COMMAND [OPTION...]\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].doc);
    fputs("\nmunkeyctl COMMAND --help explains a command.\n", out);
    return status;
}

int main(int argc, char **argv)
{
    char name[64];

    if (argc < 2)
        return usage(stderr, EX_USAGE);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return usage(stdout, EXIT_SUCCESS);
    if (strcmp(argv[1], "--version") == 0)
        return puts(argp_program_version) < 0;
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        snprintf(name, sizeof name, "munkeyctl %s", commands[i].name);
        argv[1] = name;
        return commands[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "munkeyctl: there is no command %s\n", argv[1]);
    return usage(stderr, EX_USAGE);
}

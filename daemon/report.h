/* SPDX-License-Identifier: Apache-2.0 */
/* A study's report: one HTML file that needs no other, and no network.
 *
 *     if ((rc = report_write("study/results.jsonl", "report.html")) < 0)
 *         fprintf(stderr, "munkey-eval: %s\n", err_why());
 *
 * What a study lacks is said to be missing.  Equal lines give equal bytes.
 */
#ifndef MUNKEY_DAEMON_REPORT_H
#define MUNKEY_DAEMON_REPORT_H

/* MK_EIO, MK_ENOMEM; MK_EINPUT names the line that cannot be understood. */
int report_write(const char *lines, const char *out);

#endif

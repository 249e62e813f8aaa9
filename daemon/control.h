/* SPDX-License-Identifier: Apache-2.0 */
/* One request to the running daemon through control.sock in its state folder.
 *
 *     rc = control_request(config.state, "GET", "/status", NULL, &status, &body);
 *     if (rc == MK_ENOTFOUND) ... it does not run
 */
#ifndef MUNKEY_DAEMON_CONTROL_H
#define MUNKEY_DAEMON_CONTROL_H

/* json: the request's body, or NULL for none.  ret_body: NUL-terminated, the caller's to free.
 * MK_ENOTFOUND: no daemon listens there; MK_EIO: it did not answer in HTTP. */
int control_request(const char *folder, const char *method, const char *target,
                    const char *json, int *ret_status, char **ret_body);

/* The sentence of a problem document: MK_EINPUT for a status from 400 to 499, MK_EIO for any other
 * but 200 to 299. */
int control_check(int status, const char *body);

#endif

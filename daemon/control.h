/* SPDX-License-Identifier: Apache-2.0 */
/* One request to the running daemon through control.sock in its state folder.
 *
 *     rc = control_request(config.state, "GET", "/status", NULL, &body);
 *     if (rc == MK_ENOTFOUND) ... it does not run
 */
#ifndef MUNKEY_DAEMON_CONTROL_H
#define MUNKEY_DAEMON_CONTROL_H

/* json: the request's body, or NULL for none.  ret_body: NUL-terminated, the caller's to free.
 * MK_ENOTFOUND: no daemon listens there; MK_EIO: it did not answer in HTTP, or could not; MK_EINPUT:
 * it refuses.  The sentence is that of its problem document. */
int control_request(const char *folder, const char *method, const char *target,
                    const char *json, char **ret_body);

#endif

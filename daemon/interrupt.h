/* SPDX-License-Identifier: Apache-2.0 */
/* When somebody wants long work to end: a signal, or a deadline.
 *
 *     interrupt_watch();                     SIGINT and SIGTERM no longer kill
 *     interrupt_after(60);                   minutes
 *     while (!interrupt_wanted()) ...
 */
#ifndef MUNKEY_DAEMON_INTERRUPT_H
#define MUNKEY_DAEMON_INTERRUPT_H

#include <stdbool.h>

void interrupt_watch(void);
void interrupt_after(double minutes);
bool interrupt_wanted(void);

#endif

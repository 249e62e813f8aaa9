/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel knows of this process; 0 where it does not tell. */
#ifndef MUNKEY_API_PROCESS_H
#define MUNKEY_API_PROCESS_H

#include <stdint.h>

uint64_t process_resident_bytes(void);

#endif

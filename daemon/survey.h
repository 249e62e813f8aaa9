/* SPDX-License-Identifier: Apache-2.0 */
/* What was understood of a data set, in counts, for the person who trains on it.
 *
 *     survey_print(&data, &wish, &parts);       to standard output
 *
 * Labels are named, people only counted.
 */
#ifndef MUNKEY_DAEMON_SURVEY_H
#define MUNKEY_DAEMON_SURVEY_H

#include "daemon/split.h"

/* data: as split_data() left it.  MK_ENOMEM. */
int survey_print(const struct dataset *data, const struct split_wish *wish,
                 const struct parts *parts);

/* What can be said when every file was read: copies.  MK_ENOMEM. */
int survey_print_copies(const struct dataset *data, const struct parts *parts);

#endif

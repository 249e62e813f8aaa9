#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same over TLS.
over_tls=yes
. "${top_srcdir:-.}/tests/bad_requests.sh"

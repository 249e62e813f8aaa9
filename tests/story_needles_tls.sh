#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same over TLS: what went through GnuTLS's buffers is gone with the person, too.
over_tls=yes
. "${top_srcdir:-.}/tests/story_needles.sh"

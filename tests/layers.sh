#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Includes go one way, daemon -> api -> storage -> core, and each library has one home.
. "${top_srcdir:-.}/tests/tap.sh"
cd "${top_srcdir:-.}" || bail_out "no source folder"

# What the files of a layer include of the layers that they must not know.
includes_none() {
    layer=$1 above=$2
    ! grep -nE "^ *# *include +[\"<]($above)/" "$layer"/*.c "$layer"/*.h
}

# Files other than its home that include a header.
only_home() {
    header=$1 home=$2
    others=$(grep -lE "^ *# *include +<$header>" ./*/*.[ch] | grep -vxE "\./($home|(tests|examples)/.*)")
    [ -z "$others" ] || { echo "also included by: $others"; return 1; }
}

check "core knows nobody" includes_none core 'storage|api|daemon'
check "storage knows core alone" includes_none storage 'api|daemon'
check "api knows storage and core" includes_none api 'daemon'
# Programs that are run by hand print; what runs for ever has one place that does.
speaks_in_one_place() {
    ! grep -n 'stderr' api/*.c storage/*.c core/*.c daemon/munkeyd.c | grep -v '^api/journal\.c:'
}
check "what the daemon says goes through api/journal.c" speaks_in_one_place
for pair in \
    'cblas.h core/linalg.c' \
    'sqlite3.h storage/sql.c' \
    'openssl/[a-z0-9_]*.h storage/crypto.c' \
    'microhttpd.h api/listener.c' \
    'gnutls/[a-z0-9_]*.h api/tls.c' \
    'png.h api/image.c' \
    'jpeglib.h api/image.c' \
    'curl/[a-z]*.h api/post.c' \
    'zlib.h daemon/idx.c' \
    'confuse.h daemon/config.c' \
    'systemd/sd-daemon.h daemon/munkeyd.c'; do
    header=${pair% *} home=${pair#* }
    check "$header is included by no file but $home" only_home "$header" "$home"
done
finish

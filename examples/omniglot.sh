#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A few-shot manifest of Omniglot: five alphabets for the weights; of three others, which the weights
# never see, the drawings of five people are enrolled and those of fifteen are asked about.
#
#     examples/omniglot.sh ZIPS FOLDER     ZIPS holds the two files; makes FOLDER/people.csv
#     munkey-train --labels open --manifest FOLDER/people.csv --survey
#
# Greek and Latin stand in both files, byte for byte alike, so they are base and left out of the second.
# A drawer's number means one person within an alphabet; across alphabets the files do not say.
set -eu
[ $# -eq 2 ] || { echo "usage: $0 ZIPS FOLDER" >&2; exit 2; }
zips=$(cd "$1" && pwd)
mkdir -p "$2" && cd "$2"
for n in 1 2; do
    unzip -q -o "$zips/omniglot-background-small$n.zip"
done
find images_background_small1 images_background_small2 -name '*.png' | LC_ALL=C sort | awk '
    BEGIN { print "path,label,subject,split" }
    {
        path = $0
        sub(/^images_background_small[12]\//, "")
        split($0, part, "/")
        alphabet = part[1]
        drawer = substr($0, length - 5, 2)
        side = path ~ /small1/ ? "base" : drawer + 0 <= 5 ? "enrol" : "test"
        if (side == "base")
            seen[alphabet] = 1
        if (side == "base" || !(alphabet in seen))
            printf "%s,%s/%s,%s-%s,%s\n", path, alphabet, part[2], alphabet, drawer, side
    }' >people.csv

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Do the tests notice?  Each mutant is munkeyd with one line of its work left out or done
# otherwise, and the test that has to fail on it.  A mutant that lives, and one whose line is no
# longer there, fail this script.
. "${top_srcdir:-.}/tests/tap.sh"
source=$(cd "${top_srcdir:-.}" && pwd)
work=$(mktemp -d) || bail_out "no temporary folder"
trap 'rm -rf "$work"' EXIT
ERASURES=4 && export ERASURES
needles=tests/story_needles.sh order=tests/disk_order.sh hidden=tests/story_hidden.sh

# A mutated file stands before the source folder's in make's search path.
make_in() {
    make --silent -C "$work/build" VPATH="$work/mutant:$source" "$@"
}

build() {
    mkdir -p "$work/build" "$work/mutant" && cd "$work/build" && "$source/configure" --quiet &&
        make_in munkeyd munkeyctl tests/keep_freed.so tests/needles tests/picture tests/search tests/step
}

# Whether a test passes on what is built now; tests/story_needles.sh:WAY is one way of it.  One that
# is skipped has not passed.
passes() {
    ways=
    case $1 in
    *.sh:*) ways=${1#*:} && set -- sh "$source/${1%:*}" ;;
    *.sh) set -- sh "$source/$1" ;;
    *) set -- "$work/build/$1" ;;
    esac
    (cd "$source" && WAYS=$ways top_srcdir=$source top_builddir=$work/build \
        CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "$@") >"$work/log" 2>&1 &&
        ! grep -q '^1\.\.0' "$work/log"
}

# The programs that a test runs.
programs_of() {
    case $1 in
    *.sh*) echo munkeyd munkeyctl tests/step ;;
    *) echo "$1" ;;
    esac
}

dies() {
    file=$1 test=$2
    shift 2
    mkdir -p "$work/mutant/${file%/*}"
    sed -E "$@" "$source/$file" >"$work/mutant/$file"
    for sed; do # each of them
        [ "$sed" = -e ] || ! sed -E "$sed" "$source/$file" | cmp -s - "$source/$file" ||
            { echo "nothing of $file matches $sed"; return 1; }
    done
    rm -f "$work/build/${file%.c}.o"
    make_in $(programs_of "$test") || return 1
    ! passes "$test" || { echo "$test passes"; return 1; }
}

# The object goes, and what make knows of it: that names the mutated file.
forget_object() {
    rm -f "$work/mutant/$1" "$work/build/${1%.c}.o" "$work/build/${1%/*}/.deps/$(basename "$1" .c).Po"
}

# With an argument, only the mutants whose name contains it.
only=${1-}

# mutant NAME FILE TEST -e SED...
mutant() {
    what=$1
    shift
    case $what in *"$only"*) ;; *) return ;; esac
    check "$what: $2 fails" dies "$@"
    forget_object "$1"
}

[ "$(id -u)" = 0 ] || skip_all "some of the tests skip for who is not root"
build >"$work/log" 2>&1 || bail_out "no build to mutate: $(tail -n 1 "$work/log")"
for test in $needles:predicted $order tests/test_forget tests/test_hold tests/test_keyring tests/test_memory \
    tests/test_predict tests/test_state tests/test_callback tests/test_rate $hidden; do
    make_in $(programs_of $test)
    check "$test passes on munkeyd as it is" passes $test
done

# On the disk.
mutant "slots are not zeroed" storage/forget.c tests/test_forget \
    -e '/^static int zero_slot/,/^}/s/return .*, zeros\);/return 0;/'
mutant "the WAL is not zeroed" storage/store.c $order \
    -e 's/\(rc = wal_zero\(fd\)\) == 0 && //'
mutant "the WAL's header is not zeroed first" storage/wal.c $order \
    -e 's/!disk_zero\(fd, 0, WAL_HEADER\) \|\| !disk_zero\(fd, WAL_HEADER, /!disk_zero(fd, 0, /'
mutant "the WAL is not cut" storage/store.c $order \
    -e 's/\(rc = sql_checkpoint\(store->sql, SQL_CUT\)\) == 0/(rc = 0) == 0/'
mutant "the WAL's cut is not synced" storage/store.c $order -e 's/\(fsync\(fd\) < 0 \|\| /(/'
mutant "the keyring's record is not zeroed" storage/keyring.c tests/test_keyring \
    -e 's/return n == 0 \|\| write_through\(.*/return 0;/'
mutant "the keyring is not synced" storage/keyring.c $order \
    -e 's/rc = keyring_copy_sync\(&keyring->copy\[c\]\);/rc = 0;/'
mutant "no tombstone" storage/forget.c $order \
    -e 's/all->owners > 0 \? ledger_append_refs\(.*\) : 0;/0;/'
mutant "the tombstone is not synced" storage/ledger.c $order \
    -e 's/return sync_file\(ledger->refs, "tombstones"\);/return 0;/'
mutant "the entry is not synced" storage/ledger.c $order \
    -e 's/return rc < 0 \? rc : sync_file\(ledger->entries, "entries"\);/return rc;/'
mutant "the entry before the tombstone" storage/forget.c $order \
    -e 's/int rc = all->owners > 0 \? ledger_append_refs\(.*/int rc = change_publish(state, \&all->change);/' \
    -e 's/return rc < 0 \? rc : change_publish\(.*/return rc < 0 ? rc : ledger_append_refs(state->ledger, ref, all->owners);/'
mutant "the data key before the ledger" storage/forget.c $order \
    -e 's/if \(\(rc = tell_ledger\(all\)\) < 0 \|\|/if (/' \
    -e 's/(\(rc = keyring_destroy\(.*\)\) < 0)\)$/\1 || (rc = tell_ledger(all)) < 0)/'
mutant "the digest is not compared at the start" storage/compare.c tests/test_state \
    -e '/^int compare_memory/,/^}/s/rc = fail\(/fail(/'
if mount -t tmpfs none "$work" 2>"$work/why"; then
    umount "$work"
    make_in munkeyd
    check "tests/erasures.sh passes on munkeyd as it is" passes tests/erasures.sh
    mutant "the WAL's blocks are given back as they are" storage/store.c tests/erasures.sh \
        -e 's/\(rc = wal_zero\(fd\)\) == 0 && //'
fi

# In the memory.
mutant "the page link names the person" api/subjects.c $needles:exported \
    -e 's/"<\?cursor=%llu%s>; /"<%s?cursor=%llu%s>; /' -e 's/\(unsigned long long\)held\.next,/request->raw_path, &/'
mutant "a key stays in the bank" core/memory.c $needles:octet-stream \
    -e 's/explicit_bzero\(bank->keys \+ last.*//'
mutant "a row stays in the bank" core/memory.c $needles:octet-stream \
    -e 's/explicit_bzero\(&bank->rows\[last\].*//'
mutant "a label's name stays in the bank" core/labels.c tests/test_labels \
    -e 's/explicit_bzero\(label, .*//'
mutant "threads keep their activations" api/http.c $needles:predicted \
    -e 's/lanes_wipe\(service->lanes\);/;/'
mutant "OpenBLAS keeps its buffers" api/http.c $needles:octet-stream \
    -e 's/model_scrub\(service->model\);//'
mutant "hits stay on the stack" api/question.c $needles:predicted -e 's/explicit_bzero\(hits, .*//'
mutant "JSON values are not wiped" api/json.c $needles:json \
    -e 's/alloc_funcs\(malloc, free_zeroed/alloc_funcs(malloc, free/'
mutant "bodies and replies are not wiped" api/reply.c $needles:octet-stream \
    -e 's/explicit_bzero\(blob->data, blob->len\);/;/'
mutant "the target as it was sent is not wiped" api/exchange.c $needles:restricted \
    -e 's/explicit_bzero\(x->raw, .*//'
mutant "the decoded target is not wiped" api/target.c $needles:restricted \
    -e 's/explicit_bzero\(target->copy, .*/;/'
mutant "connections have memory of malloc" api/listener.c $needles:restricted \
    -e 's/CONNECTION_MEMORY = 64 << 10/CONNECTION_MEMORY = 32 << 10/'
mutant "enrolled pixels are not wiped" api/instances.c $needles:octet-stream \
    -e 's/explicit_bzero\(batch->pixels, .*/;/'
mutant "enrolled keys are not wiped" api/instances.c $needles:octet-stream \
    -e 's/explicit_bzero\(batch->instance, .*/;/'
mutant "decoded pictures are not wiped" api/pixels.c $needles:png \
    -e '/if \(image->pixels\)/,/channels\);/d'
mutant "libpng's memory is not wiped" api/image.c $needles:png \
    -e '/^static void png_put_back/,/^}/s/free_zeroed/free/'
mutant "libjpeg's memory is not wiped" api/image.c $needles:jpeg \
    -e '/^void jpeg_free_small.*\)$/,/^}/s/free_zeroed/free/'
mutant "GnuTLS's memory is not wiped" api/tls.c tests/story_needles_tls.sh:octet-stream \
    -e 's/gnutls_free = wipe_and_free;/(void)wipe_and_free;/'
mutant "SQLite's memory is not wiped" storage/zeroing.c $needles:restricted \
    -e 's/crypto_wipe\(memory, \(size_t\)zeroing_size.*//'
mutant "a batch's rows are not wiped" storage/batch.c $needles:octet-stream \
    -e 's/crypto_wipe\(batch->row, .*/;/'
mutant "a batch's records are not wiped" storage/batch.c $needles:octet-stream \
    -e 's/crypto_wipe\(batch->record, .*/;/'
mutant "an export is not wiped" storage/subject.c $needles:exported \
    -e 's/crypto_wipe\(held->instance, .*/;/'
mutant "opened slots stay on the stack" storage/slot.c $needles:exported \
    -e 's/crypto_wipe\(plain, .*//'
mutant "keys in the digest stay on the stack" storage/digest.c $needles:octet-stream \
    -e 's/crypto_wipe\(bytes, len\);//'
mutant "data keys stay with readers" storage/read.c $needles:exported \
    -e 's/crypto_wipe\(reader, .*//'
mutant "salts stay with their petitions" storage/petition.c $needles:restricted \
    -e 's/crypto_wipe\(petition, .*//'
mutant "others of its user may read its memory" daemon/munkeyd.c $hidden \
    -e 's/^    hide_memory\(\);//'
mutant "only the bank is locked" daemon/munkeyd.c $hidden -e 's/^    lock_memory\(\);//'
mutant "the bank is not locked" core/memory.c $hidden -e 's/^        lock_rows\(.*//'
mutant "the bank is in dumps" core/hidden.c $hidden -e 's/madvise\(.*DONTDUMP\);//'

# What is answered.
mutant "a reply is sent after the bank's lock" api/predict.c tests/test_predict \
    -e 's/return reply_json\(ret_reply, 200, answer/memory_unlock_shared(ret_reply->locked); ret_reply->locked = NULL; &/'
mutant "a reply that stays is sent after the erasure's" api/outbox.c tests/test_in_flight -e 's/shutdown\(outgoing->fd, SHUT_RDWR\);//'
mutant "ties go by place" core/memory.c tests/test_memory \
    -e 's/return memcmp\(bank->rows\[a\.row\]\.iid.*/return a.row < b.row;/'
mutant "labels go by arrival" core/labels.c tests/test_labels \
    -e '/^static size_t place_of_name/,/^}/s/return begin;/return labels->known;/'
mutant "labels go by their number in the model" core/labels.c tests/test_predict \
    -e '/^static size_t place_of_name/,/^}/s/return begin;/return labels->known;/'
mutant "a restricted person's label answers" core/labels.c tests/test_labels \
    -e 's/count_live\(labels, held\(labels, code\), .*//'
mutant "a batch keeps the labels of the memory before" api/question.c tests/test_predict \
    -e '/attempt\+\+;/,/break;/s/\(rc = take_labels\(request->service, question\)\) < 0/0/'
mutant "a label like another is found out after the commit" storage/enroll.c tests/test_open_labels \
    -e 's/ && \(rc = batch_check\(state, batch\)\) == 0\)/)/'
mutant "names are not looked at when a slot is opened" storage/scan.c tests/test_open_labels \
    -e 's/named == state->shape\.open_labels/named || !named/'
mutant "labels that the model does not know are taken" storage/scan.c tests/test_state \
    -e 's/instance->label >= state->shape\.classes/false/'
mutant "those who go together go one by one" core/memory.c tests/test_memory \
    -e 's/dropped \+= remove_rows\(bank, owners\[i\]\);/dropped += remove_rows(bank, owners[i]), bank->state = *state, pthread_rwlock_unlock(\&bank->lock), usleep(1), pthread_rwlock_wrlock(\&bank->lock);/'
mutant "no new epoch" core/memory.c tests/test_memory -e 's/bank->epoch\+\+;//'
mutant "a hold is ignored" storage/keyring.c tests/test_hold \
    -e 's/return record->flags & FLAG_HELD &&/return 0 \&\&/'

mutant "an init writes over the mirror's keys" storage/init.c tests/test_state -e 's/mirror && holds_keys\(mirror\)/false/'
mutant "a refused start unlinks the WAL" storage/state.c tests/test_state -e 's/store_leave\(/store_close(/'
mutant "a lifting clears a later flag" storage/restrict.c tests/test_restrict -e 's/settle_lifting\(state, ref\)/0/'
mutant "other labels are a repeat" storage/enroll.c tests/test_enroll -e 's/held == n && same == n/held == n/'
mutant "fewer are a repeat" storage/enroll.c tests/test_enroll -e 's/held == n && same == n/same == n/'

# Who is told, and how often somebody may ask.
mutant "an erasure that is rolled back has a callback" storage/forget.c tests/test_callback \
    -e 's/callback_give_back\(all->state, .*/;/'
mutant "an erasure that a restore undoes is told" storage/callback.c tests/test_callback -e 's/undone = !\*entry\.kid;//'
mutant "an erasure that a restore leaves out is told" storage/callback.c tests/test_callback \
    -e 's/undone = callback\.n >= store_entries\(state->store\);//'
mutant "a callback that was taken stays on the disk" storage/callback.c tests/test_callback \
    -e 's/rc = store_callback_write\(state->store, rows\[i\], zeros\);//'
mutant "a callback that was taken stays in the WAL" storage/callback.c tests/test_callback \
    -e 's/store_empty_wal\(state->store\)/0/'
mutant "nobody wakes the courier" storage/callback.c tests/test_callback \
    -e 's/state->callbacks\.wake\(state->callbacks\.context\);/;/'
mutant "a callback that was refused is taken for delivered" api/courier.c tests/story_callbacks.sh \
    -e 's/posted\.status < 200 \|\| posted\.status > 299/posted.status == 0/'
mutant "nobody is limited" api/rate.c tests/test_rate -e 's/bool some = .*/bool some = true;/'
mutant "all callers share a limit" api/rate.c tests/test_rate -e 's/bucket->caller == caller/true/'
mutant "a flood of callers frees those who are limited" api/rate.c tests/test_rate \
    -e 's/bucket->full < first->full/bucket->full > first->full/'
finish

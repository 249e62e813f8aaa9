/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the log's formats: whatever is understood, is written back as the same bytes. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "storage/checkpoint.h"
#include "storage/entry.h"
#include "storage/receipt.h"
#include "storage/verify.h"

static void assert_same(char *again, const char *text)
{
    assert(strcmp(again, text) == 0);
    free(again);
}

static void try_entry(const char *text, size_t len)
{
    struct entry entry;
    char *again;
    size_t again_len;
    if (entry_parse(text, len, &entry) < 0)
        return;
    entry_check(&entry);
    entry_follows(&entry, &entry);
    assert(entry_write(&entry, &again, &again_len) == 0 && again_len == len);
    assert_same(again, text);
}

static void try_receipt(const char *text)
{
    struct receipt receipt;
    char *again;
    if (receipt_parse(text, &receipt) < 0)
        return;
    assert(receipt_write(receipt.kid, receipt.entry, receipt.entry_len, receipt.signature,
                         &again) == 0);
    assert_same(again, text);
    receipt_done(&receipt);
}

static void try_proof(const char *text)
{
    struct proof proof;
    char *again;
    if (proof_parse(text, &proof) < 0)
        return;
    assert(proof_write(proof.index, &proof.path, proof.checkpoint, &again) == 0);
    assert_same(again, text);
}

static void try_note(const char *text, size_t len)
{
    static const char vkey[] =
        "example.munkeyd.test/log+edf96cf4+ActTJ4q9/iiT4tmX+0qvpu+XbRHV5No0Fodue1MtAmB8";
    struct checkpoint checkpoint;
    struct note_key key;
    char again[VKEY_SIZE];
    size_t text_len;
    checkpoint_parse(text, len, &checkpoint);
    assert(note_vkey_parse(vkey, strlen(vkey), &key) == 0);
    if (note_open(text, len, &key, 1, &text_len) == 0)
        assert(text_len < len);
    if (note_vkey_parse(text, len, &key) == 0) {
        note_vkey(&key, again);
        assert(strlen(again) == len && memcmp(again, text, len) == 0);
    }
}

/* A claim whose parts are the input's, cut at `%`. */
static void try_claim(char *text)
{
    char *save, *receipt = strtok_r(text, "%", &save);
    struct claim claim = {.receipt = receipt ? receipt : "",
                          .proof = strtok_r(NULL, "%", &save),
                          .subject = "subject",
                          .subject_len = 7,
                          .salt = strtok_r(NULL, "%", &save),
                          .request = "request"};
    const char *jwks = strtok_r(NULL, "%", &save);
    struct trust trust = {.jwks = jwks ? jwks : "", .vkeys = strtok_r(NULL, "%", &save)};
    struct verdict verdict;
    verify_receipt(&claim, &trust, &verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(1, size + 1);
    if (size > 0)
        memcpy(text, data, size);
    size_t len = strlen(text);
    try_entry(text, len);
    try_receipt(text);
    try_proof(text);
    try_note(text, len);
    try_claim(text);
    free(text);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: 0 or negative, one list, said once where the cause is known.
 *
 *     if (label >= classes)
 *         return fail(MK_EUNPROCESSABLE, "label %u: the model knows %u classes, 0 to %u",
 *                     label, classes, classes - 1);
 *     ...
 *     if ((rc = model_parse(bytes, len, &model)) < 0)
 *         fprintf(stderr, "munkeyd: %s\n", err_why());
 *
 * The sentence belongs to the thread that failed and is overwritten by its next failure.
 * It may be shown to a caller and written to a log: it never holds a subject id, a key, a
 * token or an input.
 */
#ifndef MUNKEY_CORE_ERR_H
#define MUNKEY_CORE_ERR_H

#define MK_ERRORS(X)                                                                     \
    X(MK_ENOMEM, 1, "out of memory")                                                     \
    X(MK_EINPUT, 2, "request not understood")                                            \
    X(MK_EAUTH, 3, "not allowed")                                                        \
    X(MK_ESTORE, 4, "storage failed, and nothing happened")                              \
    X(MK_EUNKNOWN, 5, "storage failed, and the outcome is unknown until the next start") \
    X(MK_ENOTFOUND, 6, "not found")                                                      \
    X(MK_ECONFLICT, 7, "conflict with what is stored")                                   \
    X(MK_ETOOBIG, 8, "larger than a limit")                                              \
    X(MK_EUNPROCESSABLE, 9, "understood, but not possible")                              \
    X(MK_EBUSY, 10, "too busy now")                                                      \
    X(MK_EREFUSED, 11, "start refused")                                                  \
    X(MK_EIO, 12, "a file or a device failed")

enum mk_error {
#define MK_ENUM(name, number, text) name = -(number),
    MK_ERRORS(MK_ENUM)
#undef MK_ENUM
};

/* Keeps the sentence for err_why() and returns err.  */
#define fail(err, ...) fail_as(err, fail_at(__FILE__, __LINE__, __VA_ARGS__))
int fail_at(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Inline, so that compilers know which code a failure returns. */
static inline int fail_as(int err, int said)
{
    (void)said;
    return err;
}

/* Why this thread's last failure happened: a sentence for people.  Never NULL; valid
 * until this thread's next fail(). */
const char *err_why(void);

/* "core/model.c:120", for the log line beside the sentence.  Never NULL. */
const char *err_where(void);

/* What the code means in general.  Never NULL. */
const char *err_text(int err);

#endif

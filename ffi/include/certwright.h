/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * certwright: certificates over their whole life, for programs in C.
 *
 * Conventions
 *
 * - A call that can fail returns a `certwright_result`: 0 is well. Its last parameter is where an error goes that the caller
 *   then owns; it may be NULL, and is written only when the call fails.
 * - Outputs are written only when the call returns `CERTWRIGHT_RESULT_OK`.
 * - Every pointer is checked for NULL; where NULL means something, the call says so. `certwright_..._free(NULL)` is well.
 * - Text that goes in is UTF-8 with its length in bytes and needs no NUL. Text that comes out is a view that belongs to the
 *   object it was asked of, ends when that is freed, and has a NUL behind it.
 * - Times are seconds since 1970-01-01T00:00:00Z.
 * - An object may be looked at by several threads, and changed or freed by one while nobody else uses it.
 * - Nothing is printed, and no process-wide state is changed. A defect that would have ended a Rust program comes back as
 *   `CERTWRIGHT_RESULT_PANIC`.
 */

#ifndef CERTWRIGHT_H
#define CERTWRIGHT_H

/* Made from the Rust sources by cbindgen; changes go there. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The version of the header: what changed incompatibly.
 */
#define CERTWRIGHT_VERSION_MAJOR 0

/**
 * The version of the header: what was added (with major 0: what changed).
 */
#define CERTWRIGHT_VERSION_MINOR 1

/**
 * The version of the header: what was mended.
 */
#define CERTWRIGHT_VERSION_PATCH 0

/**
 * The version of the header as one number: `major << 16 | minor << 8 | patch`. Compare it with what
 * `certwright_version_number` says of the library that was loaded.
 */
#define CERTWRIGHT_VERSION_NUMBER 256

/**
 * What a call came to. 0 is well; the other numbers are never given to anything else.
 */
enum certwright_result
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Well.
   */
  CERTWRIGHT_RESULT_OK = 0,
  /**
   * A configuration or an argument that cannot be meant.
   */
  CERTWRIGHT_RESULT_INVALID_SPEC = 1,
  /**
   * A file, a lineage or a generation that is not there.
   */
  CERTWRIGHT_RESULT_NOT_FOUND = 2,
  /**
   * Another run holds the lock, or something changed underneath.
   */
  CERTWRIGHT_RESULT_CONFLICT = 3,
  /**
   * The operating system refused this process.
   */
  CERTWRIGHT_RESULT_PERMISSION = 4,
  /**
   * A declared reader cannot read, or an outsider can.
   */
  CERTWRIGHT_RESULT_ACCESS_MISMATCH = 5,
  /**
   * The disk or the kernel failed.
   */
  CERTWRIGHT_RESULT_IO = 6,
  /**
   * A connection failed.
   */
  CERTWRIGHT_RESULT_NETWORK = 7,
  /**
   * The issuer said no, for good.
   */
  CERTWRIGHT_RESULT_REFUSED = 8,
  /**
   * The issuer said not now.
   */
  CERTWRIGHT_RESULT_RATE_LIMITED = 9,
  /**
   * A challenge was not met.
   */
  CERTWRIGHT_RESULT_CHALLENGE_FAILED = 10,
  /**
   * Key and certificates do not meet the spec.
   */
  CERTWRIGHT_RESULT_UNFIT = 11,
  /**
   * A signature, chain or fingerprint that is not trusted.
   */
  CERTWRIGHT_RESULT_UNTRUSTED = 12,
  /**
   * The service's check failed, or it could not be made to re-read.
   */
  CERTWRIGHT_RESULT_RELOAD_FAILED = 13,
  /**
   * The endpoint serves something else.
   */
  CERTWRIGHT_RESULT_PROBE_MISMATCH = 14,
  /**
   * A deadline passed.
   */
  CERTWRIGHT_RESULT_TIMEOUT = 15,
  /**
   * The file system, the kernel or the peer cannot do what is needed.
   */
  CERTWRIGHT_RESULT_UNSUPPORTED = 16,
  /**
   * The caller asked to stop.
   */
  CERTWRIGHT_RESULT_CANCELLED = 17,
  /**
   * A defect in certwright: please report it.
   */
  CERTWRIGHT_RESULT_BUG = 18,
  /**
   * The peer's answer does not follow the protocol.
   */
  CERTWRIGHT_RESULT_PROTOCOL = 19,
  /**
   * A pointer is NULL that must not be.
   */
  CERTWRIGHT_RESULT_NULL_POINTER = 1001,
  /**
   * A text is not UTF-8.
   */
  CERTWRIGHT_RESULT_INVALID_UTF8 = 1002,
  /**
   * A length that no object has, a number that the enumeration does not have, or a structure of an unknown version.
   */
  CERTWRIGHT_RESULT_INVALID_ARGUMENT = 1003,
  /**
   * A defect in certwright that was caught on its way out. What the call was about may be half done; the next `apply`
   * puts it right.
   */
  CERTWRIGHT_RESULT_PANIC = 1004,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum certwright_result certwright_result;
#else
typedef uint32_t certwright_result;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What is true on the machine after an error.
 */
enum certwright_aftermath
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * What was active before is active now and was not touched.
   */
  CERTWRIGHT_AFTERMATH_UNTOUCHED = 0,
  /**
   * A switch was undone; the generation before is active again and was observed to be.
   */
  CERTWRIGHT_AFTERMATH_ROLLED_BACK = 1,
  /**
   * The new generation stays active although it could not be seen to be served.
   */
  CERTWRIGHT_AFTERMATH_KEPT = 2,
  /**
   * Undoing failed. The error's commands bring the machine back by hand.
   */
  CERTWRIGHT_AFTERMATH_STUCK = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum certwright_aftermath certwright_aftermath;
#else
typedef uint32_t certwright_aftermath;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * When the same call may be tried again.
 */
enum certwright_retry
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Not before something was changed.
   */
  CERTWRIGHT_RETRY_NEVER = 0,
  /**
   * At once.
   */
  CERTWRIGHT_RETRY_NOW = 1,
  /**
   * From a moment on: `certwright_error_retry_at`.
   */
  CERTWRIGHT_RETRY_AFTER = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum certwright_retry certwright_retry;
#else
typedef uint32_t certwright_retry;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a verb came out. The number is the exit status of the command `certwright`.
 */
enum certwright_outcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Well: done, or nothing to do.
   */
  CERTWRIGHT_OUTCOME_WELL = 0,
  /**
   * It failed or waits for its next try; nothing is worse than before.
   */
  CERTWRIGHT_OUTCOME_FAILED = 1,
  /**
   * The configuration cannot be meant.
   */
  CERTWRIGHT_OUTCOME_INVALID = 2,
  /**
   * There is something to do, or something is not as wished.
   */
  CERTWRIGHT_OUTCOME_FINDING = 3,
  /**
   * A human is needed.
   */
  CERTWRIGHT_OUTCOME_STUCK = 4,
  /**
   * Another run holds the lock.
   */
  CERTWRIGHT_OUTCOME_BUSY = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum certwright_outcome certwright_outcome;
#else
typedef uint32_t certwright_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How much `certwright_verify` looks at.
 */
enum certwright_depth
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Files, access, expiry, and what the endpoints serve.
   */
  CERTWRIGHT_DEPTH_WHOLE = 0,
  /**
   * Files, access and expiry; no endpoint is asked.
   */
  CERTWRIGHT_DEPTH_DISK = 1,
  /**
   * Could this machine serve now: everything, and that the service and the fail-over daemon run.
   */
  CERTWRIGHT_DEPTH_READY = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum certwright_depth certwright_depth;
#else
typedef uint32_t certwright_depth;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a file is written.
 */
enum certwright_encoding
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Text armour (RFC 7468).
   */
  CERTWRIGHT_ENCODING_PEM = 0,
  /**
   * DER, one object in a file.
   */
  CERTWRIGHT_ENCODING_DER = 1,
  /**
   * PKCS#12 (RFC 7292).
   */
  CERTWRIGHT_ENCODING_PKCS12 = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum certwright_encoding certwright_encoding;
#else
typedef uint32_t certwright_encoding;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What is in a file.
 */
enum certwright_form
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The private key.
   */
  CERTWRIGHT_FORM_KEY = 0,
  /**
   * The end-entity certificate.
   */
  CERTWRIGHT_FORM_LEAF = 1,
  /**
   * Intermediates, leaf side first, without root.
   */
  CERTWRIGHT_FORM_CHAIN = 2,
  /**
   * Leaf and chain.
   */
  CERTWRIGHT_FORM_FULLCHAIN = 3,
  /**
   * Key, leaf and chain.
   */
  CERTWRIGHT_FORM_BUNDLE = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum certwright_form certwright_form;
#else
typedef uint32_t certwright_form;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The algorithm of a key.
 */
enum certwright_key_algorithm
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * ECDSA on P-256 (the default).
   */
  CERTWRIGHT_KEY_ALGORITHM_ECDSA_P256 = 0,
  /**
   * ECDSA on P-384.
   */
  CERTWRIGHT_KEY_ALGORITHM_ECDSA_P384 = 1,
  /**
   * Ed25519.
   */
  CERTWRIGHT_KEY_ALGORITHM_ED25519 = 2,
  /**
   * RSA, 2048 bits.
   */
  CERTWRIGHT_KEY_ALGORITHM_RSA2048 = 3,
  /**
   * RSA, 3072 bits.
   */
  CERTWRIGHT_KEY_ALGORITHM_RSA3072 = 4,
  /**
   * RSA, 4096 bits.
   */
  CERTWRIGHT_KEY_ALGORITHM_RSA4096 = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum certwright_key_algorithm certwright_key_algorithm;
#else
typedef uint32_t certwright_key_algorithm;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A dialect that upgrades a plain connection to TLS.
 */
enum certwright_starttls
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * None: TLS from the first byte.
   */
  CERTWRIGHT_STARTTLS_NONE = 0,
  /**
   * SMTP `STARTTLS` (RFC 3207).
   */
  CERTWRIGHT_STARTTLS_SMTP = 1,
  /**
   * IMAP `STARTTLS` (RFC 9051 §6.2.1).
   */
  CERTWRIGHT_STARTTLS_IMAP = 2,
  /**
   * POP3 `STLS` (RFC 2595 §4).
   */
  CERTWRIGHT_STARTTLS_POP3 = 3,
  /**
   * PostgreSQL `SSLRequest`.
   */
  CERTWRIGHT_STARTTLS_POSTGRES = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum certwright_starttls certwright_starttls;
#else
typedef uint32_t certwright_starttls;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How an output changes from one generation to the next.
 */
enum certwright_strategy
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * A symbolic link at a fixed path outside, set once, that leads through `current/`.
   */
  CERTWRIGHT_STRATEGY_LINK = 0,
  /**
   * A one-line include file that names the generation, replaced by one rename.
   */
  CERTWRIGHT_STRATEGY_PINNED = 1,
  /**
   * A real file at a fixed path, replaced by one rename.
   */
  CERTWRIGHT_STRATEGY_REPLACE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum certwright_strategy certwright_strategy;
#else
typedef uint32_t certwright_strategy;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What one identity may do at the end of one path.
 */
typedef struct certwright_access certwright_access;

/**
 * A lifecycle in the making. It is not for two threads at once.
 *
 * Structures of callbacks are copied; what they say about `destroy` is in each. When a call that takes one fails, the
 * caller's data was not taken and `destroy` is not called.
 */
typedef struct certwright_builder certwright_builder;

/**
 * A wish to stop. Given to `certwright_builder_set_cancel`, it stops every verb of that lifecycle at its next safe point; a
 * switch in progress is finished or undone first.
 */
typedef struct certwright_cancel certwright_cancel;

/**
 * Where lineages live, who issues, what is wished. It is not for two threads at once while it is changed.
 */
typedef struct certwright_config certwright_config;

/**
 * What went wrong, where, about what, what is true now, what to do, and when to try again.
 *
 * One that a call wrote to `error_out` is the caller's, until `certwright_error_free`. One that was asked of a report is the
 * report's. It does not change; any thread may look at it.
 */
typedef struct certwright_error certwright_error;

/**
 * Where a callback says why it failed. It lives as long as the call that it was given to.
 */
typedef struct certwright_failure certwright_failure;

/**
 * The managed certificates of one configuration. Any number of threads may call verbs on it at once; those that write
 * take turns by lineage. Every verb blocks.
 */
typedef struct certwright_lifecycle certwright_lifecycle;

/**
 * A private key and the chain whose leaf was issued for it. The copy of the key that is in it is overwritten when it is
 * freed; the caller's own is the caller's to overwrite.
 */
typedef struct certwright_material certwright_material;

/**
 * How `apply`, `deploy`, `rollback` and `release` go about it. A verb that is given NULL takes what is usual.
 */
typedef struct certwright_options certwright_options;

/**
 * What a verb did or found. It does not change; any thread may look at it.
 */
typedef struct certwright_report certwright_report;

/**
 * Where a probe says what it saw. It lives as long as the call that it was given to.
 */
typedef struct certwright_seen certwright_seen;

/**
 * What is wished for one lineage. It is not for two threads at once.
 */
typedef struct certwright_spec certwright_spec;

/**
 * A view of UTF-8 text that somebody else owns.
 *
 * As a result it is valid as long as the object that it was asked of, and `data[len]` is a NUL, so that it can be printed
 * with `%s`; texts never contain one. Where there is no text, `data` is NULL and `len` is 0. As an argument it needs no NUL.
 */
typedef struct {
  /**
   * The first byte; NULL where there is no text.
   */
  const char *data;
  /**
   * How many bytes there are, the NUL not counted.
   */
  size_t len;
} certwright_str;

/**
 * Ends the data of callbacks, once, on whichever thread lets go of it last.
 */
typedef void (*certwright_destroy)(void *data);

/**
 * A clock. Its functions are called from any thread, several at once; they must not call into the lifecycle, and must return
 * (no `longjmp`, no C++ exception).
 */
typedef struct {
  /**
   * 1.
   */
  uint32_t version;
  /**
   * Given to each function.
   */
  void *data;
  /**
   * The time, in seconds since 1970-01-01T00:00:00Z. Must not be NULL.
   */
  int64_t (*now)(void *data);
  /**
   * Ends `data`, once, when nobody needs the clock any more; may be NULL.
   */
  certwright_destroy destroy;
} certwright_clock;

/**
 * Who is told about each arrow as it begins. Its functions are called from any thread, several at once; they must not block,
 * must not call into the lifecycle, and must return (no `longjmp`, no C++ exception).
 */
typedef struct {
  /**
   * 1.
   */
  uint32_t version;
  /**
   * Given to each function.
   */
  void *data;
  /**
   * An arrow begins for a lineage: `plan`, `issue`, `stage`, `prove`, `activate`, `probe`, `commit`, `rollback`, `record`.
   * The texts are for this call alone. Must not be NULL.
   */
  void (*begins)(void *data, certwright_str lineage, certwright_str phase);
  /**
   * Ends `data`, once, when nobody needs it any more; may be NULL.
   */
  certwright_destroy destroy;
} certwright_log;

/**
 * A challenge to answer (RFC 8555 §8). The texts are for one call alone.
 */
typedef struct {
  /**
   * `http-01`, `dns-01` or `tls-alpn-01`.
   */
  certwright_str kind;
  /**
   * The name or address; the base name where a wildcard was asked for.
   */
  certwright_str identifier;
  /**
   * The token: base64url, safe as a file name.
   */
  certwright_str token;
  /**
   * Token, dot, thumbprint of the account key: the body of an `http-01` answer.
   */
  certwright_str key_authorization;
} certwright_challenge;

/**
 * One function of a solver. Returns `CERTWRIGHT_RESULT_OK`, or another number and says why.
 */
typedef uint32_t (*certwright_solve)(void *data,
                                     const certwright_challenge *challenge,
                                     const certwright_cancel *cancel,
                                     const certwright_failure *failure);

/**
 * Answers challenges. Its functions are called from any thread, several at once, for the same name too; they must not call
 * into the lifecycle, and must return (no `longjmp`, no C++ exception).
 */
typedef struct {
  /**
   * 1.
   */
  uint32_t version;
  /**
   * Given to each function.
   */
  void *data;
  /**
   * Puts the answer in place; one that is there already is well. `CERTWRIGHT_RESULT_UNSUPPORTED` says that this solver does
   * not answer such a challenge, and nothing was done. Must not be NULL.
   */
  certwright_solve present;
  /**
   * Takes the answer away again, after every `present`, a failed one too; one that is gone is well. Its `cancel` is never
   * asked. Must not be NULL.
   */
  certwright_solve clean_up;
  /**
   * Returns once the answer can be seen from where the authority looks; NULL when that is at once.
   */
  certwright_solve wait;
  /**
   * Ends `data`, once, when nobody needs the solver any more; may be NULL.
   */
  certwright_destroy destroy;
} certwright_solver;

/**
 * Makes a service re-read its certificate. Its functions are called from any thread, for one lineage never by two at once;
 * they must not call verbs of the lifecycle, and must return (no `longjmp`, no C++ exception).
 */
typedef struct {
  /**
   * 1.
   */
  uint32_t version;
  /**
   * Given to each function.
   */
  void *data;
  /**
   * What is done, in a few words for reports. Copied.
   */
  certwright_str name;
  /**
   * Makes the service re-read. `bundle` is key, leaf and chain in PEM, for this call alone: a secret. A second call for
   * the same generation leaves what one call leaves; after a failed probe it is called for the generation before. Returns
   * `CERTWRIGHT_RESULT_OK`, or another number and says why: `CERTWRIGHT_RESULT_NOT_FOUND` when the service does not run.
   * Must not be NULL.
   */
  uint32_t (*reload)(void *data,
                     certwright_str lineage,
                     certwright_str generation,
                     certwright_str bundle,
                     const certwright_cancel *cancel,
                     const certwright_failure *failure);
  /**
   * Ends `data`, once, when nobody needs the reloader any more; may be NULL.
   */
  certwright_destroy destroy;
} certwright_reloader;

/**
 * Observes which certificate is really served. Its functions are called from any thread, several at once; they must not call
 * into the lifecycle, and must return (no `longjmp`, no C++ exception).
 */
typedef struct {
  /**
   * 1.
   */
  uint32_t version;
  /**
   * Given to each function.
   */
  void *data;
  /**
   * What is asked, in a few words for reports. Copied.
   */
  certwright_str name;
  /**
   * Looks anew, with fresh connections, and says each place that it saw by `certwright_seen_add`. Returns
   * `CERTWRIGHT_RESULT_OK`, or another number and says why when nothing could be seen. Must not be NULL.
   */
  uint32_t (*observe)(void *data,
                      const certwright_seen *seen,
                      const certwright_cancel *cancel,
                      const certwright_failure *failure);
  /**
   * Ends `data`, once, when nobody needs the probe any more; may be NULL.
   */
  certwright_destroy destroy;
} certwright_probe;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/* ==== The library ==== */

/**
 * The version of the library that was loaded: `major << 16 | minor << 8 | patch`.
 *
 * Threads: any. Effects: none.
 */
uint32_t certwright_version_number(void);

/**
 * The version of the library that was loaded, such as `0.1.0`.
 *
 * Ownership: the text lives as long as the program. Threads: any. Effects: none.
 */
certwright_str certwright_version_text(void);

/* ==== Results ==== */

/**
 * The name of a result, such as `not_found`; `unknown` for a number that is none.
 *
 * Ownership: the text lives as long as the program. Threads: any. Effects: none.
 */
certwright_str certwright_result_name(uint32_t result);

/* ==== Errors ==== */

/**
 * What failed, with its phase and context, in one line without full stop.
 *
 * Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL.
 */
certwright_str certwright_error_message(const certwright_error *error);

/**
 * What to do next, in one sentence; no text where nothing is known.
 *
 * Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL.
 */
certwright_str certwright_error_hint(const certwright_error *error);

/**
 * The arrow in which it happened: `plan`, `issue`, `stage`, `prove`, `activate`, `probe`, `commit`, `rollback` or `record`.
 *
 * Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL.
 */
certwright_str certwright_error_phase(const certwright_error *error);

/**
 * The generation that the aftermath is about.
 *
 * Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL.
 */
certwright_str certwright_error_generation(const certwright_error *error);

/**
 * All of it as one JSON object, as in the reports of the command line.
 *
 * Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL.
 */
certwright_str certwright_error_json(const certwright_error *error);

/**
 * How many facts there are about it: lineage, path, identifier and the like.
 *
 * Threads: any. Effects: none. 0 for NULL.
 */
size_t certwright_error_context_len(const certwright_error *error);

/**
 * The name of a fact, in order from 0.
 *
 * Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL, nor beyond the end.
 */
certwright_str certwright_error_context_name(const certwright_error *error,
                                             size_t index);

/**
 * The value of a fact, in order from 0.
 *
 * Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL, nor beyond the end.
 */
certwright_str certwright_error_context_value(const certwright_error *error,
                                              size_t index);

/**
 * How many errors below it caused it.
 *
 * Threads: any. Effects: none. 0 for NULL.
 */
size_t certwright_error_causes_len(const certwright_error *error);

/**
 * What caused it, outermost first, from 0.
 *
 * Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL, nor beyond the end.
 */
certwright_str certwright_error_cause(const certwright_error *error,
                                      size_t index);

/**
 * How many commands bring the machine back by hand.
 *
 * Threads: any. Effects: none. 0 for NULL.
 */
size_t certwright_error_commands_len(const certwright_error *error);

/**
 * A command that brings the machine back by hand, in order from 0.
 *
 * Ownership: the text is the error's. Threads: any. Effects: none. No text for NULL, nor beyond the end.
 */
certwright_str certwright_error_command(const certwright_error *error,
                                        size_t index);

/**
 * The kind of the error, as the call returned it. `CERTWRIGHT_RESULT_OK` for NULL.
 *
 * Threads: any. Effects: none.
 */
certwright_result certwright_error_kind(const certwright_error *error);

/**
 * What is true on the machine now. `CERTWRIGHT_AFTERMATH_UNTOUCHED` for NULL.
 *
 * Threads: any. Effects: none.
 */
certwright_aftermath certwright_error_aftermath(const certwright_error *error);

/**
 * When the same call may be tried again. `CERTWRIGHT_RETRY_NEVER` for NULL.
 *
 * Threads: any. Effects: none.
 */
certwright_retry certwright_error_retry(const certwright_error *error);

/**
 * The moment from which on the same call may be tried again, in seconds since 1970-01-01T00:00:00Z; 0 unless
 * `certwright_error_retry` is `CERTWRIGHT_RETRY_AFTER`.
 *
 * Threads: any. Effects: none.
 */
int64_t certwright_error_retry_at(const certwright_error *error);

/**
 * Ends an error that is the caller's. NULL is nothing.
 */
void certwright_error_free(certwright_error *error);

/* ==== The configuration ==== */

/**
 * Reads the text of a `certwright.toml`.
 *
 * Parameters: `toml`, the text; `path`, the name of the file for messages, to whose directory relative names are relative.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` with line and column, and the nearest name for a key that
 * there is not.
 *
 * Ownership: `*out` is the caller's, until `certwright_config_free`. Threads: any. Effects: none.
 */
certwright_result certwright_config_parse(const char *toml,
                                          size_t toml_len,
                                          const char *path,
                                          size_t path_len,
                                          certwright_config **out,
                                          certwright_error **error_out);

/**
 * A configuration without issuers and lineages, to be filled by calls.
 *
 * Parameters: `root`, the directory that holds every lineage; absolute.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` when `root` is not absolute.
 *
 * Ownership: `*out` is the caller's, until `certwright_config_free`. Threads: any. Effects: none.
 */
certwright_result certwright_config_new(const char *root,
                                        size_t root_len,
                                        certwright_config **out,
                                        certwright_error **error_out);

/**
 * Adds the embedded CA under a name, or replaces the issuer that has it.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` when it is no name.
 *
 * Threads: one at a time. Effects: none; the CA is made when it first issues.
 */
certwright_result certwright_config_add_local_issuer(certwright_config *config,
                                                     const char *name,
                                                     size_t name_len,
                                                     certwright_error **error_out);

/**
 * Adds an ACME server (RFC 8555) under a name, or replaces the issuer that has it.
 *
 * Parameters: `directory`, the URL of its directory; `contacts`, URLs such as `mailto:ops@example.org`, or NULL with 0;
 * `webroot`, the document root of a server that answers `http-01`, or NULL with 0 when
 * `certwright_builder_add_solver` brings who answers.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` when it is no name. What is wrong with the rest is said
 * by `certwright_builder_build`.
 *
 * Threads: one at a time. Effects: none; the account is made when it first issues.
 */
certwright_result certwright_config_add_acme_issuer(certwright_config *config,
                                                    const char *name,
                                                    size_t name_len,
                                                    const char *directory,
                                                    size_t directory_len,
                                                    const certwright_str *contacts,
                                                    size_t contacts_len,
                                                    const char *webroot,
                                                    size_t webroot_len,
                                                    certwright_error **error_out);

/**
 * Adds a copy of the wish for one lineage, or replaces the one of this name.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` when the wish has no identifiers.
 *
 * Ownership: `spec` stays the caller's. Threads: one at a time. Effects: none.
 */
certwright_result certwright_config_add_lineage(certwright_config *config,
                                                const certwright_spec *spec,
                                                certwright_error **error_out);

/**
 * Ends it. NULL is nothing.
 */
void certwright_config_free(certwright_config *config);

/* ==== The wish for one lineage ==== */

/**
 * A wish without identifiers: a P-256 key that nobody but the owner reads, no issuer, no service, no outputs.
 *
 * Parameters: `name`, the lineage's name, which becomes a directory.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` when it is no name.
 *
 * Ownership: `*out` is the caller's, until `certwright_spec_free`. Threads: any. Effects: none.
 */
certwright_result certwright_spec_new(const char *name,
                                      size_t name_len,
                                      certwright_spec **out,
                                      certwright_error **error_out);

/**
 * Adds an identifier: a DNS name, a wildcard, an IPv4 or IPv6 address.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` when it is none of these.
 *
 * Threads: one at a time. Effects: none.
 */
certwright_result certwright_spec_add_identifier(certwright_spec *spec,
                                                 const char *identifier,
                                                 size_t identifier_len,
                                                 certwright_error **error_out);

/**
 * Adds an issuer, after those that were added before: the next is asked when one refuses.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` when it is no name.
 *
 * Threads: one at a time. Effects: none.
 */
certwright_result certwright_spec_add_issuer(certwright_spec *spec,
                                             const char *name,
                                             size_t name_len,
                                             certwright_error **error_out);

/**
 * Adds somebody who must be able to read key and certificates.
 *
 * Parameters: `reader`, `user:NAME`, `user:NUMBER`, `group:NAME` or `group:NUMBER`.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` when it is none of these. Whether there is such an
 * account is asked when access is proved.
 *
 * Threads: one at a time. Effects: none.
 */
certwright_result certwright_spec_add_reader(certwright_spec *spec,
                                             const char *reader,
                                             size_t reader_len,
                                             certwright_error **error_out);

/**
 * Wishes an algorithm for the key, a `certwright_key_algorithm`.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` for a number that is none.
 *
 * Threads: one at a time. Effects: none.
 */
certwright_result certwright_spec_set_key(certwright_spec *spec,
                                          uint32_t algorithm,
                                          certwright_error **error_out);

/**
 * Adds a file outside the lineage's directory, with the lineage's readers.
 *
 * Parameters: `path`, absolute and outside the root; `strategy`, a `certwright_strategy`; `form`, a `certwright_form`;
 * `encoding`, a `certwright_encoding`.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` for a number that is none.
 *
 * Threads: one at a time. Effects: none.
 */
certwright_result certwright_spec_add_output(certwright_spec *spec,
                                             const char *path,
                                             size_t path_len,
                                             uint32_t strategy,
                                             uint32_t form,
                                             uint32_t encoding,
                                             certwright_error **error_out);

/**
 * Wishes the service's own configuration test: an argument vector, never a shell. It ends with 0 when all is well.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` when it is empty.
 *
 * Threads: one at a time. Effects: none.
 */
certwright_result certwright_spec_set_check(certwright_spec *spec,
                                            const certwright_str *argv,
                                            size_t argv_len,
                                            certwright_error **error_out);

/**
 * Wishes that the service is made to re-read by a command: an argument vector, never a shell.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` when it is empty.
 *
 * Threads: one at a time. Effects: none.
 */
certwright_result certwright_spec_set_reload_command(certwright_spec *spec,
                                                     const certwright_str *argv,
                                                     size_t argv_len,
                                                     certwright_error **error_out);

/**
 * Wishes that the service is made to re-read by a signal to the process in a pid file.
 *
 * Parameters: `signal`, its name without `SIG`: `HUP`, `USR1`, `USR2`; `pid_file`, absolute.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`. What is wrong with either is said when the service is reloaded, or by
 * `certwright_builder_build`.
 *
 * Threads: one at a time. Effects: none.
 */
certwright_result certwright_spec_set_reload_signal(certwright_spec *spec,
                                                    const char *signal,
                                                    size_t signal_len,
                                                    const char *pid_file,
                                                    size_t pid_file_len,
                                                    certwright_error **error_out);

/**
 * Adds a place that is asked which certificate it serves.
 *
 * Parameters: `address`, `ADDRESS:PORT` with IPv6 addresses in brackets, or `NAME:PORT`; `server_name`, the name sent as SNI,
 * or NULL with 0; `starttls`, a `certwright_starttls`.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` or `CERTWRIGHT_RESULT_INVALID_SPEC` when one of them
 * cannot be meant.
 *
 * Threads: one at a time. Effects: none.
 */
certwright_result certwright_spec_add_probe(certwright_spec *spec,
                                            const char *address,
                                            size_t address_len,
                                            const char *server_name,
                                            size_t server_name_len,
                                            uint32_t starttls,
                                            certwright_error **error_out);

/**
 * Ends it. NULL is nothing.
 */
void certwright_spec_free(certwright_spec *spec);

/* ==== Key and chain of another client ==== */

/**
 * Brings a key and its chain together, both PEM, from memory: nothing touches a disk.
 *
 * Parameters: `key`, a private key in PKCS#8, SEC1 or PKCS#1 (RFC 7468 §10, RFC 5915, RFC 8017); `fullchain`, the leaf and then its
 * intermediates.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` or `CERTWRIGHT_RESULT_UNFIT` when one of them cannot be
 * read or they do not belong together.
 *
 * Ownership: `*out` is the caller's, until `certwright_material_free`. Threads: any. Effects: none.
 */
certwright_result certwright_material_new(const char *key,
                                          size_t key_len,
                                          const char *fullchain,
                                          size_t fullchain_len,
                                          certwright_material **out,
                                          certwright_error **error_out);

/**
 * Ends it. NULL is nothing.
 */
void certwright_material_free(certwright_material *material);

/* ==== How a verb goes about it ==== */

/**
 * What is usual: endpoints are asked, and another run on the same lineage is waited for up to five seconds.
 *
 * Ownership: the caller's, until `certwright_options_free`. Threads: any. Effects: none.
 */
certwright_options *certwright_options_new(void);

/**
 * How long another run on the same lineage is waited for, in milliseconds. NULL is nothing.
 *
 * Threads: one at a time. Effects: none.
 */
void certwright_options_set_wait(certwright_options *options, uint64_t milliseconds);

/**
 * Whether endpoints are asked what they serve when nothing else is to be done. NULL is nothing.
 *
 * Threads: one at a time. Effects: none.
 */
void certwright_options_set_ask_endpoints(certwright_options *options, bool ask);

/**
 * Ends it. NULL is nothing.
 */
void certwright_options_free(certwright_options *options);

/* ==== Asking to stop ==== */

/**
 * A wish that nobody has expressed yet.
 *
 * Ownership: the caller's, until `certwright_cancel_free`; a lifecycle that it was given to keeps a share of its own.
 * Threads: any. Effects: none.
 */
certwright_cancel *certwright_cancel_new(void);

/**
 * Asks to stop. It cannot be taken back. May be called in a signal handler.
 *
 * Threads: any, while other threads are within verbs. Effects: none of its own. NULL is nothing.
 */
void certwright_cancel_ask(const certwright_cancel *cancel);

/**
 * Whether stopping was asked for. `false` for NULL.
 *
 * Threads: any. Effects: none.
 */
bool certwright_cancel_is_asked(const certwright_cancel *cancel);

/**
 * Ends it. NULL is nothing.
 */
void certwright_cancel_free(certwright_cancel *cancel);

/* ==== What callbacks say ==== */

/**
 * Says why a callback fails, and what to do about it, before it returns another number than `CERTWRIGHT_RESULT_OK`. What is
 * said last counts.
 *
 * Parameters: `message`, one line without secrets; `hint`, one sentence, or NULL with 0.
 *
 * Ownership: both are copied. Threads: any, within the call. Effects: none. NULL is nothing.
 */
void certwright_failure_say(const certwright_failure *failure,
                            const char *message,
                            size_t message_len,
                            const char *hint,
                            size_t hint_len);

/* ==== What probes say ==== */

/**
 * Says that a certificate is served at a place.
 *
 * Parameters: `place`, in a few words; `leaf`, the certificate in DER as it was sent.
 *
 * Ownership: both are copied. Threads: any, within the call. Effects: none. What cannot be read counts as a place that serves
 * no certificate. NULL is nothing.
 */
void certwright_seen_add(const certwright_seen *seen,
                         const char *place,
                         size_t place_len,
                         const uint8_t *leaf,
                         size_t leaf_len);

/* ==== Putting a lifecycle together ==== */

/**
 * Everything as configured, on this machine.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`.
 *
 * Ownership: `config` is copied and stays the caller's; `*out` is the caller's, until `certwright_builder_build` or
 * `certwright_builder_free`. Threads: any. Effects: none.
 */
certwright_result certwright_builder_new(const certwright_config *config,
                                         certwright_builder **out,
                                         certwright_error **error_out);

/**
 * Gives it a wish to stop, which another thread expresses by `certwright_cancel_ask`.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`.
 *
 * Ownership: `cancel` stays the caller's; a share of it is kept. Threads: one at a time. Effects: none.
 */
certwright_result certwright_builder_set_cancel(certwright_builder *builder,
                                                const certwright_cancel *cancel,
                                                certwright_error **error_out);

/**
 * How long after a reload every service may go on serving the old certificate before that counts as a failure, in
 * milliseconds. When it is not said, the longest time limit of the lineage's endpoints counts.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`.
 *
 * Threads: one at a time. Effects: none.
 */
certwright_result certwright_builder_set_patience(certwright_builder *builder,
                                                  uint64_t milliseconds,
                                                  certwright_error **error_out);

/**
 * Takes another clock than the system's.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` for a structure of an unknown version.
 *
 * Ownership: see `certwright_clock`. Threads: one at a time. Effects: none.
 */
certwright_result certwright_builder_set_clock(certwright_builder *builder,
                                               const certwright_clock *clock,
                                               certwright_error **error_out);

/**
 * Is told about each arrow as it begins.
 *
 * Returns, threads, effects: as `certwright_builder_set_clock`. Ownership: see `certwright_log`.
 */
certwright_result certwright_builder_set_log(certwright_builder *builder,
                                             const certwright_log *log,
                                             certwright_error **error_out);

/**
 * Takes an answerer of challenges, for every ACME server of the configuration; before those that are configured.
 *
 * Returns, threads, effects: as `certwright_builder_set_clock`. Ownership: see `certwright_solver`.
 */
certwright_result certwright_builder_add_solver(certwright_builder *builder,
                                                const certwright_solver *solver,
                                                certwright_error **error_out);

/**
 * Takes a reloader for one lineage, in place of the configured one.
 *
 * Returns: as `certwright_builder_set_clock`, and `CERTWRIGHT_RESULT_NOT_FOUND` for a lineage that there is not. Ownership:
 * see `certwright_reloader`. Threads: one at a time. Effects: none.
 */
certwright_result certwright_builder_set_reloader(certwright_builder *builder,
                                                  const char *lineage,
                                                  size_t lineage_len,
                                                  const certwright_reloader *reloader,
                                                  certwright_error **error_out);

/**
 * Takes a probe for one lineage, beside the configured ones.
 *
 * Returns, threads, effects: as `certwright_builder_set_reloader`. Ownership: see `certwright_probe`.
 */
certwright_result certwright_builder_add_probe(certwright_builder *builder,
                                               const char *lineage,
                                               size_t lineage_len,
                                               const certwright_probe *probe,
                                               certwright_error **error_out);

/**
 * The lifecycle.
 *
 * Returns: `CERTWRIGHT_RESULT_OK`; `CERTWRIGHT_RESULT_INVALID_SPEC` when the configuration cannot be meant: the builder is
 * used up then too.
 *
 * Ownership: `*out` is the caller's, until `certwright_lifecycle_free`; the builder is still to be freed. Threads: one at a
 * time. Effects: none.
 */
certwright_result certwright_builder_build(certwright_builder *builder,
                                           certwright_lifecycle **out,
                                           certwright_error **error_out);

/**
 * Ends it. Callbacks that no lifecycle was built with are destroyed. NULL is nothing.
 */
void certwright_builder_free(certwright_builder *builder);

/* ==== The verbs ==== */

/**
 * Says what `certwright_apply` would do and why. The outcome is `CERTWRIGHT_OUTCOME_FINDING` when there is something to do.
 *
 * Parameters: `lineages`, names, or NULL with 0 for all.
 *
 * Returns: `CERTWRIGHT_RESULT_OK` when there is a report, whatever it says; `CERTWRIGHT_RESULT_NOT_FOUND` for a lineage that
 * there is not.
 *
 * Ownership: `*out` is the caller's, until `certwright_report_free`. Threads: any. Effects: reads disk and endpoints.
 */
certwright_result certwright_plan(const certwright_lifecycle *lifecycle,
                                  const certwright_str *lineages,
                                  size_t lineages_len,
                                  certwright_report **out,
                                  certwright_error **error_out);

/**
 * Issues, places, proves, switches, reloads and probes, for every lineage that needs it. A second run changes nothing.
 *
 * Parameters: `lineages`, names, or NULL with 0 for all; `options`, or NULL for what is usual.
 *
 * Returns: `CERTWRIGHT_RESULT_OK` when there is a report: look at its outcome; what went wrong with one lineage is in it, and
 * the others were tried all the same. `CERTWRIGHT_RESULT_NOT_FOUND` for a lineage that there is not.
 *
 * Ownership: `*out` is the caller's, until `certwright_report_free`. Threads: any. Effects: disk, the issuer, the service.
 */
certwright_result certwright_apply(const certwright_lifecycle *lifecycle,
                                   const certwright_str *lineages,
                                   size_t lineages_len,
                                   const certwright_options *options,
                                   certwright_report **out,
                                   certwright_error **error_out);

/**
 * Deploys key and chain that another client obtained: places, proves, switches, reloads and probes them. Where check, reload
 * or probe fail, the generation before is active again.
 *
 * Parameters: `lineage`, a name; `options`, or NULL for what is usual.
 *
 * Returns: as `certwright_apply`.
 *
 * Ownership: `material` stays the caller's; `*out` is the caller's, until `certwright_report_free`. Threads: any. Effects:
 * disk, the service.
 */
certwright_result certwright_deploy(const certwright_lifecycle *lifecycle,
                                    const char *lineage,
                                    size_t lineage_len,
                                    const certwright_material *material,
                                    const certwright_options *options,
                                    certwright_report **out,
                                    certwright_error **error_out);

/**
 * Compares what is there with the wish. The outcome is `CERTWRIGHT_OUTCOME_FINDING` when something is not as wished.
 *
 * Parameters: `lineages`, names, or NULL with 0 for all; `depth`, a `certwright_depth`.
 *
 * Returns: as `certwright_plan`; `CERTWRIGHT_RESULT_INVALID_ARGUMENT` for a depth that is none.
 *
 * Ownership: `*out` is the caller's, until `certwright_report_free`. Threads: any. Effects: reads disk and endpoints.
 */
certwright_result certwright_verify(const certwright_lifecycle *lifecycle,
                                    const certwright_str *lineages,
                                    size_t lineages_len,
                                    uint32_t depth,
                                    certwright_report **out,
                                    certwright_error **error_out);

/**
 * Goes back on purpose, and holds there until a newer issuance or a release.
 *
 * Parameters: `lineage`, a name; `generation`, such as `0007-1a2b3c4d`, or NULL with 0 for the one before; `options`, or NULL
 * for what is usual.
 *
 * Returns: as `certwright_apply`.
 *
 * Ownership: `*out` is the caller's, until `certwright_report_free`. Threads: any. Effects: disk, the service.
 */
certwright_result certwright_rollback(const certwright_lifecycle *lifecycle,
                                      const char *lineage,
                                      size_t lineage_len,
                                      const char *generation,
                                      size_t generation_len,
                                      const certwright_options *options,
                                      certwright_report **out,
                                      certwright_error **error_out);

/**
 * Lets a lineage that is held go on by itself again, and one that waits for its next try be tried at the next `apply`.
 *
 * Parameters, returns, ownership, threads, effects: as `certwright_rollback`.
 */
certwright_result certwright_release(const certwright_lifecycle *lifecycle,
                                     const char *lineage,
                                     size_t lineage_len,
                                     const certwright_options *options,
                                     certwright_report **out,
                                     certwright_error **error_out);

/**
 * What is active, until when, when it is renewed, and what is unfinished.
 *
 * Parameters: `lineages`, names, or NULL with 0 for all.
 *
 * Returns: as `certwright_plan`.
 *
 * Ownership: `*out` is the caller's, until `certwright_report_free`. Threads: any. Effects: reads the disk.
 */
certwright_result certwright_status(const certwright_lifecycle *lifecycle,
                                    const certwright_str *lineages,
                                    size_t lineages_len,
                                    certwright_report **out,
                                    certwright_error **error_out);

/**
 * Ends it, and with it the callbacks that it was given: their `destroy` is called. NULL is nothing. No verb may be running.
 */
void certwright_lifecycle_free(certwright_lifecycle *lifecycle);

/* ==== Reports ==== */

/**
 * How it came out: the worst of its lineages. `CERTWRIGHT_OUTCOME_FAILED` for NULL.
 *
 * Threads: any. Effects: none.
 */
certwright_outcome certwright_report_outcome(const certwright_report *report);

/**
 * All of it as JSON, as the command line prints it with `--json` (an `apply` there has its outcome at the end).
 *
 * Ownership: the text is the report's. Threads: any. Effects: none. No text for NULL.
 */
certwright_str certwright_report_json(const certwright_report *report);

/**
 * How many lineages it is about; they are in the order of their names. 0 for NULL.
 *
 * Threads: any. Effects: none.
 */
size_t certwright_report_lineages_len(const certwright_report *report);

/**
 * The name of a lineage, from 0.
 *
 * Ownership: the text is the report's. Threads: any. Effects: none. No text for NULL, nor beyond the end.
 */
certwright_str certwright_report_lineage_name(const certwright_report *report,
                                              size_t index);

/**
 * How a lineage came out, from 0. `CERTWRIGHT_OUTCOME_FAILED` for NULL, and beyond the end.
 *
 * Threads: any. Effects: none.
 */
certwright_outcome certwright_report_lineage_outcome(const certwright_report *report, size_t index);

/**
 * Whether a generation became active, from 0. `false` for the verbs that change nothing, for NULL, and beyond the end.
 *
 * Threads: any. Effects: none.
 */
bool certwright_report_lineage_changed(const certwright_report *report,
                                       size_t index);

/**
 * The generation that is active now, from 0; no text where there is none or the verb does not look.
 *
 * Ownership: the text is the report's. Threads: any. Effects: none.
 */
certwright_str certwright_report_lineage_generation(const certwright_report *report, size_t index);

/**
 * The last moment of validity of what is active, in seconds since 1970-01-01T00:00:00Z, from 0; `INT64_MIN` where it is not
 * known.
 *
 * Threads: any. Effects: none.
 */
int64_t certwright_report_lineage_not_after(const certwright_report *report,
                                            size_t index);

/**
 * Why a lineage failed, from 0; NULL where it did not.
 *
 * Ownership: the error is the report's: it must not be freed. Threads: any. Effects: none.
 */
const certwright_error *certwright_report_lineage_error(const certwright_report *report,
                                                        size_t index);

/**
 * Ends it. NULL is nothing.
 */
void certwright_report_free(certwright_report *report);

/* ==== Who may read a path ==== */

/**
 * Asks what a process with this user id, group id and these supplementary groups may do with a file or directory, the
 * way there included: mode bits and POSIX ACLs of every component, links followed as the kernel follows them. No
 * capabilities are assumed (acl(5), path_resolution(7)).
 *
 * Parameters: `path`, absolute; `groups`, `groups_len` numbers, or NULL with 0.
 *
 * Returns: `CERTWRIGHT_RESULT_OK` also when nothing may be done; `CERTWRIGHT_RESULT_NOT_FOUND`,
 * `CERTWRIGHT_RESULT_PERMISSION`, `CERTWRIGHT_RESULT_IO` when the path cannot be looked at;
 * `CERTWRIGHT_RESULT_INVALID_ARGUMENT` when it is not absolute.
 *
 * Ownership: `*out` is the caller's, until `certwright_access_free`. Threads: any. Effects: reads the disk.
 */
certwright_result certwright_access_ask(const char *path,
                                        size_t path_len,
                                        uint32_t uid,
                                        uint32_t gid,
                                        const uint32_t *groups,
                                        size_t groups_len,
                                        certwright_access **out,
                                        certwright_error **error_out);

/**
 * Whether it may be read. `false` for NULL, and where that is not certain.
 *
 * Threads: any. Effects: none.
 */
bool certwright_access_may_read(const certwright_access *access);

/**
 * Whether it may be written. `false` for NULL, and where that is not certain.
 *
 * Threads: any. Effects: none.
 */
bool certwright_access_may_write(const certwright_access *access);

/**
 * Whether it may be executed, or searched where it is a directory. `false` for NULL, and where that is not certain.
 *
 * Threads: any. Effects: none.
 */
bool certwright_access_may_execute(const certwright_access *access);

/**
 * Why it may or may not be read: the component and the entry that decide, in one line.
 *
 * Ownership: the text is the object's. Threads: any. Effects: none. No text for NULL.
 */
certwright_str certwright_access_why(const certwright_access *access);

/**
 * Ends it. NULL is nothing.
 */
void certwright_access_free(certwright_access *access);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CERTWRIGHT_H */

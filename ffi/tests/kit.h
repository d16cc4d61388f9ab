/* What the programs of the tests share. */
#ifndef KIT_H
#define KIT_H

#define _POSIX_C_SOURCE 200809L

#include <certwright.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failures = 0;

/* A text with its length. */
#define TEXT(text) (text), strlen(text)

#define EXPECT(what)                                                  \
  do {                                                                \
    if (!(what)) {                                                    \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
      failures++;                                                     \
    }                                                                 \
  } while (0)

/* What has to go well for the rest to mean anything. */
#define MUST(call)                                                                       \
  do {                                                                                   \
    if ((call) != CERTWRIGHT_RESULT_OK) {                                                \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, certwright_error_json(error).data); \
      exit(1);                                                                           \
    }                                                                                    \
  } while (0)

static inline int is(certwright_str text, const char *other) {
  return text.data != NULL && text.len == strlen(other) && strcmp(text.data, other) == 0;
}

static inline int has(certwright_str text, const char *part) {
  return text.data != NULL && strstr(text.data, part) != NULL;
}

/* A whole file, with a NUL behind it. */
static inline char *contents(const char *folder, const char *name, size_t *len) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  char *text = calloc(1, 1 << 16);
  if (file == NULL || text == NULL) {
    perror(path);
    exit(1);
  }
  *len = fread(text, 1, (1 << 16) - 1, file);
  fclose(file);
  return text;
}

/* A test that hangs is over some time. */
static inline void begin(int argc) {
  if (argc != 2) exit(2);
  alarm(300);
}

/* A configuration with the embedded CA as `lab`. */
static inline certwright_config *laboratory(const char *root) {
  certwright_error *error = NULL;
  certwright_config *config = NULL;
  MUST(certwright_config_new(TEXT(root), &config, &error));
  MUST(certwright_config_add_local_issuer(config, TEXT("lab"), &error));
  return config;
}

/* A wish for one name from `lab`. */
static inline certwright_spec *wish(const char *lineage, const char *identifier) {
  certwright_error *error = NULL;
  certwright_spec *spec = NULL;
  MUST(certwright_spec_new(TEXT(lineage), &spec, &error));
  MUST(certwright_spec_add_identifier(spec, TEXT(identifier), &error));
  MUST(certwright_spec_add_issuer(spec, TEXT("lab"), &error));
  return spec;
}

#endif

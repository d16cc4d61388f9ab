/* Everything that there is, called wrongly. The calls are written from the header. */
#include <certwright.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  failures++;
}

/* -1: whatever it comes to, it comes to an end. */
static void expect(const char *what, certwright_result result, int64_t expected, certwright_error **error) {
  if (expected >= 0 && result != (certwright_result)expected) {
    fprintf(stderr, "%s: %s in place of %s\n", what, certwright_result_name(result).data,
            certwright_result_name((uint32_t)expected).data);
    failures++;
  }
  if ((result == CERTWRIGHT_RESULT_OK) != (*error == NULL)) fail(what, "an error without a failure, or none with one");
  if (*error != NULL) {
    if (certwright_error_kind(*error) != result) fail(what, "the error is of another kind");
    if (certwright_error_message(*error).len == 0) fail(what, "the error says nothing");
    if (result != CERTWRIGHT_RESULT_BUG && certwright_error_hint(*error).len == 0) fail(what, "the error has no hint");
    if (strlen(certwright_error_json(*error).data) != certwright_error_json(*error).len) fail(what, "a NUL in a text");
  }
  certwright_error_free(*error);
  *error = NULL;
}

static void expect_silent(const char *what, certwright_result result, int64_t expected) {
  if (expected >= 0 && result != (certwright_result)expected) fail(what, "another result when nobody takes the error");
}

static void check(const char *what, certwright_result result, certwright_error *error) {
  if (result == CERTWRIGHT_RESULT_OK) return;
  fprintf(stderr, "%s: %s\n", what, certwright_error_message(error).data);
  exit(1);
}

static int destroyed = 0;
static void destroy(void *data) { (void)data; destroyed++; }
static int64_t now(void *data) { (void)data; return 1795000000; }
static void begins(void *data, certwright_str lineage, certwright_str phase) { (void)data; (void)lineage; (void)phase; }
static uint32_t solve(void *data, const certwright_challenge *challenge, const certwright_cancel *cancel,
                      const certwright_failure *failure) {
  (void)data; (void)challenge; (void)cancel; (void)failure;
  return CERTWRIGHT_RESULT_OK;
}
static uint32_t reload(void *data, certwright_str lineage, certwright_str generation, certwright_str bundle,
                       const certwright_cancel *cancel, const certwright_failure *failure) {
  (void)data; (void)lineage; (void)generation; (void)bundle; (void)cancel; (void)failure;
  return CERTWRIGHT_RESULT_OK;
}
static uint32_t observe(void *data, const certwright_seen *seen, const certwright_cancel *cancel,
                        const certwright_failure *failure) {
  (void)data; (void)seen; (void)cancel; (void)failure;
  return CERTWRIGHT_RESULT_OK;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  certwright_error *error = NULL;
  char toml[4096];
  snprintf(toml, sizeof toml,
           "version = 1\nroot = \"%s\"\n[issuer.lab]\ntype = \"local\"\n[lineage.www]\nidentifiers = [\"www.example.org\"]\n"
           "issuer = \"lab\"\n", argv[1]);
  certwright_config *config = NULL, *config_out = NULL;
  check("config", certwright_config_parse(toml, strlen(toml), "here", 4, &config, &error), error);
  certwright_builder *builder = NULL, *builder_out = NULL, *other = NULL;
  check("builder", certwright_builder_new(config, &builder, &error), error);
  check("builder", certwright_builder_new(config, &other, &error), error);
  certwright_lifecycle *lifecycle = NULL, *lifecycle_out = NULL;
  check("lifecycle", certwright_builder_build(other, &lifecycle, &error), error);
  certwright_report *report = NULL, *report_out = NULL;
  check("apply", certwright_apply(lifecycle, NULL, 0, NULL, &report, &error), error);
  if (certwright_report_outcome(report) != CERTWRIGHT_OUTCOME_WELL) fail("apply", certwright_report_json(report).data);

  /* The key and the chain that it just made are as good as any. */
  char path[4096], key[8192], fullchain[16384];
  FILE *file;
  snprintf(path, sizeof path, "%s/www/current/key.pem", argv[1]);
  if ((file = fopen(path, "rb")) == NULL) return 1;
  key[fread(key, 1, sizeof key - 1, file)] = 0;
  fclose(file);
  snprintf(path, sizeof path, "%s/www/current/fullchain.pem", argv[1]);
  if ((file = fopen(path, "rb")) == NULL) return 1;
  fullchain[fread(fullchain, 1, sizeof fullchain - 1, file)] = 0;
  fclose(file);
  certwright_material *material = NULL, *material_out = NULL;
  check("material", certwright_material_new(key, strlen(key), fullchain, strlen(fullchain), &material, &error), error);
  certwright_spec *spec = NULL, *spec_out = NULL;
  check("spec", certwright_spec_new("www", 3, &spec, &error), error);
  check("identifier", certwright_spec_add_identifier(spec, "www.example.org", 15, &error), error);
  certwright_access *access = NULL, *access_out = NULL;
  check("access", certwright_access_ask("/etc/passwd", 11, 1, 1, NULL, 0, &access, &error), error);
  certwright_options *options = certwright_options_new();
  certwright_cancel *cancel = certwright_cancel_new();
  const certwright_failure *failure = NULL;
  const certwright_seen *seen = NULL;
  const certwright_str names[] = {{"www", 3}}, words[] = {{"word", 4}}, spoilt[] = {{"\xff", 1}};
  const uint32_t numbers[] = {7};
  const certwright_clock clock_callbacks = {1, NULL, now, destroy}, *clock = &clock_callbacks;
  const certwright_log log_callbacks = {1, NULL, begins, destroy}, *log = &log_callbacks;
  const certwright_solver solver_callbacks = {1, NULL, solve, solve, NULL, destroy}, *solver = &solver_callbacks;
  const certwright_reloader reloader_callbacks = {1, NULL, {"mine", 4}, reload, destroy}, *reloader = &reloader_callbacks;
  const certwright_probe probe_callbacks = {1, NULL, {"mine", 4}, observe, destroy}, *probe = &probe_callbacks;

  /* CALLS */

  /* Structures of a version to come, or without their functions, are refused, and their data stays the caller's. */
  certwright_clock odd = clock_callbacks;
  odd.version = 2;
  expect("a version to come", certwright_builder_set_clock(builder, &odd, &error), CERTWRIGHT_RESULT_INVALID_ARGUMENT, &error);
  odd.version = 1;
  odd.now = NULL;
  expect("a clock without time", certwright_builder_set_clock(builder, &odd, &error), CERTWRIGHT_RESULT_NULL_POINTER, &error);
  if (destroyed != 0) fail("a failed call", "destroyed the data of the caller");
  check("clock", certwright_builder_set_clock(builder, clock, &error), error);
  check("log", certwright_builder_set_log(builder, log, &error), error);
  check("solver", certwright_builder_add_solver(builder, solver, &error), error);
  check("reloader", certwright_builder_set_reloader(builder, "www", 3, reloader, &error), error);
  check("probe", certwright_builder_add_probe(builder, "www", 3, probe, &error), error);
  expect("a lineage that there is not", certwright_builder_add_probe(builder, "wwww", 4, probe, &error),
         CERTWRIGHT_RESULT_NOT_FOUND, &error);

  certwright_builder_free(builder);
  if (destroyed != 5) fail("the end of a builder", "did not destroy the data of each callback once");
  certwright_builder_free(other);
  certwright_config_free(config_out);
  certwright_builder_free(builder_out);
  certwright_lifecycle_free(lifecycle_out);
  certwright_report_free(report_out);
  certwright_material_free(material_out);
  certwright_spec_free(spec_out);
  certwright_access_free(access_out);
  certwright_report_free(report);
  certwright_lifecycle_free(lifecycle);
  certwright_config_free(config);
  certwright_material_free(material);
  certwright_spec_free(spec);
  certwright_access_free(access);
  certwright_options_free(options);
  certwright_cancel_free(cancel);
  return failures != 0;
}

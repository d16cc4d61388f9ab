/* What a program brings is called, believed, and ended once. The service is in this process: it serves a file that it reads
 * when it is reloaded. */
#include "kit.h"
#include <stdatomic.h>

static char folder[2048];

typedef struct {
  atomic_int calls;
  atomic_int destroyed;
} life;

static life clocks, logs, reloaders, probes;
static _Atomic int64_t the_time = 1795000000;

static void destroy(void *data) { ((life *)data)->destroyed++; }

static int64_t now(void *data) {
  ((life *)data)->calls++;
  return the_time;
}

static char phases[4096];
static void begins(void *data, certwright_str lineage, certwright_str phase) {
  ((life *)data)->calls++;
  EXPECT(is(lineage, "www"));
  strncat(phases, phase.data, sizeof phases - strlen(phases) - 1);
  strncat(phases, " ", sizeof phases - strlen(phases) - 1);
}

/* The service. */
static char *served = NULL;
static size_t served_len = 0;
static enum { WELL, FAILS, DEAF, GONE } service = WELL;
static char failing[64] = "";

static uint32_t reload(void *data, certwright_str lineage, certwright_str generation, certwright_str bundle,
                       const certwright_cancel *cancel, const certwright_failure *failure) {
  static const char key[] = "-----BEGIN PRIVATE KEY-----";
  ((life *)data)->calls++;
  EXPECT(is(lineage, "www"));
  EXPECT(bundle.len > sizeof key && memcmp(bundle.data, key, sizeof key - 1) == 0);
  EXPECT(!certwright_cancel_is_asked(cancel));
  /* It fails for the new one, and has the old one back. */
  if (service == FAILS && failing[0] == 0) {
    strncpy(failing, generation.data, sizeof failing - 1);
    certwright_failure_say(failure, TEXT("the wrong words"), NULL, 0);
    certwright_failure_say(failure, TEXT("the oven is full"), TEXT("take the bread out, then apply again"));
    return CERTWRIGHT_RESULT_RELOAD_FAILED;
  }
  if (service == DEAF) return CERTWRIGHT_RESULT_OK;
  free(served);
  served = contents(folder, "leaf.der", &served_len);
  return CERTWRIGHT_RESULT_OK;
}

static uint32_t observe(void *data, const certwright_seen *seen, const certwright_cancel *cancel,
                        const certwright_failure *failure) {
  ((life *)data)->calls++;
  EXPECT(!certwright_cancel_is_asked(cancel));
  if (service == GONE) {
    certwright_failure_say(failure, TEXT("nobody answers"), NULL, 0);
    return CERTWRIGHT_RESULT_NETWORK;
  }
  certwright_seen_add(seen, TEXT("the service of this process"), (const uint8_t *)served, served_len);
  return CERTWRIGHT_RESULT_OK;
}

static certwright_report *apply(certwright_lifecycle *lifecycle) {
  certwright_error *error = NULL;
  certwright_report *report = NULL;
  MUST(certwright_apply(lifecycle, NULL, 0, NULL, &report, &error));
  EXPECT(certwright_report_lineages_len(report) == 1);
  return report;
}

/* Everything is tried again at once. */
static void release(certwright_lifecycle *lifecycle) {
  certwright_error *error = NULL;
  certwright_report *report = NULL;
  MUST(certwright_release(lifecycle, TEXT("www"), NULL, &report, &error));
  certwright_report_free(report);
}

static int active_is(certwright_lifecycle *lifecycle, const char *generation) {
  certwright_error *error = NULL;
  certwright_report *report = NULL;
  MUST(certwright_status(lifecycle, NULL, 0, &report, &error));
  int same = is(certwright_report_lineage_generation(report, 0), generation);
  certwright_report_free(report);
  return same;
}

static certwright_builder *with_callbacks(const certwright_config *config) {
  const certwright_clock clock = {1, &clocks, now, destroy};
  const certwright_log log = {1, &logs, begins, destroy};
  const certwright_reloader reloader = {1, &reloaders, {TEXT("the service reads again")}, reload, destroy};
  const certwright_probe probe = {1, &probes, {TEXT("the service is asked")}, observe, destroy};
  certwright_error *error = NULL;
  certwright_builder *builder = NULL;
  MUST(certwright_builder_new(config, &builder, &error));
  MUST(certwright_builder_set_clock(builder, &clock, &error));
  MUST(certwright_builder_set_log(builder, &log, &error));
  MUST(certwright_builder_set_reloader(builder, TEXT("www"), &reloader, &error));
  MUST(certwright_builder_add_probe(builder, TEXT("www"), &probe, &error));
  MUST(certwright_builder_set_patience(builder, 10, &error));
  return builder;
}

static void expect_destroyed(int times) {
  EXPECT(clocks.destroyed == times);
  EXPECT(logs.destroyed == times);
  EXPECT(reloaders.destroyed == times);
  EXPECT(probes.destroyed == times);
}

int main(int argc, char **argv) {
  begin(argc);
  char path[4096];
  certwright_error *error = NULL;
  snprintf(folder, sizeof folder, "%s", argv[1]);
  snprintf(path, sizeof path, "%s/root", folder);
  certwright_config *config = laboratory(path);
  certwright_spec *spec = wish("www", "www.example.org");
  snprintf(path, sizeof path, "%s/leaf.der", folder);
  MUST(certwright_spec_add_output(spec, TEXT(path), CERTWRIGHT_STRATEGY_REPLACE, CERTWRIGHT_FORM_LEAF,
                                  CERTWRIGHT_ENCODING_DER, &error));
  MUST(certwright_config_add_lineage(config, spec, &error));
  certwright_builder *builder = with_callbacks(config);
  certwright_lifecycle *lifecycle = NULL;
  MUST(certwright_builder_build(builder, &lifecycle, &error));
  /* It has copies of all that it needs. */
  certwright_builder_free(builder);
  certwright_config_free(config);
  certwright_spec_free(spec);
  expect_destroyed(0);

  certwright_report *report = apply(lifecycle);
  EXPECT(certwright_report_outcome(report) == CERTWRIGHT_OUTCOME_WELL);
  EXPECT(certwright_report_lineage_changed(report, 0));
  char first[64];
  snprintf(first, sizeof first, "%s", certwright_report_lineage_generation(report, 0).data);
  int64_t not_after = certwright_report_lineage_not_after(report, 0);
  EXPECT(not_after > the_time);
  certwright_report_free(report);
  EXPECT(strstr(phases, "issue stage prove activate probe commit ") != NULL);
  EXPECT(clocks.calls > 0 && logs.calls > 5 && reloaders.calls == 1 && probes.calls > 0);

  /* Nothing is to do, and nobody is reloaded. */
  report = apply(lifecycle);
  EXPECT(certwright_report_outcome(report) == CERTWRIGHT_OUTCOME_WELL && !certwright_report_lineage_changed(report, 0));
  certwright_report_free(report);
  EXPECT(reloaders.calls == 1);

  /* Near the end of its life it is renewed, and the service fails: everything is as before, in its own words. */
  the_time = not_after - 3600;
  service = FAILS;
  report = apply(lifecycle);
  EXPECT(certwright_report_outcome(report) == CERTWRIGHT_OUTCOME_FAILED);
  const certwright_error *why = certwright_report_lineage_error(report, 0);
  EXPECT(certwright_error_kind(why) == CERTWRIGHT_RESULT_RELOAD_FAILED);
  EXPECT(is(certwright_error_phase(why), "activate"));
  EXPECT(has(certwright_error_message(why), "the oven is full") && !has(certwright_error_message(why), "wrong words"));
  EXPECT(is(certwright_error_hint(why), "take the bread out, then apply again"));
  EXPECT(certwright_error_aftermath(why) == CERTWRIGHT_AFTERMATH_ROLLED_BACK);
  EXPECT(is(certwright_error_generation(why), first));
  EXPECT(certwright_error_retry(why) == CERTWRIGHT_RETRY_AFTER && certwright_error_retry_at(why) > the_time);
  EXPECT(certwright_error_commands_len(why) == 0);
  certwright_report_free(report);
  EXPECT(reloaders.calls == 3 && strcmp(failing, first) != 0);
  EXPECT(active_is(lifecycle, first));

  /* It says that it read and serves the old one all the same. */
  service = DEAF;
  release(lifecycle);
  report = apply(lifecycle);
  why = certwright_report_lineage_error(report, 0);
  EXPECT(certwright_error_kind(why) == CERTWRIGHT_RESULT_PROBE_MISMATCH);
  EXPECT(is(certwright_error_phase(why), "probe"));
  EXPECT(certwright_error_aftermath(why) == CERTWRIGHT_AFTERMATH_ROLLED_BACK);
  certwright_report_free(report);
  EXPECT(active_is(lifecycle, first));

  /* It cannot be asked: nobody knows what it serves. */
  service = GONE;
  release(lifecycle);
  report = apply(lifecycle);
  why = certwright_report_lineage_error(report, 0);
  EXPECT(why != NULL && has(certwright_error_json(why), "nobody answers"));
  certwright_report_free(report);

  /* In order again. */
  service = WELL;
  release(lifecycle);
  report = apply(lifecycle);
  EXPECT(certwright_report_outcome(report) == CERTWRIGHT_OUTCOME_WELL);
  EXPECT(certwright_report_lineage_not_after(report, 0) > not_after);
  EXPECT(!is(certwright_report_lineage_generation(report, 0), first));
  certwright_report_free(report);

  expect_destroyed(0);
  certwright_lifecycle_free(lifecycle);
  expect_destroyed(1);

  /* A builder that was never built ends them as well; so does a lifecycle that could not be built. */
  config = laboratory(folder);
  spec = wish("www", "www.example.org");
  MUST(certwright_config_add_lineage(config, spec, &error));
  certwright_builder_free(with_callbacks(config));
  expect_destroyed(2);
  MUST(certwright_spec_add_issuer(spec, TEXT("nobody"), &error));
  MUST(certwright_config_add_lineage(config, spec, &error));
  builder = with_callbacks(config);
  lifecycle = NULL;
  EXPECT(certwright_builder_build(builder, &lifecycle, &error) == CERTWRIGHT_RESULT_INVALID_SPEC);
  EXPECT(lifecycle == NULL && has(certwright_error_message(error), "nobody"));
  expect_destroyed(3);
  certwright_error_free(error);
  error = NULL;
  EXPECT(certwright_builder_build(builder, &lifecycle, NULL) == CERTWRIGHT_RESULT_INVALID_ARGUMENT);
  certwright_builder_free(builder);
  expect_destroyed(3);
  certwright_config_free(config);
  certwright_spec_free(spec);
  free(served);
  return failures != 0;
}

/* Eight threads call verbs on one lifecycle; and one thread asks another to stop while a callback waits. */
#include "kit.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { THREADS = 8, ROUNDS = 3, LINEAGES = 3 };

static certwright_lifecycle *lifecycle = NULL;
static atomic_int changed = 0, wrong = 0;

static void *calls(void *number) {
  int odd = (int)(intptr_t)number % 2;
  certwright_options *options = certwright_options_new();
  certwright_options_set_wait(options, 120000);
  for (int round = 0; round < ROUNDS; round++) {
    certwright_error *error = NULL;
    certwright_report *report = NULL;
    certwright_result result;
    if (odd) {
      result = certwright_apply(lifecycle, NULL, 0, options, &report, &error);
      if (certwright_report_outcome(report) != CERTWRIGHT_OUTCOME_WELL) wrong++;
      for (size_t index = 0; index < certwright_report_lineages_len(report); index++)
        if (certwright_report_lineage_changed(report, index)) changed++;
    } else if (round % 2 == 0) {
      result = certwright_status(lifecycle, NULL, 0, &report, &error);
    } else {
      result = certwright_plan(lifecycle, NULL, 0, &report, &error);
    }
    if (result != CERTWRIGHT_RESULT_OK || error != NULL || certwright_report_lineages_len(report) != LINEAGES) {
      fprintf(stderr, "%s\n", certwright_error_json(error).data);
      wrong++;
    }
    certwright_report_free(report);
    certwright_error_free(error);
  }
  certwright_options_free(options);
  return NULL;
}

static void together(const char *root) {
  certwright_error *error = NULL;
  certwright_builder *builder = NULL;
  certwright_config *config = laboratory(root);
  const char *names[LINEAGES] = {"a", "b", "c"};
  for (int index = 0; index < LINEAGES; index++) {
    certwright_spec *spec = wish(names[index], "www.example.org");
    MUST(certwright_config_add_lineage(config, spec, &error));
    certwright_spec_free(spec);
  }
  MUST(certwright_builder_new(config, &builder, &error));
  MUST(certwright_builder_build(builder, &lifecycle, &error));
  pthread_t threads[THREADS];
  for (intptr_t index = 0; index < THREADS; index++)
    if (pthread_create(&threads[index], NULL, calls, (void *)index) != 0) exit(1);
  for (int index = 0; index < THREADS; index++) pthread_join(threads[index], NULL);
  /* Each lineage was issued once, whoever came first. */
  EXPECT(wrong == 0);
  EXPECT(changed == LINEAGES);
  certwright_lifecycle_free(lifecycle);
  certwright_builder_free(builder);
  certwright_config_free(config);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t waits = PTHREAD_COND_INITIALIZER;
static int is_waiting = 0;
static atomic_int reloads = 0;

static uint32_t reload(void *data, certwright_str lineage, certwright_str generation, certwright_str bundle,
                       const certwright_cancel *cancel, const certwright_failure *failure) {
  (void)data, (void)lineage, (void)generation, (void)bundle;
  reloads++;
  if (reloads == 2) {
    pthread_mutex_lock(&lock);
    is_waiting = 1;
    pthread_cond_signal(&waits);
    pthread_mutex_unlock(&lock);
    while (!certwright_cancel_is_asked(cancel)) sched_yield();
    certwright_failure_say(failure, TEXT("was asked to stop"), NULL, 0);
    return CERTWRIGHT_RESULT_CANCELLED;
  }
  return CERTWRIGHT_RESULT_OK;
}

static _Atomic int64_t the_time = 1795000000;
static int64_t now(void *data) {
  (void)data;
  return the_time;
}

static void *stops(void *cancel) {
  pthread_mutex_lock(&lock);
  while (!is_waiting) pthread_cond_wait(&waits, &lock);
  pthread_mutex_unlock(&lock);
  certwright_cancel_ask(cancel);
  return NULL;
}

static void stopped(const char *root) {
  certwright_error *error = NULL;
  certwright_builder *builder = NULL;
  certwright_report *report = NULL;
  certwright_config *config = laboratory(root);
  certwright_spec *spec = wish("www", "www.example.org");
  certwright_cancel *cancel = certwright_cancel_new();
  const certwright_reloader reloader = {1, NULL, {TEXT("waits")}, reload, NULL};
  const certwright_clock clock = {1, NULL, now, NULL};
  MUST(certwright_config_add_lineage(config, spec, &error));
  MUST(certwright_builder_new(config, &builder, &error));
  MUST(certwright_builder_set_cancel(builder, cancel, &error));
  MUST(certwright_builder_set_clock(builder, &clock, &error));
  MUST(certwright_builder_set_reloader(builder, TEXT("www"), &reloader, &error));
  MUST(certwright_builder_build(builder, &lifecycle, &error));
  MUST(certwright_apply(lifecycle, NULL, 0, NULL, &report, &error));
  char first[64];
  snprintf(first, sizeof first, "%s", certwright_report_lineage_generation(report, 0).data);
  the_time = certwright_report_lineage_not_after(report, 0) - 60;
  certwright_report_free(report);

  pthread_t thread;
  if (pthread_create(&thread, NULL, stops, cancel) != 0) exit(1);
  MUST(certwright_apply(lifecycle, NULL, 0, NULL, &report, &error));
  pthread_join(thread, NULL);
  const certwright_error *why = certwright_report_lineage_error(report, 0);
  EXPECT(certwright_error_kind(why) == CERTWRIGHT_RESULT_CANCELLED);
  EXPECT(certwright_error_aftermath(why) == CERTWRIGHT_AFTERMATH_ROLLED_BACK);
  EXPECT(is(certwright_error_generation(why), first));
  certwright_report_free(report);
  /* The service was told to read the one before again, although stopping was asked for. */
  EXPECT(reloads == 3);
  EXPECT(certwright_cancel_is_asked(cancel));

  /* The wish is not taken back: nothing more is begun. */
  report = NULL;
  certwright_result result = certwright_apply(lifecycle, NULL, 0, NULL, &report, &error);
  if (result == CERTWRIGHT_RESULT_OK) {
    EXPECT(certwright_report_outcome(report) != CERTWRIGHT_OUTCOME_WELL);
  } else {
    EXPECT(result == CERTWRIGHT_RESULT_CANCELLED);
  }
  EXPECT(reloads == 3);
  certwright_error_free(error);
  certwright_report_free(report);
  /* The share that the lifecycle has is its own. */
  certwright_cancel_free(cancel);
  certwright_lifecycle_free(lifecycle);
  certwright_builder_free(builder);
  certwright_config_free(config);
  certwright_spec_free(spec);
}

int main(int argc, char **argv) {
  begin(argc);
  char root[4096];
  snprintf(root, sizeof root, "%s/together", argv[1]);
  together(root);
  snprintf(root, sizeof root, "%s/stopped", argv[1]);
  stopped(root);
  return failures != 0;
}

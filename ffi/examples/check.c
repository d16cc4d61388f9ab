/* A plug-in for monitoring: check CONFIG [WARNING_DAYS CRITICAL_DAYS]
 *
 * One line, and the exit status of a plug-in for Nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. Files, access and what the
 * endpoints serve are compared with the wish; what is not as wished is a warning, what failed or ends soon is critical. */
#include <certwright.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const NAMES[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

static int unknown(const char *why) {
  printf("CERTWRIGHT UNKNOWN - %s\n", why);
  return 3;
}

/* The worst that was found, and of several alike the first. */
static int worst = 0;
static char worst_why[1024];
static void found(int state, certwright_str lineage, const char *why) {
  if (state <= worst) return;
  worst = state;
  snprintf(worst_why, sizeof worst_why, "%s: %s", lineage.data, why);
}

int main(int argc, char **argv) {
  static char toml[1 << 20];
  if (argc != 2 && argc != 4) return unknown("usage: check CONFIG [WARNING_DAYS CRITICAL_DAYS]");
  int64_t warning = argc == 4 ? strtoll(argv[2], NULL, 10) : 14, critical = argc == 4 ? strtoll(argv[3], NULL, 10) : 3;
  FILE *file = fopen(argv[1], "rb");
  if (file == NULL) return unknown("the configuration cannot be opened");
  size_t toml_len = fread(toml, 1, sizeof toml, file);
  fclose(file);

  certwright_error *error = NULL;
  certwright_config *config = NULL;
  certwright_builder *builder = NULL;
  certwright_lifecycle *lifecycle = NULL;
  certwright_report *verified = NULL, *status = NULL;
  if (certwright_config_parse(toml, toml_len, argv[1], strlen(argv[1]), &config, &error) ||
      certwright_builder_new(config, &builder, &error) || certwright_builder_build(builder, &lifecycle, &error) ||
      certwright_verify(lifecycle, NULL, 0, CERTWRIGHT_DEPTH_WHOLE, &verified, &error) ||
      certwright_status(lifecycle, NULL, 0, &status, &error)) {
    unknown(certwright_error_message(error).data);
    worst = 3;
  } else {
    for (size_t index = 0; index < certwright_report_lineages_len(verified); index++) {
      certwright_str name = certwright_report_lineage_name(verified, index);
      const certwright_error *why = certwright_report_lineage_error(verified, index);
      certwright_outcome outcome = certwright_report_lineage_outcome(verified, index);
      if (why != NULL)
        found(2, name, certwright_error_message(why).data);
      else if (outcome != CERTWRIGHT_OUTCOME_WELL)
        found(outcome == CERTWRIGHT_OUTCOME_FINDING ? 1 : 2, name, "is not as wished; `certwright verify` has the details");
    }
    int64_t least = INT64_MAX;
    for (size_t index = 0; index < certwright_report_lineages_len(status); index++) {
      int64_t not_after = certwright_report_lineage_not_after(status, index);
      if (not_after == INT64_MIN) continue;
      int64_t days = (not_after - (int64_t)time(NULL)) / 86400;
      char why[64];
      snprintf(why, sizeof why, "ends in %" PRId64 " days", days);
      if (days <= warning) found(days <= critical ? 2 : 1, certwright_report_lineage_name(status, index), why);
      if (days < least) least = days;
    }
    size_t count = certwright_report_lineages_len(verified);
    printf("CERTWRIGHT %s - %zu %s", NAMES[worst], count, count == 1 ? "lineage" : "lineages");
    if (worst > 0) printf("; %s", worst_why);
    if (least != INT64_MAX) printf(" | days=%" PRId64 ";%" PRId64 ";%" PRId64, least, warning, critical);
    putchar('\n');
  }
  certwright_report_free(status);
  certwright_report_free(verified);
  certwright_lifecycle_free(lifecycle);
  certwright_builder_free(builder);
  certwright_config_free(config);
  certwright_error_free(error);
  return worst;
}

/* The seven verbs on directories of their own, with the embedded CA; reports are read by their functions and as JSON. */
#include "kit.h"

static certwright_lifecycle *site(const char *folder, const char *name) {
  char toml[8192];
  certwright_error *error = NULL;
  certwright_config *config = NULL;
  certwright_builder *builder = NULL;
  certwright_lifecycle *lifecycle = NULL;
  snprintf(toml, sizeof toml,
           "version = 1\nroot = \"%s/%s\"\n[issuer.lab]\ntype = \"local\"\n"
           "[lineage.www]\nidentifiers = [\"www.example.org\"]\nissuer = \"lab\"\n"
           "[lineage.mail]\nidentifiers = [\"mail.example.org\"]\nissuer = \"lab\"\n",
           folder, name);
  MUST(certwright_config_parse(TEXT(toml), TEXT("certwright.toml"), &config, &error));
  MUST(certwright_builder_new(config, &builder, &error));
  MUST(certwright_builder_build(builder, &lifecycle, &error));
  certwright_builder_free(builder);
  certwright_config_free(config);
  return lifecycle;
}

static certwright_report *verified(const certwright_lifecycle *lifecycle) {
  certwright_error *error = NULL;
  certwright_report *report = NULL;
  MUST(certwright_verify(lifecycle, NULL, 0, CERTWRIGHT_DEPTH_DISK, &report, &error));
  return report;
}

static void versions(void) {
  char text[64];
  EXPECT(certwright_version_number() == CERTWRIGHT_VERSION_NUMBER);
  EXPECT(CERTWRIGHT_VERSION_NUMBER ==
         (CERTWRIGHT_VERSION_MAJOR << 16 | CERTWRIGHT_VERSION_MINOR << 8 | CERTWRIGHT_VERSION_PATCH));
  snprintf(text, sizeof text, "%d.%d.%d", CERTWRIGHT_VERSION_MAJOR, CERTWRIGHT_VERSION_MINOR, CERTWRIGHT_VERSION_PATCH);
  EXPECT(is(certwright_version_text(), text));
  EXPECT(is(certwright_result_name(CERTWRIGHT_RESULT_OK), "ok"));
  EXPECT(is(certwright_result_name(CERTWRIGHT_RESULT_PANIC), "panic"));
  EXPECT(is(certwright_result_name(999), "unknown"));
}

int main(int argc, char **argv) {
  begin(argc);
  versions();
  const char *folder = argv[1];
  certwright_error *error = NULL;
  certwright_report *report = NULL;
  const certwright_str www[] = {{TEXT("www")}};
  certwright_lifecycle *ours = site(folder, "ours"), *theirs = site(folder, "theirs");
  certwright_options *options = certwright_options_new();
  certwright_options_set_wait(options, 1000);
  certwright_options_set_ask_endpoints(options, false);

  /* Something is to be done. The lineages come in the order of their names. */
  MUST(certwright_plan(ours, NULL, 0, &report, &error));
  EXPECT(certwright_report_outcome(report) == CERTWRIGHT_OUTCOME_FINDING);
  EXPECT(certwright_report_lineages_len(report) == 2);
  EXPECT(is(certwright_report_lineage_name(report, 0), "mail") && is(certwright_report_lineage_name(report, 1), "www"));
  EXPECT(certwright_report_lineage_name(report, 2).data == NULL);
  EXPECT(certwright_report_lineage_not_after(report, 0) == INT64_MIN);
  EXPECT(has(certwright_report_json(report), "\"lineage\":\"mail\""));
  certwright_report_free(report);

  /* One of them. */
  MUST(certwright_apply(ours, www, 1, options, &report, &error));
  EXPECT(certwright_report_outcome(report) == CERTWRIGHT_OUTCOME_WELL && certwright_report_lineages_len(report) == 1);
  EXPECT(certwright_report_lineage_changed(report, 0) && certwright_report_lineage_error(report, 0) == NULL);
  EXPECT(certwright_report_lineage_not_after(report, 0) > 1700000000);
  char first[64];
  snprintf(first, sizeof first, "%s", certwright_report_lineage_generation(report, 0).data);
  EXPECT(strncmp(first, "0001-", 5) == 0 && has(certwright_report_json(report), first));
  certwright_report_free(report);
  report = verified(ours);
  EXPECT(certwright_report_outcome(report) == CERTWRIGHT_OUTCOME_FINDING);
  EXPECT(certwright_report_lineage_outcome(report, 0) == CERTWRIGHT_OUTCOME_FINDING);
  EXPECT(certwright_report_lineage_outcome(report, 1) == CERTWRIGHT_OUTCOME_WELL);
  certwright_report_free(report);

  /* The rest; then all is well, and nothing is done twice. */
  MUST(certwright_apply(ours, NULL, 0, NULL, &report, &error));
  EXPECT(certwright_report_lineage_changed(report, 0) && !certwright_report_lineage_changed(report, 1));
  certwright_report_free(report);
  report = verified(ours);
  EXPECT(certwright_report_outcome(report) == CERTWRIGHT_OUTCOME_WELL);
  certwright_report_free(report);

  /* What somebody else obtained is deployed from memory. */
  MUST(certwright_apply(theirs, www, 1, NULL, &report, &error));
  certwright_report_free(report);
  size_t key_len, chain_len;
  char *key = contents(folder, "theirs/www/current/key.pem", &key_len);
  char *chain = contents(folder, "theirs/www/current/fullchain.pem", &chain_len);
  certwright_material *material = NULL;
  MUST(certwright_material_new(key, key_len, chain, chain_len, &material, &error));
  memset(key, 0, key_len);
  MUST(certwright_deploy(ours, TEXT("www"), material, NULL, &report, &error));
  EXPECT(certwright_report_outcome(report) == CERTWRIGHT_OUTCOME_WELL);
  char second[64];
  snprintf(second, sizeof second, "%s", certwright_report_lineage_generation(report, 0).data);
  EXPECT(strncmp(second, "0002-", 5) == 0);
  certwright_report_free(report);
  size_t placed_len;
  char *placed = contents(folder, "ours/www/current/fullchain.pem", &placed_len);
  EXPECT(placed_len == chain_len && memcmp(placed, chain, chain_len) == 0);
  /* For a name that it is not for, nothing happens. */
  MUST(certwright_deploy(ours, TEXT("mail"), material, NULL, &report, &error));
  const certwright_error *why = certwright_report_lineage_error(report, 0);
  EXPECT(certwright_error_kind(why) == CERTWRIGHT_RESULT_UNFIT);
  EXPECT(certwright_error_aftermath(why) == CERTWRIGHT_AFTERMATH_UNTOUCHED);
  EXPECT(certwright_error_hint(why).len > 0 && has(certwright_error_json(why), "\"unfit\""));
  certwright_report_free(report);

  /* Back, forward by name, back again and released. */
  MUST(certwright_rollback(ours, TEXT("www"), NULL, 0, NULL, &report, &error));
  EXPECT(is(certwright_report_lineage_generation(report, 0), first));
  certwright_report_free(report);
  MUST(certwright_rollback(ours, TEXT("www"), TEXT(second), NULL, &report, &error));
  EXPECT(is(certwright_report_lineage_generation(report, 0), second));
  certwright_report_free(report);
  MUST(certwright_rollback(ours, TEXT("www"), TEXT(first), NULL, &report, &error));
  certwright_report_free(report);
  MUST(certwright_status(ours, www, 1, &report, &error));
  EXPECT(is(certwright_report_lineage_generation(report, 0), first));
  EXPECT(has(certwright_report_json(report), second));
  certwright_report_free(report);
  MUST(certwright_release(ours, TEXT("www"), NULL, &report, &error));
  EXPECT(certwright_report_outcome(report) == CERTWRIGHT_OUTCOME_WELL);
  certwright_report_free(report);

  /* What is there is not there: the call fails, and the error has the facts and the nearest name. */
  report = NULL;
  EXPECT(certwright_status(ours, &(certwright_str){TEXT("wwww")}, 1, &report, &error) == CERTWRIGHT_RESULT_NOT_FOUND);
  EXPECT(report == NULL && certwright_error_kind(error) == CERTWRIGHT_RESULT_NOT_FOUND);
  EXPECT(certwright_error_context_len(error) > 0);
  EXPECT(is(certwright_error_context_name(error, 0), "lineage") && is(certwright_error_context_value(error, 0), "wwww"));
  EXPECT(certwright_error_context_name(error, 99).data == NULL);
  EXPECT(has(certwright_error_hint(error), "`www`"));
  certwright_error_free(error);
  error = NULL;

  /* Who may read the key. */
  char path[4096];
  const uint32_t groups[] = {54321, 54322};
  certwright_access *access = NULL;
  snprintf(path, sizeof path, "%s/ours/www/current/key.pem", folder);
  MUST(certwright_access_ask(TEXT(path), (uint32_t)getuid(), (uint32_t)getgid(), NULL, 0, &access, &error));
  EXPECT(certwright_access_may_read(access) && !certwright_access_may_execute(access));
  certwright_access_free(access);
  MUST(certwright_access_ask(TEXT(path), 54321, 54321, groups, 2, &access, &error));
  EXPECT(!certwright_access_may_read(access) && !certwright_access_may_write(access));
  EXPECT(certwright_access_why(access).len > 0);
  certwright_access_free(access);

  certwright_material_free(material);
  certwright_options_free(options);
  certwright_lifecycle_free(ours);
  certwright_lifecycle_free(theirs);
  free(key);
  free(chain);
  free(placed);
  return failures != 0;
}

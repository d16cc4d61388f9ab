/* Plays a scenario: play CONFIG STEP... where a step is a verb with its lineage: "apply", "status www", "deploy www twin".
 * Prints each report as JSON on a line of its own. "deploy" takes what is active of the second lineage. */
#include "kit.h"

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  alarm(300);
  size_t toml_len;
  char *toml = contents(".", argv[1], &toml_len), word[3][256];
  certwright_error *error = NULL;
  certwright_config *config = NULL;
  certwright_builder *builder = NULL;
  certwright_lifecycle *lifecycle = NULL;
  MUST(certwright_config_parse(toml, toml_len, TEXT(argv[1]), &config, &error));
  MUST(certwright_builder_new(config, &builder, &error));
  MUST(certwright_builder_build(builder, &lifecycle, &error));
  for (int step = 2; step < argc; step++) {
    int words = sscanf(argv[step], "%255s %255s %255s", word[0], word[1], word[2]);
    const certwright_str one = {TEXT(words > 1 ? word[1] : "")}, *names = words > 1 ? &one : NULL;
    const size_t len = words > 1 ? 1 : 0;
    certwright_report *report = NULL;
    if (strcmp(word[0], "plan") == 0) {
      MUST(certwright_plan(lifecycle, names, len, &report, &error));
    } else if (strcmp(word[0], "apply") == 0) {
      MUST(certwright_apply(lifecycle, names, len, NULL, &report, &error));
    } else if (strcmp(word[0], "verify") == 0) {
      MUST(certwright_verify(lifecycle, names, len, CERTWRIGHT_DEPTH_WHOLE, &report, &error));
    } else if (strcmp(word[0], "status") == 0) {
      MUST(certwright_status(lifecycle, names, len, &report, &error));
    } else if (strcmp(word[0], "rollback") == 0) {
      MUST(certwright_rollback(lifecycle, one.data, one.len, NULL, 0, NULL, &report, &error));
    } else if (strcmp(word[0], "release") == 0) {
      MUST(certwright_release(lifecycle, one.data, one.len, NULL, &report, &error));
    } else if (strcmp(word[0], "deploy") == 0) {
      char path[1024];
      size_t key_len, chain_len;
      certwright_material *material = NULL;
      snprintf(path, sizeof path, "root/%s/current", word[2]);
      char *key = contents(path, "key.pem", &key_len), *chain = contents(path, "fullchain.pem", &chain_len);
      MUST(certwright_material_new(key, key_len, chain, chain_len, &material, &error));
      MUST(certwright_deploy(lifecycle, one.data, one.len, material, NULL, &report, &error));
      certwright_material_free(material);
      free(key);
      free(chain);
    } else {
      return 2;
    }
    printf("%s\n", certwright_report_json(report).data);
    certwright_report_free(report);
  }
  certwright_lifecycle_free(lifecycle);
  certwright_builder_free(builder);
  certwright_config_free(config);
  free(toml);
  return failures != 0;
}

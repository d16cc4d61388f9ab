/* Deploys what another client obtained: deploy CONFIG LINEAGE KEY FULLCHAIN */
#include <certwright.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = calloc(1, 1 << 16);
  if (!file || !text || fread(text, 1, (1 << 16) - 1, file) == 0) { perror(path); exit(2); }
  fclose(file);
  return text;
}

static int tell(const certwright_error *error) {
  fprintf(stderr, "deploy: %s\n", certwright_error_message(error).data);
  if (certwright_error_hint(error).data) fprintf(stderr, "hint: %s\n", certwright_error_hint(error).data);
  return 1;
}

int main(int argc, char **argv) {
  certwright_config *config = NULL; certwright_builder *builder = NULL; certwright_lifecycle *lifecycle = NULL;
  certwright_material *material = NULL; certwright_report *report = NULL; certwright_error *error = NULL;
  if (argc != 5) { fputs("usage: deploy CONFIG LINEAGE KEY FULLCHAIN\n", stderr); return 2; }
  char *toml = read_file(argv[1]), *key = read_file(argv[3]), *chain = read_file(argv[4]);
  int status = 0;
  if (certwright_config_parse(toml, strlen(toml), argv[1], strlen(argv[1]), &config, &error) ||
      certwright_builder_new(config, &builder, &error) || certwright_builder_build(builder, &lifecycle, &error) ||
      certwright_material_new(key, strlen(key), chain, strlen(chain), &material, &error) ||
      certwright_deploy(lifecycle, argv[2], strlen(argv[2]), material, NULL, &report, &error))
    status = tell(error);
  else if (certwright_report_lineage_error(report, 0))
    status = tell(certwright_report_lineage_error(report, 0));
  else
    printf("%s is served\n", certwright_report_lineage_generation(report, 0).data);
  certwright_error_free(error); certwright_report_free(report); certwright_material_free(material);
  certwright_lifecycle_free(lifecycle); certwright_builder_free(builder); certwright_config_free(config);
  free(toml); free(key); free(chain);
  return status;
}

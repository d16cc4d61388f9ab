/* A hook for certbot: `certbot renew --deploy-hook 'hook /etc/certwright/certwright.toml'`. certbot says in RENEWED_LINEAGE where
 * key and chain are; the last part of that path is the lineage, unless a second argument names another. */
#include <certwright.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *folder, const char *name, size_t *len) {
  enum { MOST = 1 << 20 };
  char path[4096];
  char *text = malloc(MOST);
  if (snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", name) >= (int)sizeof path || text == NULL) exit(1);
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  *len = fread(text, 1, MOST, file);
  fclose(file);
  return text;
}

/* The key is in no memory that is given back. `memset` alone may be left out by the compiler. */
static void forget(char *secret, size_t len) {
  volatile char *byte = secret;
  while (len-- > 0) *byte++ = 0;
  free(secret);
}

static void tell(const certwright_error *error) {
  fprintf(stderr, "hook: %s\n", certwright_error_message(error).data);
  if (certwright_error_hint(error).len > 0) fprintf(stderr, "hint: %s\n", certwright_error_hint(error).data);
  for (size_t index = 0; index < certwright_error_commands_len(error); index++)
    fprintf(stderr, "run:  %s\n", certwright_error_command(error, index).data);
}

int main(int argc, char **argv) {
  const char *renewed = getenv("RENEWED_LINEAGE");
  if (argc < 2 || argc > 3 || renewed == NULL) {
    fputs("usage: RENEWED_LINEAGE=/etc/letsencrypt/live/NAME hook CONFIG [LINEAGE]\n", stderr);
    return 2;
  }
  const char *last = strrchr(renewed, '/');
  const char *lineage = argc == 3 ? argv[2] : last == NULL ? renewed : last + 1;
  size_t toml_len, key_len, chain_len;
  char *toml = read_file("", argv[1], &toml_len);
  char *key = read_file(renewed, "privkey.pem", &key_len), *chain = read_file(renewed, "fullchain.pem", &chain_len);

  certwright_error *error = NULL;
  certwright_config *config = NULL;
  certwright_builder *builder = NULL;
  certwright_lifecycle *lifecycle = NULL;
  certwright_material *material = NULL;
  certwright_report *report = NULL;
  int failed = certwright_material_new(key, key_len, chain, chain_len, &material, &error) ||
               certwright_config_parse(toml, toml_len, argv[1], strlen(argv[1]), &config, &error) ||
               certwright_builder_new(config, &builder, &error) ||
               certwright_builder_build(builder, &lifecycle, &error) ||
               certwright_deploy(lifecycle, lineage, strlen(lineage), material, NULL, &report, &error);
  forget(key, key_len);
  const certwright_error *why = failed ? error : certwright_report_lineage_error(report, 0);
  if (why != NULL)
    tell(why);
  else if (certwright_report_lineage_changed(report, 0))
    printf("%s: %s is active\n", lineage, certwright_report_lineage_generation(report, 0).data);
  /* certbot shows what a hook says and goes on; the exit status is for whoever calls it by hand. */
  int status = why == NULL ? 0 : 1;
  certwright_report_free(report);
  certwright_lifecycle_free(lifecycle);
  certwright_builder_free(builder);
  certwright_config_free(config);
  certwright_material_free(material);
  certwright_error_free(error);
  free(chain);
  free(toml);
  return status;
}

/* A daemon with OpenSSL that takes its certificate through the library and follows renewals: reload_daemon CONFIG LINEAGE BUNDLE PORT
 *
 * BUNDLE is what is active, ROOT/LINEAGE/current/bundle.pem: it is served from the start, where it is there already. One thread
 * serves. The other one applies: at the start, every hour, and at SIGHUP, when it reads its configuration again. The
 * reloader hands key and chain over in memory; connections that are open keep what they had. SIGTERM ends it.
 *
 * Build: cc reload_daemon.c $(pkg-config --cflags --libs certwright openssl) -pthread -o reload_daemon */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <certwright.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { HOUR = 3600 };

/* What new connections are served with. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static SSL_CTX *serving = NULL;

/* Key, leaf and chain from memory. */
static SSL_CTX *context(const char *bundle, size_t len) {
  SSL_CTX *made = SSL_CTX_new(TLS_server_method());
  BIO *bio = BIO_new_mem_buf(bundle, (int)len);
  EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
  X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL), *next;
  int well = made && key && leaf && SSL_CTX_use_certificate(made, leaf) == 1 && SSL_CTX_use_PrivateKey(made, key) == 1;
  while (well && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) well = SSL_CTX_add0_chain_cert(made, next) == 1;
  X509_free(leaf);
  EVP_PKEY_free(key);
  BIO_free(bio);
  if (!well) SSL_CTX_free(made);
  return well ? made : NULL;
}

static uint32_t reload(void *data, certwright_str lineage, certwright_str generation, certwright_str bundle,
                       const certwright_cancel *cancel, const certwright_failure *failure) {
  (void)data, (void)lineage, (void)cancel;
  static const char why[] = "OpenSSL does not take key and chain", hint[] = "look at them with `certwright inspect`";
  SSL_CTX *fresh = context(bundle.data, bundle.len), *old;
  if (fresh == NULL) {
    certwright_failure_say(failure, why, sizeof why - 1, hint, sizeof hint - 1);
    return CERTWRIGHT_RESULT_RELOAD_FAILED;
  }
  pthread_mutex_lock(&lock);
  old = serving;
  serving = fresh;
  pthread_mutex_unlock(&lock);
  SSL_CTX_free(old);
  printf("serving %s\n", generation.data);
  fflush(stdout);
  return CERTWRIGHT_RESULT_OK;
}

static void *serve(void *listener) {
  static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";
  for (;;) {
    int client = accept(*(int *)listener, NULL, NULL);
    if (client < 0) continue;
    struct timeval limit = {5, 0};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    pthread_mutex_lock(&lock);
    SSL *tls = serving == NULL ? NULL : SSL_new(serving);
    pthread_mutex_unlock(&lock);
    char request[1024];
    if (tls != NULL && SSL_set_fd(tls, client) == 1 && SSL_accept(tls) == 1 && SSL_read(tls, request, sizeof request) > 0) {
      SSL_write(tls, answer, sizeof answer - 1);
      SSL_shutdown(tls);
    }
    SSL_free(tls);
    close(client);
  }
  return NULL;
}

/* Obtains what is missing or due. Where that fails, what is served stays. */
static void apply(const char *path, const char *lineage) {
  static char toml[1 << 20];
  static const char name[] = "hand it to the server of this process";
  const certwright_reloader reloader = {1, NULL, {name, sizeof name - 1}, reload, NULL};
  const certwright_str only = {lineage, strlen(lineage)};
  certwright_error *error = NULL;
  certwright_config *config = NULL;
  certwright_builder *builder = NULL;
  certwright_lifecycle *lifecycle = NULL;
  certwright_report *report = NULL;
  FILE *file = fopen(path, "rb");
  size_t len = file == NULL ? 0 : fread(toml, 1, sizeof toml, file);
  if (file != NULL) fclose(file);
  int failed = certwright_config_parse(toml, len, path, strlen(path), &config, &error) ||
               certwright_builder_new(config, &builder, &error) ||
               certwright_builder_set_reloader(builder, lineage, strlen(lineage), &reloader, &error) ||
               certwright_builder_build(builder, &lifecycle, &error) ||
               certwright_apply(lifecycle, &only, 1, NULL, &report, &error);
  const certwright_error *why = failed ? error : certwright_report_lineage_error(report, 0);
  if (why != NULL) {
    fprintf(stderr, "reload_daemon: %s\n", certwright_error_message(why).data);
    if (certwright_error_hint(why).len > 0) fprintf(stderr, "hint: %s\n", certwright_error_hint(why).data);
  }
  certwright_report_free(report);
  certwright_lifecycle_free(lifecycle);
  certwright_builder_free(builder);
  certwright_config_free(config);
  certwright_error_free(error);
}

/* What was active before this process began. The next `apply` says whether it still is what is wished. */
static void begin_with(const char *path) {
  static char bundle[1 << 16];
  FILE *file = fopen(path, "rb");
  if (file == NULL) return;
  size_t len = fread(bundle, 1, sizeof bundle, file);
  fclose(file);
  serving = context(bundle, len);
  OPENSSL_cleanse(bundle, sizeof bundle);
  if (serving != NULL) printf("serving %s\n", path);
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fputs("usage: reload_daemon CONFIG LINEAGE BUNDLE PORT\n", stderr);
    return 2;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGHUP);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  signal(SIGPIPE, SIG_IGN);

  struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[4]))};
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (listener < 0 || bind(listener, (struct sockaddr *)&place, sizeof place) != 0 || listen(listener, 64) != 0) {
    perror("reload_daemon");
    return 1;
  }
  begin_with(argv[3]);
  pthread_t server;
  if (pthread_create(&server, NULL, serve, &listener) != 0) return 1;

  const struct timespec hour = {HOUR, 0};
  int signal_number;
  do {
    apply(argv[1], argv[2]);
    signal_number = sigtimedwait(&signals, NULL, &hour);
  } while (signal_number != SIGTERM && signal_number != SIGINT);
  return 0;
}

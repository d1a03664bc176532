/* httpload: GET requests over connections that are kept, with answers and their delay counted.
 *
 * usage: httpload IP PORT CONNECTIONS SECONDS RATE PATH TOKEN [PATH TOKEN]...
 *
 * The requests take turns: each PATH with its TOKEN as Authorization: Bearer. RATE 0: each connection asks again as soon
 * as it is answered, which shows how many answers a second there are at most; the delay is from the request to the last
 * byte of its answer. Another RATE: so many requests a second fall due at even distances, whether the ones before are
 * answered or not, and the delay counts from the moment at which the request was due.
 *
 * Prints one JSON object: answered, failed (any status but 200, or a connection that broke), seconds, delays in
 * microseconds, and the bytes of the last answer of each path.
 *
 * Loopback only, and bounded: at most CONNECTIONS_MAX connections, SECONDS_MAX seconds and DELAYS_MAX answers. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  CONNECTIONS_MAX = 1000,
  SECONDS_MAX = 60,
  REQUESTS_MAX = 8,
  REQUEST_BYTES = 2048,
  ANSWER_BYTES = 1 << 20, /* an answer that is longer is a failure */
  DELAYS_MAX = 8000000,
};

struct connection {
  int socket, busy, request;
  uint64_t since_ns;
  size_t held;
  char *answer;
};

static struct connection connections[CONNECTIONS_MAX];
static char requests[REQUESTS_MAX][REQUEST_BYTES];
static size_t request_bytes[REQUESTS_MAX], answer_bytes[REQUESTS_MAX];
static int request_count, next_request;
static float *delays_us;
static size_t delay_count;
static uint64_t failed;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void die(const char *what) {
  fprintf(stderr, "httpload: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void ask(struct connection *c, uint64_t since_ns) {
  c->request = next_request;
  next_request = (next_request + 1) % request_count;
  c->busy = 1;
  c->held = 0;
  c->since_ns = since_ns;
  /* A request is far smaller than a socket's buffer: it goes whole or the connection is broken. */
  if (send(c->socket, requests[c->request], request_bytes[c->request], MSG_NOSIGNAL) !=
      (ssize_t)request_bytes[c->request])
    die("a request could not be sent");
}

/* How long the whole answer is; 0 while its head is not all there. */
static size_t whole_bytes(const struct connection *c) {
  const char *end = memmem(c->answer, c->held, "\r\n\r\n", 4);
  if (!end)
    return 0;
  size_t head = (size_t)(end - c->answer) + 4;
  for (const char *line = c->answer; line && line < end;) {
    if (!strncasecmp(line, "content-length:", 15))
      return head + strtoul(line + 15, NULL, 10);
    line = memmem(line, (size_t)(end - line), "\r\n", 2);
    line = line ? line + 2 : NULL;
  }
  errno = EPROTO;
  die("an answer without Content-Length");
  return 0;
}

/* Reads what is there. 1 when the connection is free again. */
static int hear(struct connection *c) {
  for (;;) {
    if (c->held >= ANSWER_BYTES - 1)
      die("an answer is too long");
    ssize_t got = recv(c->socket, c->answer + c->held, ANSWER_BYTES - 1 - c->held, 0);
    if (got < 0 && errno == EAGAIN)
      return 0;
    if (got <= 0)
      die("a connection was closed");
    c->held += (size_t)got;
    c->answer[c->held] = 0;
    size_t whole = whole_bytes(c);
    if (!whole || c->held < whole)
      continue;
    if (strncmp(c->answer, "HTTP/1.1 200", 12)) {
      if (!failed++)
        fprintf(stderr, "httpload: the first failure: %.600s\n", c->answer);
    } else if (delay_count < DELAYS_MAX) {
      delays_us[delay_count++] = (float)(now_ns() - c->since_ns) / 1000.0f;
    }
    answer_bytes[c->request] = whole;
    c->busy = 0;
    return 1;
  }
}

static int compare(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static float quantile(double part) {
  if (!delay_count)
    return 0;
  size_t place = (size_t)(part * (double)delay_count);
  return delays_us[place < delay_count ? place : delay_count - 1];
}

int main(int argc, char **argv) {
  if (argc < 8 || argc % 2) {
    fprintf(stderr, "usage: httpload IP PORT CONNECTIONS SECONDS RATE PATH TOKEN [PATH TOKEN]...\n");
    return 2;
  }
  int count = atoi(argv[3]), seconds = atoi(argv[4]), rate = atoi(argv[5]);
  request_count = (argc - 6) / 2;
  if (count < 1 || count > CONNECTIONS_MAX || seconds < 1 || seconds > SECONDS_MAX || rate < 0 ||
      request_count > REQUESTS_MAX || strncmp(argv[1], "127.", 4)) {
    fprintf(stderr, "httpload: out of bounds\n");
    return 2;
  }
  for (int i = 0; i < request_count; i++) {
    int bytes = snprintf(requests[i], REQUEST_BYTES,
                         "GET %s HTTP/1.1\r\nHost: %s:%s\r\nAuthorization: Bearer %s\r\nAccept: application/json\r\n\r\n",
                         argv[6 + 2 * i], argv[1], argv[2], argv[7 + 2 * i]);
    if (bytes >= REQUEST_BYTES)
      return 2;
    request_bytes[i] = (size_t)bytes;
  }
  delays_us = malloc(sizeof *delays_us * DELAYS_MAX);
  int poll = epoll_create1(0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
  inet_pton(AF_INET, argv[1], &to.sin_addr);
  for (int i = 0; i < count; i++) {
    struct connection *c = &connections[i];
    c->answer = malloc(ANSWER_BYTES);
    c->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (!delays_us || !c->answer || connect(c->socket, (struct sockaddr *)&to, sizeof to))
      die("no connection");
    int one = 1;
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->socket, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poll, EPOLL_CTL_ADD, c->socket, &event);
  }
  uint64_t begun = now_ns(), end = begun + (uint64_t)seconds * 1000000000ull, due = 0, gap = 0;
  if (rate) {
    gap = 1000000000ull / (uint64_t)rate;
    due = begun;
  } else {
    for (int i = 0; i < count; i++)
      ask(&connections[i], now_ns());
  }
  struct epoll_event events[CONNECTIONS_MAX];
  int place = 0; /* where the search for a free connection begins */
  for (uint64_t now = begun; now < end; now = now_ns()) {
    /* A request that is due and finds no free connection waits for one; its delay goes on. */
    for (int tried = 0; rate && due <= now && tried < count; tried++, place = (place + 1) % count) {
      if (!connections[place].busy) {
        ask(&connections[place], due);
        due += gap;
        tried = -1;
      }
    }
    struct timespec patience = {0, 1000000};
    if (rate && due > now)
      patience.tv_nsec = (long)(due - now < 1000000 ? due - now : 1000000);
    int ready = epoll_pwait2(poll, events, count, &patience, NULL);
    for (int i = 0; i < ready; i++) {
      struct connection *c = events[i].data.ptr;
      if (hear(c) && !rate)
        ask(c, now_ns());
    }
  }
  double took = (double)(now_ns() - begun) / 1e9;
  qsort(delays_us, delay_count, sizeof *delays_us, compare);
  printf("{\"answered\": %zu, \"failed\": %llu, \"seconds\": %.3f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, "
         "\"bytes\": [",
         delay_count, (unsigned long long)failed, took, quantile(0.5), quantile(0.99), quantile(1.0));
  for (int i = 0; i < request_count; i++)
    printf("%s%zu", i ? ", " : "", answer_bytes[i]);
  printf("]}\n");
  return 0;
}

/* rtpload: many G.711 calls' worth of RTP or SRTP through a relay, with loss and delay counted.
 *
 * usage: rtpload LEGS SECONDS WARMUP_SECONDS
 *
 * LEGS is a file with one leg a line; a call through a relay is two legs:
 *   LOCAL_IP LOCAL_PORT REMOTE_IP REMOTE_PORT TX_KEY RX_KEY
 * The local port is bound for RTP, the next one for RTCP (received and thrown away, so that the relay's reports do not
 * bounce). A key is the base64 of the 30 bytes of an SDES line with AES_CM_128_HMAC_SHA1_80 (RFC 4568), or '-'.
 *
 * Each leg sends a 160-byte packet every 20 ms; the legs' starts are spread evenly over those 20 ms. The payload holds a
 * magic number and the clock just before the send. The arrival time is the kernel's stamp (SO_TIMESTAMPNS), so that the
 * delay leaves out how long this program took to read.
 *
 * Prints "MARK start" and "MARK end" around the measured window (the caller samples the relay's processor time there)
 * and then one JSON object. Counts and delays cover the packets sent inside the window.
 *
 * Loopback only, and bounded: at most LEGS_MAX legs and SECONDS_MAX seconds. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <srtp2/srtp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "sdes.h"

enum {
  LEGS_MAX = 4000,
  SECONDS_MAX = 120,
  PAYLOAD_BYTES = 160,
  HEADER_BYTES = 12,
  PAYLOAD_TYPE = 8, /* PCMA, RFC 3551 */
  BURST_MAX = 256, /* packets sent before the sockets are read again */
  DELAYS_MAX = 4000000,
};
static const uint64_t PACKET_NS = 20000000ull;
static const uint64_t LATE_NS = 5000000ull; /* a send this late is counted: the generator had too little processor */
static const uint32_t MAGIC = 0x544e444du;

struct stamp {
  uint32_t magic, leg;
  uint64_t sent_ns;
};

struct leg {
  int socket;
  struct sockaddr_in remote;
  srtp_t tx, rx; /* null: plain RTP */
  uint16_t sequence;
  uint32_t timestamp, ssrc;
  uint64_t due_ns, received;
};

static struct leg legs[LEGS_MAX];
static int leg_count;
static float *delays_us;
static size_t delay_count;
static uint64_t bad_auth, foreign;

static void die(const char *what) {
  perror(what);
  exit(2);
}

static uint64_t now_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static srtp_t srtp_from(const char *key_text, srtp_ssrc_type_t direction) {
  if (*key_text == '-') return NULL;
  uint8_t key[SDES_KEY_BYTES];
  sdes_key(key_text, key);
  srtp_policy_t policy;
  memset(&policy, 0, sizeof policy);
  srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
  srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
  policy.ssrc.type = direction;
  policy.key = key;
  policy.window_size = 1024;
  srtp_t srtp;
  if (srtp_create(&srtp, &policy)) {
    fprintf(stderr, "rtpload: srtp_create failed\n");
    exit(2);
  }
  return srtp;
}

static int bind_udp(const char *ip, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket");
  if (inet_pton(AF_INET, ip, &address.sin_addr) != 1 || bind(fd, (void *)&address, sizeof address)) die("bind");
  return fd;
}

static void read_legs(const char *path, int epoll) {
  FILE *file = fopen(path, "r");
  if (!file) die(path);
  char local_ip[64], remote_ip[64], tx_key[128], rx_key[128];
  int local_port, remote_port;
  while (leg_count < LEGS_MAX && fscanf(file, "%63s %d %63s %d %127s %127s", local_ip, &local_port, remote_ip,
                                        &remote_port, tx_key, rx_key) == 6) {
    struct leg *leg = &legs[leg_count];
    int on = 1, buffer = 1 << 20;
    leg->socket = bind_udp(local_ip, local_port);
    bind_udp(local_ip, local_port + 1);
    setsockopt(leg->socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    setsockopt(leg->socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    leg->remote.sin_family = AF_INET;
    leg->remote.sin_port = htons((uint16_t)remote_port);
    inet_pton(AF_INET, remote_ip, &leg->remote.sin_addr);
    if (ntohl(leg->remote.sin_addr.s_addr) >> 24 != 127) {
      fprintf(stderr, "rtpload: %s is not a loopback address\n", remote_ip);
      exit(2);
    }
    leg->tx = srtp_from(tx_key, ssrc_any_outbound);
    leg->rx = srtp_from(rx_key, ssrc_any_inbound);
    leg->ssrc = 0x10000000u + (uint32_t)leg_count * 7919u;
    leg->sequence = (uint16_t)(leg_count * 31 + 1);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)leg_count};
    epoll_ctl(epoll, EPOLL_CTL_ADD, leg->socket, &event);
    leg_count++;
  }
  fclose(file);
}

/* Sends the leg's next packet. Returns false when the kernel refused it. */
static int send_packet(struct leg *leg) {
  uint8_t packet[HEADER_BYTES + PAYLOAD_BYTES + SRTP_MAX_TRAILER_LEN];
  int length = HEADER_BYTES + PAYLOAD_BYTES;
  uint16_t sequence = htons(leg->sequence++);
  uint32_t timestamp = htonl(leg->timestamp), ssrc = htonl(leg->ssrc);
  leg->timestamp += PAYLOAD_BYTES;
  packet[0] = 0x80;
  packet[1] = PAYLOAD_TYPE;
  memcpy(packet + 2, &sequence, 2);
  memcpy(packet + 4, &timestamp, 4);
  memcpy(packet + 8, &ssrc, 4);
  memset(packet + HEADER_BYTES, 0xd5, PAYLOAD_BYTES);
  struct stamp stamp = {MAGIC, (uint32_t)(leg - legs), now_ns(CLOCK_REALTIME)};
  memcpy(packet + HEADER_BYTES, &stamp, sizeof stamp);
  if (leg->tx) srtp_protect(leg->tx, packet, &length);
  return sendto(leg->socket, packet, (size_t)length, 0, (void *)&leg->remote, sizeof leg->remote) >= 0;
}

/* Reads one packet. Returns false when the socket is empty. A packet sent in [from_ns, to_ns) is counted. */
static int receive_packet(struct leg *leg, uint64_t from_ns, uint64_t to_ns) {
  uint8_t packet[2048];
  char control[128];
  struct iovec part = {packet, sizeof packet};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t got = recvmsg(leg->socket, &message, 0);
  if (got < 0) return 0;
  int length = (int)got;
  if (length < HEADER_BYTES || (packet[0] & 0xc0) != 0x80) {
    foreign++;
    return 1;
  }
  if (leg->rx && srtp_unprotect(leg->rx, packet, &length)) {
    bad_auth++;
    return 1;
  }
  struct stamp stamp;
  if (length < HEADER_BYTES + (int)sizeof stamp) {
    foreign++;
    return 1;
  }
  memcpy(&stamp, packet + HEADER_BYTES, sizeof stamp);
  if (stamp.magic != MAGIC) { /* comfort noise, music, digits: not ours */
    foreign++;
    return 1;
  }
  uint64_t arrived_ns = 0;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
    if (c->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec t;
      memcpy(&t, CMSG_DATA(c), sizeof t);
      arrived_ns = (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
    }
  if (!from_ns || stamp.sent_ns < from_ns || (to_ns && stamp.sent_ns >= to_ns)) return 1;
  leg->received++;
  if (delay_count < DELAYS_MAX) delays_us[delay_count++] = (float)((double)(int64_t)(arrived_ns - stamp.sent_ns) / 1000.0);
  return 1;
}

static int ascending(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static double percentile_us(double share) {
  return delay_count ? (double)delays_us[(size_t)((double)(delay_count - 1) * share)] : -1.0;
}

int main(int argc, char **argv) {
  double seconds = argc == 4 ? atof(argv[2]) : 0, warmup = argc == 4 ? atof(argv[3]) : 0;
  if (seconds <= 0 || seconds + warmup > SECONDS_MAX) {
    fprintf(stderr, "usage: rtpload LEGS SECONDS WARMUP_SECONDS (together at most %d s)\n", SECONDS_MAX);
    return 2;
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  srtp_init();
  delays_us = malloc(DELAYS_MAX * sizeof *delays_us);
  int epoll = epoll_create1(0);
  read_legs(argv[1], epoll);
  if (!leg_count) {
    fprintf(stderr, "rtpload: no legs in %s\n", argv[1]);
    return 2;
  }

  uint64_t first_ns = now_ns(CLOCK_MONOTONIC) + 50000000ull;
  for (int i = 0; i < leg_count; i++) legs[i].due_ns = first_ns + PACKET_NS * (uint64_t)i / (uint64_t)leg_count;
  uint64_t mark_start_ns = first_ns + (uint64_t)(warmup * 1e9);
  uint64_t mark_end_ns = mark_start_ns + (uint64_t)(seconds * 1e9);
  uint64_t send_until_ns = mark_end_ns + 5 * PACKET_NS; /* the window's last packets travel under full load, too */
  uint64_t read_until_ns = send_until_ns + 400000000ull;
  uint64_t from_ns = 0, to_ns = 0, sent = 0, refused = 0, late = 0;
  int next = 0;
  for (uint64_t now; (now = now_ns(CLOCK_MONOTONIC)) < read_until_ns;) {
    if (!from_ns && now >= mark_start_ns) {
      from_ns = now_ns(CLOCK_REALTIME);
      printf("MARK start\n");
      fflush(stdout);
    }
    if (!to_ns && now >= mark_end_ns) {
      to_ns = now_ns(CLOCK_REALTIME);
      printf("MARK end\n");
      fflush(stdout);
    }
    for (int burst = 0; now < send_until_ns && legs[next].due_ns <= now && burst < BURST_MAX; burst++) {
      struct leg *leg = &legs[next];
      if (now - leg->due_ns > LATE_NS) late++;
      leg->due_ns += PACKET_NS;
      next = next + 1 == leg_count ? 0 : next + 1;
      if (!send_packet(leg)) refused++;
      if (from_ns && !to_ns) sent++;
    }
    now = now_ns(CLOCK_MONOTONIC);
    uint64_t wake_ns = now < send_until_ns ? legs[next].due_ns : read_until_ns;
    uint64_t wait_ns = wake_ns > now ? wake_ns - now : 0;
    struct timespec wait = {0, (long)(wait_ns < 2000000 ? wait_ns : 2000000)};
    struct epoll_event events[256];
    int ready = epoll_pwait2(epoll, events, 256, &wait, NULL);
    for (int i = 0; i < ready; i++)
      for (int reads = 0; reads < 16 && receive_packet(&legs[events[i].data.u32], from_ns, to_ns); reads++) continue;
  }

  uint64_t received = 0;
  int silent = 0;
  for (int i = 0; i < leg_count; i++) {
    received += legs[i].received;
    silent += !legs[i].received;
  }
  qsort(delays_us, delay_count, sizeof *delays_us, ascending);
  printf("{\"legs\":%d,\"silent_legs\":%d,\"seconds\":%.3f,\"sent\":%lu,\"received\":%lu,\"refused\":%lu,\"late\":%lu,"
         "\"bad_auth\":%lu,\"foreign\":%lu,\"delay_us\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}}\n",
         leg_count, silent, (double)(to_ns - from_ns) / 1e9, sent, received, refused, late, bad_auth, foreign,
         percentile_us(.5), percentile_us(.99), percentile_us(1));
  return 0;
}

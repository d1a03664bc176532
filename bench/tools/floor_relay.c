/* floor_relay: the barest relay, to know what the machine allows on the same rig as the others.
 *
 * One thread, one epoll, one socket for each side of a call; receive, cipher, send and nothing else. No RTCP, no
 * statistics, no replay list. SRTP (AES_CM_128_HMAC_SHA1_80, RFC 3711) on side B with OpenSSL: AES-128-CTR, and
 * HMAC-SHA1 with its two pad states computed once. Both directions, and what comes in is authenticated.
 *
 * usage: floor_relay CALLS SECONDS
 *
 * CALLS is a file with one call a line:
 *   RELAY_IP RELAY_PORT_A RELAY_PORT_B   IP_A PORT_A   IP_B PORT_B   KEY_FROM_B KEY_TO_B
 * What comes in on RELAY_PORT_A goes out of RELAY_PORT_B to IP_B:PORT_B, and the other way round. Keys as in rtpload, '-' for none. */
#define _GNU_SOURCE
#define OPENSSL_SUPPRESS_DEPRECATED
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "sdes.h"

enum { SIDES_MAX = 4000, SECONDS_MAX = 120, HEADER_BYTES = 12, TAG_BYTES = 10, PACKET_MAX = 2048 };

struct stream {
  EVP_CIPHER_CTX *cipher;
  SHA_CTX inner, outer;
  uint8_t salt[14];
  uint32_t rollovers;
  uint16_t highest;
  int started;
};

struct side {
  int socket, out; /* out: the other side's socket */
  struct sockaddr_in to;
  struct stream *decrypt, *encrypt;
};

static struct side sides[SIDES_MAX];

/* Key derivation of RFC 3711 section 4.3.1, rate zero. */
static void derive(const uint8_t *key, const uint8_t *salt, uint8_t label, uint8_t *out, int length) {
  uint8_t iv[16] = {0}, zeros[64] = {0};
  int done;
  memcpy(iv, salt, 14);
  iv[7] ^= label;
  EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex(cipher, EVP_aes_128_ctr(), NULL, key, iv);
  EVP_EncryptUpdate(cipher, out, &done, zeros, length);
  EVP_CIPHER_CTX_free(cipher);
}

static void pad_state(SHA_CTX *state, const uint8_t *key, uint8_t pad) {
  uint8_t block[64];
  memset(block, pad, sizeof block);
  for (int i = 0; i < 20; i++) block[i] ^= key[i];
  SHA1_Init(state);
  SHA1_Update(state, block, sizeof block);
}

static struct stream *stream_from(const char *key_text) {
  if (*key_text == '-') return NULL;
  uint8_t key[SDES_KEY_BYTES], cipher_key[16], auth_key[20], iv[16] = {0};
  sdes_key(key_text, key);
  struct stream *stream = calloc(1, sizeof *stream);
  derive(key, key + 16, 0, cipher_key, 16);
  derive(key, key + 16, 1, auth_key, 20);
  derive(key, key + 16, 2, stream->salt, 14);
  stream->cipher = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex(stream->cipher, EVP_aes_128_ctr(), NULL, cipher_key, iv);
  pad_state(&stream->inner, auth_key, 0x36);
  pad_state(&stream->outer, auth_key, 0x5c);
  return stream;
}

static uint32_t rollovers(struct stream *stream, const uint8_t *packet) {
  uint16_t sequence = (uint16_t)(packet[2] << 8 | packet[3]);
  if (!stream->started) {
    stream->started = 1;
    stream->highest = sequence;
  }
  if ((int16_t)(sequence - stream->highest) > 0) {
    stream->rollovers += sequence < stream->highest;
    stream->highest = sequence;
  }
  return stream->rollovers;
}

static void apply_cipher(struct stream *stream, uint8_t *packet, int length, uint32_t roc) {
  uint8_t iv[16] = {0};
  int done;
  memcpy(iv, stream->salt, 14);
  for (int i = 0; i < 4; i++) iv[4 + i] ^= packet[8 + i];
  for (int i = 0; i < 4; i++) iv[8 + i] ^= (uint8_t)(roc >> (24 - 8 * i));
  iv[12] ^= packet[2];
  iv[13] ^= packet[3];
  EVP_EncryptInit_ex(stream->cipher, NULL, NULL, NULL, iv);
  EVP_EncryptUpdate(stream->cipher, packet + HEADER_BYTES, &done, packet + HEADER_BYTES, length - HEADER_BYTES);
}

static void tag(struct stream *stream, const uint8_t *packet, int length, uint32_t roc, uint8_t digest[20]) {
  uint32_t roc_wire = htonl(roc);
  SHA_CTX hash = stream->inner;
  SHA1_Update(&hash, packet, (size_t)length);
  SHA1_Update(&hash, &roc_wire, 4);
  SHA1_Final(digest, &hash);
  hash = stream->outer;
  SHA1_Update(&hash, digest, 20);
  SHA1_Final(digest, &hash);
}

/* Returns the packet's new length, 0 when it is to be dropped. */
static int unprotect(struct stream *stream, uint8_t *packet, int length) {
  uint8_t digest[20];
  length -= TAG_BYTES;
  if (length < HEADER_BYTES) return 0;
  uint32_t roc = rollovers(stream, packet);
  tag(stream, packet, length, roc, digest);
  if (memcmp(digest, packet + length, TAG_BYTES)) return 0;
  apply_cipher(stream, packet, length, roc);
  return length;
}

static int protect(struct stream *stream, uint8_t *packet, int length) {
  uint8_t digest[20];
  uint32_t roc = rollovers(stream, packet);
  apply_cipher(stream, packet, length, roc);
  tag(stream, packet, length, roc, digest);
  memcpy(packet + length, digest, TAG_BYTES);
  return length + TAG_BYTES;
}

static int bind_udp(const char *ip, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (inet_pton(AF_INET, ip, &address.sin_addr) != 1 || bind(fd, (void *)&address, sizeof address)) {
    perror("floor_relay: bind");
    exit(2);
  }
  return fd;
}

static int read_calls(const char *path, int epoll) {
  FILE *file = fopen(path, "r");
  if (!file) {
    perror(path);
    exit(2);
  }
  char ip[64], peer_ip[2][64], key_from_b[128], key_to_b[128];
  int port[2], peer_port[2], count = 0;
  while (count + 2 <= SIDES_MAX &&
         fscanf(file, "%63s %d %d %63s %d %63s %d %127s %127s", ip, &port[0], &port[1], peer_ip[0], &peer_port[0],
                peer_ip[1], &peer_port[1], key_from_b, key_to_b) == 9) {
    struct side *a = &sides[count], *b = &sides[count + 1];
    for (int i = 0; i < 2; i++) {
      struct side *side = &sides[count + i];
      side->socket = bind_udp(ip, port[i]);
      side->to.sin_family = AF_INET;
      side->to.sin_port = htons((uint16_t)peer_port[1 - i]);
      inet_pton(AF_INET, peer_ip[1 - i], &side->to.sin_addr);
      struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)(count + i)};
      epoll_ctl(epoll, EPOLL_CTL_ADD, side->socket, &event);
    }
    a->out = b->socket;
    b->out = a->socket;
    b->decrypt = stream_from(key_from_b);
    a->encrypt = stream_from(key_to_b);
    count += 2;
  }
  fclose(file);
  return count;
}

int main(int argc, char **argv) {
  int seconds = argc == 3 ? atoi(argv[2]) : 0;
  if (seconds <= 0 || seconds > SECONDS_MAX) {
    fprintf(stderr, "usage: floor_relay CALLS SECONDS (at most %d)\n", SECONDS_MAX);
    return 2;
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int epoll = epoll_create1(0);
  if (!read_calls(argv[1], epoll)) {
    fprintf(stderr, "floor_relay: no calls in %s\n", argv[1]);
    return 2;
  }
  time_t end = time(NULL) + seconds;
  uint8_t packet[PACKET_MAX + TAG_BYTES];
  struct epoll_event events[512];
  while (time(NULL) < end) {
    int ready = epoll_wait(epoll, events, 512, 200);
    for (int i = 0; i < ready; i++) {
      struct side *side = &sides[events[i].data.u32];
      int length = (int)recvfrom(side->socket, packet, PACKET_MAX, 0, NULL, NULL);
      if (length < HEADER_BYTES) continue;
      if (side->decrypt && !(length = unprotect(side->decrypt, packet, length))) continue;
      if (side->encrypt) length = protect(side->encrypt, packet, length);
      sendto(side->out, packet, (size_t)length, 0, (void *)&side->to, sizeof side->to);
    }
  }
  return 0;
}

/* sdes.h: the key of an SDES line (RFC 4568) with AES_CM_128_HMAC_SHA1_80, as the tools here take it on their inputs. */
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SDES_KEY_BYTES = 30 }; /* 16 of master key, 14 of master salt */

static int base64_value(int c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Reads 40 characters of base64 into a key. Ends the program when they are anything else. */
static void sdes_key(const char *text, uint8_t key[SDES_KEY_BYTES]) {
  uint32_t bits = 0;
  int have = 0, length = 0;
  for (int value; length < SDES_KEY_BYTES && (value = base64_value(*text)) >= 0; text++) {
    bits = bits << 6 | (uint32_t)value;
    have += 6;
    if (have >= 8) {
      have -= 8;
      key[length++] = (uint8_t)(bits >> have);
    }
  }
  if (length != SDES_KEY_BYTES || *text) {
    fprintf(stderr, "a key is not 30 bytes in base64\n");
    exit(2);
  }
}

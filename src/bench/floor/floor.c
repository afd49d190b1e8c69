// The copy floor: what it costs this machine to read a file and to write some bytes to a bulk endpoint on loopback.
// Reads 2 MiB at a time and sends each piece as one POST, as often over as makes BODY_BYTES in all; reads each answer
// to its end. Prints its own CPU and wall time as JSON.
// usage: floor PORT FILE BODY_BYTES
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)2 << 20)
#define ANSWER_BYTES ((size_t)256 << 10)

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t wrote = write(fd, bytes, length);
    if (wrote <= 0) fail("write");
    bytes += wrote;
    length -= (size_t)wrote;
  }
}

static size_t read_answer(int fd, char *buffer) {
  size_t have = 0;
  char *end = NULL;
  while (end == NULL) {
    ssize_t got = read(fd, buffer + have, ANSWER_BYTES - 1 - have);
    if (got <= 0) fail("read of an answer's head");
    have += (size_t)got;
    buffer[have] = 0;
    end = strstr(buffer, "\r\n\r\n");
  }
  char *field = strcasestr(buffer, "\r\ncontent-length:");
  if (field == NULL || field > end) fail("an answer without content-length");
  size_t length = strtoull(field + 17, NULL, 10);
  for (size_t left = (size_t)(end + 4 - buffer) + length - have; left > 0;) {
    ssize_t got = read(fd, buffer, left < ANSWER_BYTES ? left : ANSWER_BYTES);
    if (got <= 0) fail("read of an answer's body");
    left -= (size_t)got;
  }
  return length;
}

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  double from = now();
  int file = open(argv[2], O_RDONLY);
  struct stat facts;
  if (file < 0 || fstat(file, &facts) != 0) fail(argv[2]);
  size_t file_bytes = (size_t)facts.st_size, body_bytes = strtoull(argv[3], NULL, 10);
  char *piece = malloc(PIECE_BYTES), *answer = malloc(ANSWER_BYTES), head[256];
  if (piece == NULL || answer == NULL) fail("malloc");

  int sink = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  struct timeval patience = {.tv_sec = 30};
  setsockopt(sink, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(sink, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(sink, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(sink, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");

  size_t read_bytes = 0, sent_bytes = 0, requests = 0, answer_bytes = 0;
  while (read_bytes < file_bytes) {
    size_t have = 0;
    while (have < PIECE_BYTES) {
      ssize_t got = read(file, piece + have, PIECE_BYTES - have);
      if (got < 0) fail("read");
      if (got == 0) break;
      have += (size_t)got;
    }
    if (have == 0) break;
    read_bytes += have;
    size_t target = (size_t)((double)body_bytes * ((double)read_bytes / (double)file_bytes));
    if (read_bytes >= file_bytes) target = body_bytes;
    size_t length = target - sent_bytes;
    int head_bytes = snprintf(head, sizeof head,
                              "POST /logs/_bulk HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-ndjson\r\n"
                              "accept: application/json\r\ncontent-length: %zu\r\n\r\n", length);
    write_all(sink, head, (size_t)head_bytes);
    for (size_t left = length; left > 0;) {
      size_t part = left < have ? left : have;
      write_all(sink, piece, part);
      left -= part;
    }
    sent_bytes = target;
    requests++;
    answer_bytes += read_answer(sink, answer);
  }

  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  printf("{\"userUs\":%lld,\"systemUs\":%lld,\"wallUs\":%.0f,\"bodyBytes\":%zu,\"requests\":%zu,\"answerBytes\":%zu}\n",
         (long long)used.ru_utime.tv_sec * 1000000 + used.ru_utime.tv_usec,
         (long long)used.ru_stime.tv_sec * 1000000 + used.ru_stime.tv_usec, now() - from, sent_bytes, requests, answer_bytes);
  return 0;
}

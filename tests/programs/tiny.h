/* What the C programs of this folder share: addresses, the bound on their time, and the
 * protocol: the client sends `GET n\n`, the server n bytes, then the server closes. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_REQUEST 64

static inline void fail(const char *call) {
    perror(call);
    exit(1);
}

/* SIGALRM ends the process after $LIMIT seconds, or after so many. */
static inline void limit(unsigned seconds) {
    const char *told = getenv("LIMIT");
    alarm(told ? (unsigned)atoi(told) : seconds);
}

static inline struct sockaddr_in address(const char *host, const char *port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
    if (inet_pton(AF_INET, host, &at.sin_addr) != 1) {
        struct hostent *found = gethostbyname(host);
        if (!found) {
            fprintf(stderr, "unknown host %s\n", host);
            exit(1);
        }
        memcpy(&at.sin_addr, found->h_addr_list[0], sizeof at.sin_addr);
    }
    return at;
}

/* The number at a place among the arguments, or what it is when it is not there. */
static inline long number(int argc, char **argv, int place, long otherwise) {
    return argc > place ? atol(argv[place]) : otherwise;
}

static inline void say(const char *line) {
    printf("%s\n", line);
    fflush(stdout);
}

/* Receive a request up to its newline; return its number, or -1 where none comes. */
static inline long receive_request(int connection) {
    char text[MOST_REQUEST + 1] = "";
    size_t length = 0;
    while (!memchr(text, '\n', length)) {
        ssize_t count = recv(connection, text + length, MOST_REQUEST - length, 0);
        if (count <= 0)
            return -1;
        length += (size_t)count;
    }
    return strncmp(text, "GET ", 4) ? -1 : atol(text + 4);
}

/* Send n bytes; return 0, or -1 where the client is gone. */
static inline int send_reply(int connection, long n) {
    char piece[65536];
    memset(piece, 'x', sizeof piece);
    while (n > 0) {
        size_t want = n < (long)sizeof piece ? (size_t)n : sizeof piece;
        ssize_t count = send(connection, piece, want, MSG_NOSIGNAL);
        if (count < 0)
            return -1;
        n -= count;
    }
    return 0;
}

/* Send a whole request. */
static inline void send_request(int connection, long n) {
    char text[MOST_REQUEST];
    int length = snprintf(text, sizeof text, "GET %ld\n", n);
    if (send(connection, text, (size_t)length, MSG_NOSIGNAL) != length)
        fail("send");
}

/* Receive until the server closes; return how many bytes came. */
static inline long receive_reply(int connection) {
    char piece[65536];
    long total = 0;
    for (;;) {
        ssize_t count = recv(connection, piece, sizeof piece, 0);
        if (count < 0)
            fail("recv");
        if (count == 0)
            return total;
        total += count;
    }
}

/* Say how many bytes came; end with 1 where they are not as many as asked for. */
static inline void judge(long came, long asked) {
    printf("%ld of %ld bytes\n", came, asked);
    fflush(stdout);
    if (came != asked)
        exit(1);
}

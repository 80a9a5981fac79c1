/* Correct over UDP: socket, bind; for each request recvfrom, sendto. Never listen or accept.
 * udp_server HOST PORT [REQUESTS]: ends after so many requests, or by SIGTERM. */
#include "../tiny.h"

int main(int argc, char **argv) {
    limit(60);
    struct sockaddr_in at = address(argv[1], argv[2]), client;
    long requests = number(argc, argv, 3, 0);
    char text[MOST_REQUEST + 1], reply[65507];
    memset(reply, 'x', sizeof reply);

    int server = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(server, (struct sockaddr *)&at, sizeof at) < 0)
        fail("bind");
    say("ready");
    for (long served = 0; requests == 0 || served < requests; served++) {
        socklen_t size = sizeof client;
        ssize_t count = recvfrom(server, text, MOST_REQUEST, 0, (struct sockaddr *)&client, &size);
        if (count < 0)
            fail("recvfrom");
        text[count] = '\0';
        long n = strncmp(text, "GET ", 4) ? 0 : atol(text + 4);
        if (n < 0 || n > (long)sizeof reply)
            n = 0;
        sendto(server, reply, (size_t)n, 0, (struct sockaddr *)&client, size);
    }
    close(server);
    return 0;
}

/* Broken: the client leaves out the newline that ends a request, so that the server waits for
 * the rest of it and the client for the reply: both in recv, until its time is over.
 * no_newline HOST PORT [BYTES] */
#include "../tiny.h"

int main(int argc, char **argv) {
    limit(20);
    struct sockaddr_in at = address(argv[1], argv[2]);
    long bytes = number(argc, argv, 3, 100);
    char text[MOST_REQUEST];

    int sock = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(sock, (struct sockaddr *)&at, sizeof at) < 0)
        fail("connect");
    int length = snprintf(text, sizeof text, "GET %ld", bytes);
    if (send(sock, text, (size_t)length, MSG_NOSIGNAL) != length)
        fail("send");
    long came = receive_reply(sock);
    close(sock);
    judge(came, bytes);
    return 0;
}

/* Broken: the client wants a second reply and connects the same socket again, which fails with
 * EISCONN; a new request needs a new socket.
 * connect_twice HOST PORT [BYTES] */
#include "../tiny.h"

int main(int argc, char **argv) {
    limit(20);
    struct sockaddr_in at = address(argv[1], argv[2]);
    long bytes = number(argc, argv, 3, 100);

    int sock = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(sock, (struct sockaddr *)&at, sizeof at) < 0)
        fail("connect");
    send_request(sock, bytes);
    judge(receive_reply(sock), bytes);
    if (connect(sock, (struct sockaddr *)&at, sizeof at) < 0)
        fail("connect again");
    send_request(sock, bytes);
    judge(receive_reply(sock), bytes);
    close(sock);
    return 0;
}

/* Correct: socket, connect, send, recv until the server has closed, close.
 * client HOST PORT [BYTES [TIMES]]: asks for so many bytes, so many times. */
#include "../tiny.h"

int main(int argc, char **argv) {
    limit(20);
    struct sockaddr_in at = address(argv[1], argv[2]);
    long bytes = number(argc, argv, 3, 100), times = number(argc, argv, 4, 1);

    for (long done = 0; done < times; done++) {
        int sock = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(sock, (struct sockaddr *)&at, sizeof at) < 0)
            fail("connect");
        send_request(sock, bytes);
        long came = receive_reply(sock);
        close(sock);
        judge(came, bytes);
    }
    return 0;
}

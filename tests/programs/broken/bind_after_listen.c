/* Broken: listens first and binds then. The kernel has given the socket an ephemeral port by
 * then, bind fails with EINVAL, and nobody finds the server.
 * bind_after_listen HOST PORT [CLIENTS] */
#include "../tiny.h"

int main(int argc, char **argv) {
    limit(60);
    struct sockaddr_in at = address(argv[1], argv[2]);
    long clients = number(argc, argv, 3, 0);

    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (listen(server, 5) < 0)
        fail("listen");
    if (bind(server, (struct sockaddr *)&at, sizeof at) < 0)
        perror("bind");
    say("ready");
    for (long served = 0; clients == 0 || served < clients; served++) {
        int connection = accept(server, NULL, NULL);
        if (connection < 0)
            fail("accept");
        long n = receive_request(connection);
        if (n >= 0)
            send_reply(connection, n);
        close(connection);
    }
    close(server);
    return 0;
}

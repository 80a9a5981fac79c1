/* Broken: shuts each connection down but never closes it, so that every client costs a
 * descriptor for good.
 * leaks_descriptors HOST PORT [CLIENTS] */
#include "../tiny.h"

int main(int argc, char **argv) {
    limit(60);
    struct sockaddr_in at = address(argv[1], argv[2]);
    long clients = number(argc, argv, 3, 0);
    int yes = 1;

    int server = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(server, (struct sockaddr *)&at, sizeof at) < 0)
        fail("bind");
    if (listen(server, 5) < 0)
        fail("listen");
    say("ready");
    for (long served = 0; clients == 0 || served < clients; served++) {
        int connection = accept(server, NULL, NULL);
        if (connection < 0)
            fail("accept");
        long n = receive_request(connection);
        if (n >= 0)
            send_reply(connection, n);
        shutdown(connection, SHUT_RDWR);
    }
    close(server);
    return 0;
}

/* Broken: never listens. accept fails with EINVAL.
 * no_listen HOST PORT */
#include "../tiny.h"

int main(int argc, char **argv) {
    (void)argc;
    limit(60);
    struct sockaddr_in at = address(argv[1], argv[2]);
    int yes = 1;

    int server = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(server, (struct sockaddr *)&at, sizeof at) < 0)
        fail("bind");
    say("ready");
    for (;;) {
        int connection = accept(server, NULL, NULL);
        if (connection < 0)
            fail("accept");
        long n = receive_request(connection);
        if (n >= 0)
            send_reply(connection, n);
        close(connection);
    }
}

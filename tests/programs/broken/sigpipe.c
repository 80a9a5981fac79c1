/* Broken: writes on after the client has closed, looks at no result, and does not expect
 * SIGPIPE, which ends it: a client that loses patience takes the server from all others.
 * sigpipe HOST PORT; its partner is closes_early.py. */
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
    if (listen(server, 5) < 0)
        fail("listen");
    say("ready");
    for (;;) {
        int connection = accept(server, NULL, NULL);
        if (connection < 0)
            fail("accept");
        long n = receive_request(connection);
        for (; n > 0; n--)
            if (write(connection, "x", 1) < 0)
                perror("write");
        close(connection);
    }
}

/* Broken: takes what one recv returns for the whole request, though it may come in pieces.
 * short_read HOST PORT [CLIENTS]; its partner is client_in_pieces.py. */
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
        char text[MOST_REQUEST + 1] = "";
        recv(connection, text, MOST_REQUEST, 0);
        send_reply(connection, strncmp(text, "GET ", 4) ? 0 : atol(text + 4));
        close(connection);
    }
    close(server);
    return 0;
}

/* Broken: calls listen on a UDP socket, which has no connections to wait for (EOPNOTSUPP).
 * udp_listen HOST PORT */
#include "../tiny.h"

int main(int argc, char **argv) {
    (void)argc;
    limit(60);
    struct sockaddr_in at = address(argv[1], argv[2]);

    int server = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(server, (struct sockaddr *)&at, sizeof at) < 0)
        fail("bind");
    say("ready");
    if (listen(server, 5) < 0)
        fail("listen");
    return 0;
}

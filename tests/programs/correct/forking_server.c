/* Correct and concurrent: a subordinate process serves each client, and is waited for.
 * forking_server HOST PORT [CLIENTS]: ends after so many clients, or by SIGTERM. */
#include "../tiny.h"

static void reap(int signal) {
    (void)signal;
    int kept = errno;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = kept;
}

static void serve(int connection) {
    long n = receive_request(connection);
    if (n >= 0)
        send_reply(connection, n);
    close(connection);
    exit(0);
}

int main(int argc, char **argv) {
    limit(60);
    struct sockaddr_in at = address(argv[1], argv[2]);
    long clients = number(argc, argv, 3, 0);
    int yes = 1;
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = reap, .sa_flags = SA_RESTART}, NULL);

    int server = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(server, (struct sockaddr *)&at, sizeof at) < 0)
        fail("bind");
    if (listen(server, 128) < 0)
        fail("listen");
    say("ready");
    for (long served = 0; clients == 0 || served < clients; served++) {
        int connection = accept(server, NULL, NULL);
        if (connection < 0)
            fail("accept");
        pid_t subordinate = fork();
        if (subordinate < 0)
            fail("fork");
        if (subordinate == 0) {
            close(server);
            limit(20);
            serve(connection);
        }
        close(connection);
    }
    close(server);
    while (wait(NULL) > 0)
        ;
    return 0;
}

/* The plainest server of its kind: fork at each connection (figure 6-29), in C.
 *
 *     fork_server PORT
 *
 * It sends back what it receives. What netprog's servers are measured against.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void serve(int connection)
{
    char data[4096];
    ssize_t got;
    while ((got = recv(connection, data, sizeof data, 0)) > 0)
        for (ssize_t sent, done = 0; done < got; done += sent)
            if ((sent = send(connection, data + done, got - done, MSG_NOSIGNAL)) < 0)
                _exit(1);
    _exit(0);
}

int main(int count, char **words)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    int yes = 1;
    if (count != 2)
        return 2;
    own.sin_port = htons(atoi(words[1]));
    signal(SIGCHLD, SIG_IGN); /* the kernel forgets a child that has ended: no zombies */
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0)
        fail("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&own, sizeof own) < 0)
        fail("bind");
    if (listen(listener, 1024) < 0)
        fail("listen");
    printf("listening on 0.0.0.0:%s\n", words[1]);
    fflush(stdout);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0)
            continue;
        pid_t child = fork();
        if (child < 0)
            perror("fork");
        if (child == 0) {
            close(listener);
            serve(connection);
        }
        close(connection);
    }
}

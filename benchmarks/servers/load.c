/* Clients of a server that sends back what it receives: many short connections, some at once.
 *
 *     load ADDRESS PORT SECONDS AT_ONCE
 *
 * Each connects, sends MESSAGE, receives as many bytes, and closes; for so many seconds a new one
 * takes its place. Prints one line of JSON: the seconds until the last was done, how many were served, how many were not, and what went wrong first.
 * A connection that takes longer than PATIENCE counts as not served.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

#define MOST 1024
#define PATIENCE 5.0

struct client {
    int fd; /* -1: none */
    int sent;
    size_t received;
    double since;
};

static struct client clients[MOST];
static struct sockaddr_in server = {.sin_family = AF_INET};
static int events_of, open_now, served, failed;
static char trouble[100];

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void end(struct client *client, const char *why)
{
    if (why == NULL)
        served++;
    else if (failed++ == 0)
        snprintf(trouble, sizeof trouble, "%s", why);
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    open_now--;
}

static void begin(struct client *client)
{
    struct epoll_event wanted = {EPOLLIN | EPOLLOUT | EPOLLET, {.ptr = client}};
    open_now++;
    *client = (struct client){.since = now()};
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (client->fd < 0)
        return end(client, strerror(errno));
    if (connect(client->fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS)
        return end(client, strerror(errno));
    if (epoll_ctl(events_of, EPOLL_CTL_ADD, client->fd, &wanted) < 0)
        end(client, strerror(errno));
}

static void go_on(struct client *client)
{
    char data[SIZE];
    if (!client->sent) {
        ssize_t sent = send(client->fd, MESSAGE, SIZE, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent != SIZE)
            return end(client, sent < 0 ? strerror(errno) : "short send");
        client->sent = 1;
        return; /* an answer makes another event: EPOLLET tells what is new */
    }
    ssize_t got = recv(client->fd, data, SIZE - client->received, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        return end(client, got < 0 ? strerror(errno) : "closed before the whole answer");
    if (memcmp(data, MESSAGE + client->received, got) != 0)
        return end(client, "another answer than expected");
    client->received += got;
    if (client->received == SIZE)
        end(client, NULL);
}

int main(int count, char **words)
{
    struct epoll_event events[MOST];
    if (count != 5 || inet_pton(AF_INET, words[1], &server.sin_addr) != 1)
        return 2;
    server.sin_port = htons(atoi(words[2]));
    double seconds = atof(words[3]);
    int at_once = atoi(words[4]);
    if (seconds <= 0 || at_once < 1 || at_once > MOST)
        return 2;
    events_of = epoll_create1(0);
    double start = now(), looked = start;
    for (int i = 0; i < at_once; i++)
        clients[i].fd = -1;
    while (open_now > 0 || now() - start < seconds) {
        for (int i = 0; i < at_once; i++)
            if (clients[i].fd < 0 && now() - start < seconds)
                begin(&clients[i]);
        int ready = epoll_wait(events_of, events, MOST, 100);
        for (int i = 0; i < ready; i++)
            go_on(events[i].data.ptr);
        if (now() - looked < 0.1)
            continue;
        looked = now();
        for (int i = 0; i < at_once; i++)
            if (clients[i].fd >= 0 && looked - clients[i].since > PATIENCE)
                end(&clients[i], "no answer in time");
    }
    printf("{\"seconds\": %.6f, \"served\": %d, \"failed\": %d, \"trouble\": \"%s\"}\n",
           now() - start, served, failed, trouble);
}

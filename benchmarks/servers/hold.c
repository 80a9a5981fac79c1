/* Connections that are served once and then idle.
 *
 *     hold ADDRESS PORT CONNECTIONS SECONDS [part]
 *
 * Each sends MESSAGE and waits for the answer; with `part` it sends half of it, and no answer is
 * waited for. Prints how many were served, once all were or PATIENCE is over, and holds those
 * for at most so many seconds: who started it ends it earlier with a signal.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

#define MOST 10000
#define PATIENCE 4000 /* ms without any answer */

int main(int count, char **words)
{
    static struct pollfd clients[MOST];
    struct sockaddr_in server = {.sin_family = AF_INET};
    if (count < 5 || inet_pton(AF_INET, words[1], &server.sin_addr) != 1)
        return 2;
    server.sin_port = htons(atoi(words[2]));
    int all = atoi(words[3]), part = count > 5, served = 0;
    if (all < 1 || all > MOST)
        return 2;
    for (int i = 0; i < all; i++) {
        clients[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        struct timeval patience = {PATIENCE / 1000, 0}; /* connect(2) heeds SO_SNDTIMEO */
        setsockopt(clients[i].fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (connect(clients[i].fd, (struct sockaddr *)&server, sizeof server) < 0) {
            perror("connect");
            all = i;
            break;
        }
        send(clients[i].fd, MESSAGE, part ? SIZE / 2 : SIZE, MSG_NOSIGNAL);
        clients[i].events = POLLIN;
    }
    while (!part && served < all && poll(clients, all, PATIENCE) > 0)
        for (int i = 0; i < all; i++) {
            char data[SIZE];
            if (clients[i].revents == 0)
                continue;
            if (recv(clients[i].fd, data, SIZE, MSG_WAITALL) == (ssize_t)SIZE)
                served++;
            clients[i].events = 0;
            clients[i].fd = -1 - clients[i].fd; /* poll(2) passes over negative ones */
        }
    printf("%d\n", part ? all : served);
    fflush(stdout);
    sleep(atoi(words[4]));
}

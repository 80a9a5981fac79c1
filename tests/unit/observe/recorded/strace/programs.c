/* Calls that other languages seldom make, and signals that interrupt calls. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void alarmed(int number) { (void)number; }

static struct sockaddr_in loopback = {.sin_family = AF_INET};

static void many_messages(void) {
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0);
    bind(in, (struct sockaddr *)&loopback, sizeof loopback);
    getsockname(in, (struct sockaddr *)&at, &size);
    char first[] = "first", second[] = "second, longer", buffer[2][8];
    struct iovec out_parts[] = {{first, 5}, {second, 14}}, in_parts[] = {{buffer[0], 8}, {buffer[1], 8}};
    struct mmsghdr sent[2] = {0}, got[2] = {0};
    for (int i = 0; i < 2; i++) {
        sent[i].msg_hdr = (struct msghdr){.msg_name = &at, .msg_namelen = size, .msg_iov = &out_parts[i], .msg_iovlen = 1};
        got[i].msg_hdr = (struct msghdr){.msg_iov = &in_parts[i], .msg_iovlen = 1};
    }
    sendmmsg(out, sent, 2, MSG_NOSIGNAL);
    recvmmsg(in, got, 2, MSG_DONTWAIT, NULL);
    connect(out, (struct sockaddr *)&at, size);
    struct sockaddr nothing = {.sa_family = AF_UNSPEC};
    connect(out, &nothing, sizeof nothing);
    close(in);
    close(out);
}

static void descriptors(void) {
    int netlink = socket(AF_NETLINK, SOCK_RAW, 0);
    struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = 1};
    bind(netlink, (struct sockaddr *)&to, sizeof to);
    int copy = dup(netlink), on = 1, waiting;
    dup2(netlink, 20);
    dup3(netlink, 21, O_CLOEXEC);
    fcntl(copy, F_GETFD);
    fcntl(copy, F_SETFL, O_RDWR | O_NONBLOCK);
    fcntl(copy, F_GETFL);
    fcntl(copy, F_DUPFD_CLOEXEC, 10);
    ioctl(copy, FIONBIO, &on);
    ioctl(copy, FIONREAD, &waiting);
    syscall(SYS_close_range, 3, ~0U, 0);
    close(3);
    write(-1, "x", 1);
    write(1, (void *)1, 3);
}

static void vectors(void) {
    int ends[2];
    char a[3], b[3], long_text[200];
    memset(long_text, 'z', sizeof long_text);
    struct iovec in[] = {{a, 3}, {b, 3}}, out[] = {{"one", 3}, {"tw\0", 3}, {long_text, 200}};
    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
    writev(ends[0], out, 3);
    readv(ends[1], in, 2);
    readv(ends[1], in, 2);
    struct timespec half = {0, 500000};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    FD_SET(ends[1], &set);
    pselect(ends[1] + 1, NULL, &set, NULL, &half, NULL);
    struct pollfd polled[] = {{ends[0], POLLIN, 0}, {-1, POLLIN, 0}};
    ppoll(polled, 2, &half, NULL);
    poll(polled, 1, 0);
    close(ends[0]);
    ppoll(polled + 1, 1, &half, NULL);
}

static void interrupted(void) {
    int ends[2];
    char c;
    struct sigaction action = {.sa_handler = alarmed, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    pipe(ends);
    if (fork() == 0) {
        usleep(60000);
        write(ends[1], "!", 1);
        _exit(0);
    }
    ualarm(20000, 0);
    read(ends[0], &c, 1);
    struct pollfd polled = {ends[0], POLLIN, 0};
    ualarm(10000, 0);
    poll(&polled, 1, 30);
    int quiet = fork();
    if (quiet == 0) {
        polled.fd = ends[1];
        polled.events = 0;
        poll(&polled, 1, 50);
        _exit(1);
    }
    usleep(10000);
    kill(quiet, SIGSTOP);
    waitpid(quiet, NULL, WUNTRACED);
    kill(quiet, SIGCONT);
    waitpid(quiet, NULL, 0);
}

static void *blocked(void *fd) {
    char c;
    read(*(int *)fd, &c, 1);
    return NULL;
}

static void killed_in_a_call(void) {
    int ends[2], child = fork();
    if (child == 0) {
        pthread_t thread;
        pipe(ends);
        pthread_create(&thread, NULL, blocked, &ends[0]);
        usleep(10000);
        kill(getpid(), SIGTERM);
        pause();
    }
    waitpid(child, NULL, 0);
    child = vfork();
    if (child == 0)
        _exit(4);
    wait4(-1, NULL, WNOHANG, NULL);
    wait4(-1, NULL, 0, NULL);
}

static void *last_thread(void *fd) {
    usleep(20000);
    close(*(int *)fd);
    return NULL;
}

int main(void) {
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    many_messages();
    descriptors();
    vectors();
    interrupted();
    killed_in_a_call();
    static int fd;
    pthread_t thread;
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    listen(fd, 1);
    shutdown(fd, SHUT_RDWR);
    pthread_create(&thread, NULL, last_thread, &fd);
    pthread_exit(NULL);
}

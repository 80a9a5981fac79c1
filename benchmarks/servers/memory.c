/* What the processes of this container have of the machine's memory, once it has settled.
 *
 *     memory
 *
 * Prints one line of JSON: the sum of PSS over all processes but this one (a page that n
 * processes share counts for 1/n in each, proc_pid_smaps(5)), and the kernel memory that the
 * cgroup is charged for (sockets, kernel stacks, page tables; null where it cannot be read),
 * both in KiB; and how many processes and threads there are.
 * A C program of its own, because one in Python would share pages with what is measured.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SAME 6       /* looks in a row that found the same */
#define LOOKS 100    /* at most */
#define PAUSE 50     /* ms between two looks */

struct found {
    long pss, tasks;
};

/* The number behind `key` in a file of lines `key number`; -1 where there is none. */
static long number_in(const char *path, const char *key)
{
    char line[256];
    long value = -1;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return -1;
    while (value < 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            value = atol(line + strlen(key));
    fclose(file);
    return value;
}

static struct found look(void)
{
    struct found all = {0, 0};
    char path[300];
    DIR *processes = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        if (!isdigit(entry->d_name[0]) || atoi(entry->d_name) == getpid())
            continue;
        snprintf(path, sizeof path, "/proc/%s/smaps_rollup", entry->d_name);
        long pss = number_in(path, "Pss:");
        snprintf(path, sizeof path, "/proc/%s/status", entry->d_name);
        long tasks = number_in(path, "Threads:");
        if (pss < 0 || tasks < 0)
            continue; /* it has just ended, or is not ours to look at: the init */
        all.pss += pss;
        all.tasks += tasks;
    }
    closedir(processes);
    return all;
}

static long kernel(void)
{
    long bytes = number_in("/sys/fs/cgroup/memory/memory.kmem.usage_in_bytes", "");
    if (bytes < 0)
        bytes = number_in("/sys/fs/cgroup/memory.stat", "kernel ");
    return bytes;
}

int main(void)
{
    struct found last = look(), next;
    struct timespec pause = {0, PAUSE * 1000000L};
    for (int same = 0, looks = 0; same < SAME && looks < LOOKS; looks++) {
        nanosleep(&pause, NULL);
        next = look();
        same = next.tasks == last.tasks && labs(next.pss - last.pss) <= 8 ? same + 1 : 0;
        last = next;
    }
    printf("{\"pss\": %ld, \"tasks\": %ld, \"kernel\": ", last.pss, last.tasks);
    long bytes = kernel();
    if (bytes < 0)
        puts("null}");
    else
        printf("%.1f}\n", bytes / 1024.0);
}

/* A slower disk: loaded before MariaDB's own libraries, it makes each sync take SYNC_DELAY_US longer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static void wait_more(void)
{
    struct timespec delay = { 0, SYNC_DELAY_US * 1000L };
    nanosleep(&delay, 0);
}

int fsync(int fd)
{
    static int (*real)(int);
    if (!real) real = (int (*)(int)) dlsym(RTLD_NEXT, "fsync");
    wait_more();
    return real(fd);
}

int fdatasync(int fd)
{
    static int (*real)(int);
    if (!real) real = (int (*)(int)) dlsym(RTLD_NEXT, "fdatasync");
    wait_more();
    return real(fd);
}

/*
 * Loaded into a `hookbridge serve` under test (LD_PRELOAD). It knows three tricks, all steered by a small file that the
 * harness writes and this process maps:
 *
 *   the clock   CLOCK_REALTIME is ahead by `clock_offset_ns`; the monotonic clock is left alone, as when an
 *               administrator or NTP sets the time.
 *   the steps   each mark of the road (`hookbridge::road`, one line on standard error) is swallowed. At the mark for which
 *               a trap is set the process gets its signal at once, in the very thread that got there; or that thread is told
 *               by an error that no file gives (EOWNERDEAD) to panic.
 *   the log     while `log_fault` is set, a line of the log finds the disk full (1) or a reader that stalls (2).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NAME 24
#define TRAPS 3
#define PANIC 130
#define FULL 1
#define STALLED 2

/* tests/chaos/control.rs reads and writes the same places. */
struct control {
    _Atomic int64_t clock_offset_ns;  /* 0 */
    char last[NAME];                  /* 8: the last mark of any kind */
    _Atomic int64_t log_fault;        /* 32 */
    char pad[24];
    struct {
        _Atomic int64_t left;         /* marks of `step` until the signal; 0 is off */
        char step[NAME];
        int64_t signal;
        _Atomic int64_t snapped;      /* 40 within: it did */
        char pad[16];
    } traps[TRAPS];                   /* 64, 64 bytes each */
};

static struct control *control;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void start(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* no run leaves a bridge behind */
    real_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("HOOKBRIDGE_CHAOS_CONTROL");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *at = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (at != MAP_FAILED) control = at;
}

int clock_gettime(clockid_t id, struct timespec *out) {
    int failed = real_clock_gettime ? real_clock_gettime(id, out) : (int)syscall(SYS_clock_gettime, id, out);
    if (failed || !control || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) return failed;
    int64_t ns = out->tv_nsec + control->clock_offset_ns % 1000000000;
    int64_t s = out->tv_sec + control->clock_offset_ns / 1000000000;
    if (ns < 0) { ns += 1000000000; s--; }
    if (ns >= 1000000000) { ns -= 1000000000; s++; }
    out->tv_sec = s;
    out->tv_nsec = ns;
    return 0;
}

/* Whether this thread is to panic. */
static int passed(const char *name) {
    int panic = 0;
    memcpy(control->last, name, NAME);
    for (int i = 0; i < TRAPS; i++) {
        if (control->traps[i].left > 0 && strncmp(control->traps[i].step, name, NAME) == 0 && --control->traps[i].left == 0) {
            control->traps[i].snapped = 1;
            if (control->traps[i].signal == PANIC) panic = 1;
            else kill(getpid(), (int)control->traps[i].signal);
        }
    }
    return panic;
}

/* Another descriptor of the file that standard error is. */
static int is_log(int fd) {
    struct stat one, two;
    return fd > STDERR_FILENO && !fstat(fd, &one) && !fstat(STDERR_FILENO, &two) && one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

ssize_t write(int fd, const void *buffer, size_t length) {
    static const char target[] = "hookbridge::road", key[] = "\"step\":\"";
    if (control && fd == STDERR_FILENO && memmem(buffer, length, target, sizeof target - 1)) {
        const char *at = memmem(buffer, length, key, sizeof key - 1);
        if (at) {
            char name[NAME] = {0};
            at += sizeof key - 1;
            for (int i = 0; i < NAME - 1 && at < (const char *)buffer + length && *at != '"'; i++) name[i] = *at++;
            if (!passed(name)) return (ssize_t)length;
            errno = EOWNERDEAD;
            return -1;
        }
    }
    if (control && control->log_fault && is_log(fd)) {
        if (control->log_fault == FULL) {
            errno = ENOSPC;
            return -1;
        }
        while (control->log_fault == STALLED) usleep(2000);
    }
    return syscall(SYS_write, fd, buffer, length);
}

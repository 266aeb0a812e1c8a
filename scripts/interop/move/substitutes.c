// Clocks and randomness for one process that are not the machine's: to be named in LD_PRELOAD.
//
// CLOCK_OFFSETS names a file of two 64-bit integers, in seconds: how far the calendar's clocks are ahead of the
// machine's, and the steady ones. Whoever writes there changes them at once, as a restore on another host does.
// RANDOM_SEED makes the words of the process's first keys the same in each process that has the same seed.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define TIMERS 4096
#define WORD 8

struct offsets {
    volatile int64_t calendar;
    volatile int64_t steady;
};

static const struct offsets none;
static const struct offsets *offsets = &none;
static uint64_t seed;
static atomic_ullong words;
// By descriptor, plus one: a timer's clock.
static atomic_int clocks[TIMERS];

__attribute__((constructor)) static void begin(void) {
    const char *number = getenv("RANDOM_SEED");
    const char *name = getenv("CLOCK_OFFSETS");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (number) seed = strtoull(number, NULL, 10);
    if (file < 0) return;
    void *page = mmap(NULL, sizeof(struct offsets), PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) offsets = page;
    close(file);
}

static int64_t offset(clockid_t clock) {
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
        return offsets->calendar;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        return offsets->steady;
    default:
        return 0;
    }
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*original)(clockid_t, struct timespec *);
    if (!original) original = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = original(clock, now);
    if (result == 0) now->tv_sec += offset(clock);
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}

int timerfd_create(clockid_t clock, int flags) {
    static int (*original)(clockid_t, int);
    if (!original) original = (int (*)(clockid_t, int))dlsym(RTLD_NEXT, "timerfd_create");
    int timer = original(clock, flags);
    if (timer >= 0 && timer < TIMERS) clocks[timer] = clock + 1;
    return timer;
}

// The kernel compares with the machine's clock.
int timerfd_settime(int timer, int flags, const struct itimerspec *wanted, struct itimerspec *before) {
    static int (*original)(int, int, const struct itimerspec *, struct itimerspec *);
    if (!original)
        original = (int (*)(int, int, const struct itimerspec *, struct itimerspec *))dlsym(
            RTLD_NEXT, "timerfd_settime");
    struct itimerspec own = *wanted;
    int isSet = own.it_value.tv_sec || own.it_value.tv_nsec;
    if (isSet && (flags & TFD_TIMER_ABSTIME) && timer >= 0 && timer < TIMERS && clocks[timer]) {
        own.it_value.tv_sec -= offset(clocks[timer] - 1);
        // What is over is due at once; nothing at all would stop the timer.
        if (own.it_value.tv_sec < 0) own.it_value = (struct timespec){.tv_nsec = 1};
    }
    return original(timer, flags, &own, before);
}

// Bytes that depend on the seed and on how many there were before (the finalizer of MurmurHash3).
static uint64_t word(void) {
    uint64_t mixed = seed + 0x9e3779b97f4a7c15u * (1 + words++);
    mixed = (mixed ^ (mixed >> 33)) * 0xff51afd7ed558ccdu;
    mixed = (mixed ^ (mixed >> 33)) * 0xc4ceb9fe1a85ec53u;
    return mixed ^ (mixed >> 33);
}

// Swift asks for a word at a time, and without a function of libc for it.
long syscall(long number, ...) {
    static long (*original)(long, ...);
    long values[6];
    va_list rest;
    va_start(rest, number);
    for (int index = 0; index < 6; index++) values[index] = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_getrandom && seed && values[1] == WORD) {
        uint64_t bytes = word();
        memcpy((void *)values[0], &bytes, WORD);
        return WORD;
    }
    if (!original) original = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    return original(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

#define _GNU_SOURCE

#include "CGodwitSocket.h"

#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

// A link in user space needs the fraction of a millisecond that poll lacks.
int godwit_socket_wait(const int *descriptors, size_t count, int64_t nanoseconds) {
    struct pollfd *polled = calloc(count == 0 ? 1 : count, sizeof *polled);
    if (polled == NULL) return ENOMEM;
    for (size_t i = 0; i < count; i++) polled[i] = (struct pollfd){.fd = descriptors[i], .events = POLLIN};
#if defined(__linux__)
    struct timespec span = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int ready = ppoll(polled, count, &span, NULL);
#else
    int ready = poll(polled, (nfds_t)count, (int)(nanoseconds / 1000000));
#endif
    int problem = ready < 0 && errno != EINTR ? errno : 0;
    free(polled);
    return problem;
}

int godwit_network_enter(int descriptor) {
#if defined(__linux__)
    return setns(descriptor, CLONE_NEWNET) == 0 ? 0 : errno;
#else
    (void)descriptor;
    return ENOSYS;
#endif
}

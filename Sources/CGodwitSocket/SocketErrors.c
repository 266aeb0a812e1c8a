#define _GNU_SOURCE

#include "SocketAddress.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>

#if defined(__linux__)
#include <linux/errqueue.h>
#include <sys/epoll.h>

int godwit_socket_keep_errors(int descriptor) {
    int value = 1;
    // On an IPv6 socket this is for IPv4 datagrams.
    int problem = setsockopt(descriptor, IPPROTO_IP, IP_RECVERR, &value, sizeof value) == 0 ? 0 : errno;
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof storage;
    if (getsockname(descriptor, (struct sockaddr *)&storage, &length) != 0) return errno;
    if (storage.ss_family != AF_INET6) return problem;
    return setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVERR, &value, sizeof value) == 0 ? 0 : errno;
}

static const struct sock_extended_err *find_error(struct msghdr *message) {
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
        bool is_ipv4 = header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR;
        bool is_ipv6 = header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR;
        if (is_ipv4 || is_ipv6) return (const struct sock_extended_err *)CMSG_DATA(header);
    }
    return NULL;
}

int godwit_socket_next_error(int descriptor, struct godwit_address *remote) {
    struct sockaddr_storage destination = {0};
    union {
        char bytes[512];
        struct cmsghdr alignment;
    } control;
    struct msghdr message = {
        .msg_name = &destination,
        .msg_namelen = sizeof destination,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    memset(remote, 0, sizeof *remote);
    ssize_t count;
    do { count = recvmsg(descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT); } while (count < 0 && errno == EINTR);
    if (count < 0) return 0;
    const struct sock_extended_err *error = find_error(&message);
    // What our own kernel says of a datagram's size was returned by the call that sent it.
    if (error == NULL) return EIO;
    bool is_from_network = error->ee_origin == SO_EE_ORIGIN_ICMP || error->ee_origin == SO_EE_ORIGIN_ICMP6;
    if (!is_from_network || !godwit_from_sockaddr((struct sockaddr *)&destination, remote))
        memset(remote, 0, sizeof *remote);
    return error->ee_errno == 0 ? EIO : (int)error->ee_errno;
}

int godwit_poller_open(void) {
    int poller = epoll_create1(EPOLL_CLOEXEC);
    return poller < 0 ? -errno : poller;
}

// Errors are always reported.
static int control(int poller, int operation, int descriptor, uint64_t number) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data = {.u64 = number}};
    return epoll_ctl(poller, operation, descriptor, &event) == 0 ? 0 : errno;
}

int godwit_poller_add(int poller, int descriptor, uint64_t number) {
    return control(poller, EPOLL_CTL_ADD, descriptor, number);
}

void godwit_poller_arm(int poller, int descriptor, uint64_t number) {
    control(poller, EPOLL_CTL_MOD, descriptor, number);
}

void godwit_poller_remove(int poller, int descriptor) { control(poller, EPOLL_CTL_DEL, descriptor, 0); }

int godwit_poller_wait(int poller, uint64_t *numbers, int capacity) {
    struct epoll_event events[64];
    int count;
    if (capacity > 64) capacity = 64;
    do { count = epoll_wait(poller, events, capacity, -1); } while (count < 0 && errno == EINTR);
    for (int index = 0; index < count; index++) numbers[index] = events[index].data.u64;
    return count < 0 ? -errno : count;
}
#else
int godwit_socket_keep_errors(int descriptor) {
    (void)descriptor;
    return ENOTSUP;
}

int godwit_socket_next_error(int descriptor, struct godwit_address *remote) {
    (void)descriptor;
    memset(remote, 0, sizeof *remote);
    return 0;
}

int godwit_poller_open(void) { return -ENOTSUP; }

int godwit_poller_add(int poller, int descriptor, uint64_t number) {
    (void)poller, (void)descriptor, (void)number;
    return ENOTSUP;
}

void godwit_poller_arm(int poller, int descriptor, uint64_t number) {
    (void)poller, (void)descriptor, (void)number;
}

void godwit_poller_remove(int poller, int descriptor) { (void)poller, (void)descriptor; }

int godwit_poller_wait(int poller, uint64_t *numbers, int capacity) {
    (void)poller, (void)numbers, (void)capacity;
    return -ENOTSUP;
}
#endif

int godwit_socket_duplicate(int descriptor) {
    int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? -errno : copy;
}

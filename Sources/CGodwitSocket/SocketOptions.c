#define _GNU_SOURCE
#define __APPLE_USE_RFC_3542

#include "SocketAddress.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <unistd.h>

#if defined(__linux__)
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef IPV6_AUTOFLOWLABEL
#define IPV6_AUTOFLOWLABEL 70
#endif
#endif

// A window of some megabytes can arrive while the event loop is busy elsewhere; what finds no room is lost and has
// to be sent again.
static const int buffer_size = 4 << 20;

static int set(int descriptor, int level, int name, int value) {
    return setsockopt(descriptor, level, name, &value, sizeof value) == 0 ? 0 : errno;
}

static sa_family_t family(int descriptor) {
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof storage;
    return getsockname(descriptor, (struct sockaddr *)&storage, &length) == 0 ? storage.ss_family : AF_UNSPEC;
}

// MARK: Options

static void enlarge_buffers(int descriptor) {
#if defined(__linux__)
    // Privileged processes are not bound to the system's limit.
    if (set(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, buffer_size) != 0)
        set(descriptor, SOL_SOCKET, SO_RCVBUF, buffer_size);
    if (set(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, buffer_size) != 0)
        set(descriptor, SOL_SOCKET, SO_SNDBUF, buffer_size);
#else
    set(descriptor, SOL_SOCKET, SO_RCVBUF, buffer_size);
    set(descriptor, SOL_SOCKET, SO_SNDBUF, buffer_size);
#endif
}

// RFC 9000 section 14: datagrams must not be fragmented, so IPv4 packets carry Don't Fragment. The kernel's own
// idea of the path's MTU is left out: the transport finds out by itself (RFC 8899).
static int forbid_fragments_ipv4(int descriptor) {
#if defined(__linux__)
    return set(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
#else
    return set(descriptor, IPPROTO_IP, IP_DONTFRAG, 1);
#endif
}

static int forbid_fragments_ipv6(int descriptor) {
#if defined(__linux__)
    int problem = set(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
    if (problem != 0) return problem;
#endif
    return set(descriptor, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
}

static int configure_ipv4(int descriptor) {
    set(descriptor, IPPROTO_IP, IP_RECVTOS, 1);
    int problem = set(descriptor, IPPROTO_IP, IP_PKTINFO, 1);
    return problem != 0 ? problem : forbid_fragments_ipv4(descriptor);
}

static int configure_ipv6(int descriptor) {
    set(descriptor, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    // These two are for IPv4 datagrams. Their packet information comes as that of IPv4-mapped addresses.
    set(descriptor, IPPROTO_IP, IP_RECVTOS, 1);
    forbid_fragments_ipv4(descriptor);
#if defined(__linux__)
    // RFC 9000 section 9.7: the kernel derives flow labels from addresses and ports, so that those of different
    // paths are not linked.
    set(descriptor, IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 1);
#endif
    int problem = set(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    return problem != 0 ? problem : forbid_fragments_ipv6(descriptor);
}

int godwit_socket_configure(int descriptor) {
    enlarge_buffers(descriptor);
#if defined(__linux__)
    set(descriptor, SOL_UDP, UDP_GRO, 1);
#endif
    switch (family(descriptor)) {
        case AF_INET: return configure_ipv4(descriptor);
        case AF_INET6: return configure_ipv6(descriptor);
        default: return EAFNOSUPPORT;
    }
}

bool godwit_socket_supports_trains(int descriptor) {
#if defined(__linux__)
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(descriptor, SOL_UDP, UDP_SEGMENT, &value, &length) == 0;
#else
    (void)descriptor;
    return false;
#endif
}

// MARK: Opening

static int prepare(int descriptor, bool is_ipv6) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) return errno;
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) return errno;
    // Can only be set before the bind.
    if (is_ipv6) set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    return godwit_socket_configure(descriptor);
}

static int bind_to(int descriptor, const struct godwit_address *local, bool is_ipv6, enum godwit_sharing sharing) {
    struct sockaddr_storage storage;
    socklen_t length = godwit_to_sockaddr(local, is_ipv6, &storage);
    if (sharing == GODWIT_SHARING_ALWAYS) {
        int problem = set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
        if (problem != 0) return problem;
    }
    if (bind(descriptor, (struct sockaddr *)&storage, length) != 0) return errno;
    return sharing == GODWIT_SHARING_AFTERWARDS ? set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) : 0;
}

int godwit_socket_open(const struct godwit_address *local, enum godwit_sharing sharing) {
    bool is_ipv6 = !godwit_is_ipv4(local);
    int descriptor = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    if (descriptor < 0) return -errno;
    int problem = prepare(descriptor, is_ipv6);
    if (problem == 0) problem = bind_to(descriptor, local, is_ipv6, sharing);
    if (problem == 0) return descriptor;
    close(descriptor);
    return -problem;
}

int godwit_socket_local_address(int descriptor, struct godwit_address *address) {
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof storage;
    if (getsockname(descriptor, (struct sockaddr *)&storage, &length) != 0) return errno;
    return godwit_from_sockaddr((struct sockaddr *)&storage, address) ? 0 : EAFNOSUPPORT;
}

void godwit_socket_close(int descriptor) { close(descriptor); }

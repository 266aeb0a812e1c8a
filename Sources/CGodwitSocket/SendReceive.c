#define _GNU_SOURCE
#define __APPLE_USE_RFC_3542

#include "SocketAddress.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/uio.h>

#if defined(__linux__)
#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#define GODWIT_RECEIVED_TOS IP_TOS
#else
#define GODWIT_RECEIVED_TOS IP_RECVTOS
#endif

// Room for packet information, the ECN bits and the segment size, and as much again.
union control_buffer {
    char bytes[256];
    struct cmsghdr alignment;
};

// MARK: Sending

static void append(struct msghdr *message, int level, int type, const void *value, size_t size) {
    struct cmsghdr *header = (struct cmsghdr *)((char *)message->msg_control + message->msg_controllen);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(header), value, size);
    message->msg_controllen += CMSG_SPACE(size);
}

// A datagram to an IPv4-mapped address is an IPv4 datagram, also on an IPv6 socket, and takes the control messages
// of IPv4: those of IPv6 are passed over.
static void append_ecn(struct msghdr *message, const struct godwit_outgoing *outgoing, bool is_ipv4) {
    int bits = outgoing->ecn;
    if (bits == 0) return;
    if (is_ipv4)
        append(message, IPPROTO_IP, IP_TOS, &bits, sizeof bits);
    else
        append(message, IPPROTO_IPV6, IPV6_TCLASS, &bits, sizeof bits);
}

static void append_source(struct msghdr *message, const struct godwit_outgoing *outgoing, bool is_ipv4) {
    if (!outgoing->has_source) return;
    if (is_ipv4) {
        struct in_pktinfo information;
        memset(&information, 0, sizeof information);
        information.ipi_spec_dst = godwit_to_ipv4(&outgoing->source);
        append(message, IPPROTO_IP, IP_PKTINFO, &information, sizeof information);
    } else {
        struct in6_pktinfo information;
        memset(&information, 0, sizeof information);
        information.ipi6_addr = godwit_to_ipv6(&outgoing->source);
        information.ipi6_ifindex = outgoing->source.scope;
        append(message, IPPROTO_IPV6, IPV6_PKTINFO, &information, sizeof information);
    }
}

static void append_segment_size(struct msghdr *message, const struct godwit_outgoing *outgoing) {
#if defined(__linux__)
    if (outgoing->segment_size == 0) return;
    append(message, SOL_UDP, UDP_SEGMENT, &outgoing->segment_size, sizeof outgoing->segment_size);
#endif
}

int godwit_socket_send(int descriptor, bool is_ipv6, const struct godwit_outgoing *outgoing) {
    struct sockaddr_storage destination;
    union control_buffer control;
    memset(&control, 0, sizeof control);
    struct iovec bytes = {.iov_base = (void *)outgoing->bytes, .iov_len = outgoing->count};
    struct msghdr message = {
        .msg_name = &destination,
        .msg_namelen = godwit_to_sockaddr(&outgoing->remote, is_ipv6, &destination),
        .msg_iov = &bytes,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
    };
    bool is_ipv4 = godwit_is_ipv4(&outgoing->remote);
    append_ecn(&message, outgoing, is_ipv4);
    append_source(&message, outgoing, is_ipv4);
    append_segment_size(&message, outgoing);
    if (message.msg_controllen == 0) message.msg_control = NULL;
    for (;;) {
        if (sendmsg(descriptor, &message, MSG_DONTWAIT) >= 0) return 0;
        if (errno != EINTR) return errno;
    }
}

// MARK: Receiving

static void read_ipv4(const struct cmsghdr *header, struct godwit_incoming *incoming) {
    const void *data = CMSG_DATA((struct cmsghdr *)header);
    if (header->cmsg_type == GODWIT_RECEIVED_TOS) {
        incoming->ecn = *(const uint8_t *)data & 3;
    } else if (header->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo information;
        memcpy(&information, data, sizeof information);
        incoming->local = godwit_from_ipv4(information.ipi_addr);
        incoming->has_local = true;
    }
}

static void read_ipv6(const struct cmsghdr *header, struct godwit_incoming *incoming) {
    const void *data = CMSG_DATA((struct cmsghdr *)header);
    if (header->cmsg_type == IPV6_TCLASS) {
        int traffic_class;
        memcpy(&traffic_class, data, sizeof traffic_class);
        incoming->ecn = (uint8_t)(traffic_class & 3);
    } else if (header->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo information;
        memcpy(&information, data, sizeof information);
        incoming->local = godwit_from_ipv6(&information.ipi6_addr);
        incoming->local.scope = (uint32_t)information.ipi6_ifindex;
        incoming->has_local = true;
    }
}

static void read_segment_size(const struct cmsghdr *header, struct godwit_incoming *incoming) {
#if defined(__linux__)
    if (header->cmsg_type != UDP_GRO) return;
    int size;
    memcpy(&size, CMSG_DATA((struct cmsghdr *)header), sizeof size);
    if (size > 0 && size <= UINT16_MAX) incoming->segment_size = (uint16_t)size;
#else
    (void)header;
    (void)incoming;
#endif
}

static void read_control(struct msghdr *message, struct godwit_incoming *incoming) {
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level == IPPROTO_IP) read_ipv4(header, incoming);
        if (header->cmsg_level == IPPROTO_IPV6) read_ipv6(header, incoming);
        if (header->cmsg_level == IPPROTO_UDP) read_segment_size(header, incoming);
    }
}

ptrdiff_t godwit_socket_receive(int descriptor, void *buffer, size_t capacity, struct godwit_incoming *incoming) {
    struct sockaddr_storage source;
    union control_buffer control;
    struct iovec bytes = {.iov_base = buffer, .iov_len = capacity};
    struct msghdr message = {
        .msg_name = &source,
        .msg_namelen = sizeof source,
        .msg_iov = &bytes,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    ssize_t count;
    do { count = recvmsg(descriptor, &message, MSG_DONTWAIT); } while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    memset(incoming, 0, sizeof *incoming);
    if (!godwit_from_sockaddr((struct sockaddr *)&source, &incoming->remote)) return -EAFNOSUPPORT;
    incoming->is_truncated = (message.msg_flags & MSG_TRUNC) != 0;
    read_control(&message, incoming);
    return count;
}

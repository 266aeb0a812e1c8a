#include "SocketAddress.h"

#include <arpa/inet.h>
#include <string.h>

bool godwit_is_ipv4(const struct godwit_address *address) {
    return address->high == 0 && address->low >> 32 == 0xffff;
}

struct in_addr godwit_to_ipv4(const struct godwit_address *address) {
    struct in_addr ip = {.s_addr = htonl((uint32_t)address->low)};
    return ip;
}

struct in6_addr godwit_to_ipv6(const struct godwit_address *address) {
    struct in6_addr ip;
    for (int i = 0; i < 8; i++) {
        ip.s6_addr[i] = (uint8_t)(address->high >> (56 - 8 * i));
        ip.s6_addr[i + 8] = (uint8_t)(address->low >> (56 - 8 * i));
    }
    return ip;
}

struct godwit_address godwit_from_ipv4(struct in_addr ip) {
    struct godwit_address address = {.low = UINT64_C(0xffff00000000) | ntohl(ip.s_addr)};
    return address;
}

struct godwit_address godwit_from_ipv6(const struct in6_addr *ip) {
    struct godwit_address address = {0};
    for (int i = 0; i < 8; i++) {
        address.high = address.high << 8 | ip->s6_addr[i];
        address.low = address.low << 8 | ip->s6_addr[i + 8];
    }
    return address;
}

socklen_t godwit_to_sockaddr(const struct godwit_address *address, bool is_ipv6, struct sockaddr_storage *storage) {
    if (!is_ipv6) {
        struct sockaddr_in *ipv4 = (struct sockaddr_in *)storage;
        memset(ipv4, 0, sizeof *ipv4);
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(address->port);
        ipv4->sin_addr = godwit_to_ipv4(address);
        return sizeof *ipv4;
    }
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)storage;
    memset(ipv6, 0, sizeof *ipv6);
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(address->port);
    ipv6->sin6_addr = godwit_to_ipv6(address);
    ipv6->sin6_scope_id = address->scope;
    return sizeof *ipv6;
}

bool godwit_from_sockaddr(const struct sockaddr *socket_address, struct godwit_address *address) {
    switch (socket_address->sa_family) {
        case AF_INET: {
            const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)socket_address;
            *address = godwit_from_ipv4(ipv4->sin_addr);
            address->port = ntohs(ipv4->sin_port);
            return true;
        }
        case AF_INET6: {
            const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)socket_address;
            *address = godwit_from_ipv6(&ipv6->sin6_addr);
            address->port = ntohs(ipv6->sin6_port);
            address->scope = ipv6->sin6_scope_id;
            return true;
        }
        default: return false;
    }
}

bool godwit_address_read(const void *socket_address, struct godwit_address *address) {
    return godwit_from_sockaddr(socket_address, address);
}

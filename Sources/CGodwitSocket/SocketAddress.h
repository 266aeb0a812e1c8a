#ifndef GODWIT_SOCKET_ADDRESS_H
#define GODWIT_SOCKET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "CGodwitSocket.h"

bool godwit_is_ipv4(const struct godwit_address *address);

struct in_addr godwit_to_ipv4(const struct godwit_address *address);
struct in6_addr godwit_to_ipv6(const struct godwit_address *address);

struct godwit_address godwit_from_ipv4(struct in_addr ip);
struct godwit_address godwit_from_ipv6(const struct in6_addr *ip);

/// Returns the length.
socklen_t godwit_to_sockaddr(const struct godwit_address *address, bool is_ipv6, struct sockaddr_storage *storage);

/// False for an address of another family.
bool godwit_from_sockaddr(const struct sockaddr *socket_address, struct godwit_address *address);

#endif

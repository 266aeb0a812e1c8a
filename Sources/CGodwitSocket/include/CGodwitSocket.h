// What Godwit needs of UDP sockets and SwiftNIO does not offer: above all control messages, which Swift cannot
// build because they are macros.
#ifndef GODWIT_SOCKET_H
#define GODWIT_SOCKET_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// An address and port in host byte order; IPv4 in its IPv4-mapped form, as GodwitWire keeps it.
struct godwit_address {
    uint64_t high;
    uint64_t low;
    uint32_t scope;
    uint16_t port;
};

/// Reads a `struct sockaddr`. False for an address of another family than IPv4 and IPv6.
bool godwit_address_read(const void *socket_address, struct godwit_address *address);

/// Who else may bind to the same address.
enum godwit_sharing {
    /// Nobody.
    GODWIT_SHARING_NEVER = 0,
    /// Nobody yet: the bind fails if the address is in use. Then sockets of the same user, if they share too.
    GODWIT_SHARING_AFTERWARDS = 1,
    /// Sockets of the same user that share too.
    GODWIT_SHARING_ALWAYS = 2,
};

/// Opens a UDP socket of the address's family, sets its options and binds it. An IPv6 socket takes IPv4 as well.
/// Returns the descriptor, or an errno negated.
int godwit_socket_open(const struct godwit_address *local, enum godwit_sharing sharing);

/// Sets all the options of a socket; can be called again when they may have been lost. Returns 0, or the errno of
/// an option that the protocol cannot do without.
int godwit_socket_configure(int descriptor);

/// Whether the system takes trains of datagrams on this socket.
bool godwit_socket_supports_trains(int descriptor);

/// The address that a socket is bound to. Returns 0 or an errno.
int godwit_socket_local_address(int descriptor, struct godwit_address *address);

/// What one call sends.
struct godwit_outgoing {
    const void *bytes;
    size_t count;
    /// The size of each datagram but the last; 0 for a single datagram.
    uint16_t segment_size;
    /// The two ECN bits.
    uint8_t ecn;
    /// Whether `source` is to be the sender's address; else the system chooses.
    bool has_source;
    struct godwit_address remote;
    struct godwit_address source;
};

/// Sends without blocking. Returns 0 or an errno.
int godwit_socket_send(int descriptor, bool is_ipv6, const struct godwit_outgoing *outgoing);

/// What came with a datagram, or a train of them.
struct godwit_incoming {
    struct godwit_address remote;
    /// The address it was sent to; without a port.
    struct godwit_address local;
    bool has_local;
    /// The size of each datagram but the last; 0 for a single datagram.
    uint16_t segment_size;
    uint8_t ecn;
    /// Whether the buffer was too small, so that the end is lost.
    bool is_truncated;
};

/// Receives without blocking. Returns the number of bytes, or an errno negated.
ptrdiff_t godwit_socket_receive(int descriptor, void *buffer, size_t capacity, struct godwit_incoming *incoming);

void godwit_socket_close(int descriptor);

/// Waits until something can be read from one of the descriptors, or for so long. Returns 0 or an errno.
int godwit_socket_wait(const int *descriptors, size_t count, int64_t nanoseconds);

/// Has the calling thread open its sockets in the network namespace that the descriptor stands for. Returns 0 or an
/// errno.
int godwit_network_enter(int descriptor);

/// Looks a host name up, blocking. Fills in up to `capacity` addresses, without ports, in the system's order of
/// preference (RFC 6724). Returns how many, or 0 and why in `problem`, which is never to be freed.
size_t godwit_resolve(const char *host, struct godwit_address *addresses, size_t capacity, const char **problem);

/// Seconds since 1970.
int64_t godwit_unix_time(void);

/// What an errno means.
void godwit_describe_errno(int number, char *text, size_t capacity);

#endif

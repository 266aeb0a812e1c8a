#define _GNU_SOURCE

#include "SocketAddress.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

size_t godwit_resolve(const char *host, struct godwit_address *addresses, size_t capacity, const char **problem) {
    // AI_ADDRCONFIG leaves out the family that this machine has no address of.
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    int result = getaddrinfo(host, NULL, &hints, &list);
    if (result != 0) {
        *problem = gai_strerror(result);
        return 0;
    }
    size_t count = 0;
    for (struct addrinfo *entry = list; entry != NULL && count < capacity; entry = entry->ai_next)
        if (godwit_from_sockaddr(entry->ai_addr, &addresses[count])) count++;
    freeaddrinfo(list);
    *problem = "it has no address";
    return count;
}

int64_t godwit_unix_time(void) { return (int64_t)time(NULL); }

void godwit_describe_errno(int number, char *text, size_t capacity) {
    snprintf(text, capacity, "%s", strerror(number));
}

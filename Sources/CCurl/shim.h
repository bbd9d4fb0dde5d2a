// Swift cannot import variadic C functions, so each libcurl setter and getter that Roost uses has one typed,
// inlined form here. libcurl reads the argument by the option's type: a "long" option must get exactly a long.
#ifndef ROOST_CCURL_SHIM_H
#define ROOST_CCURL_SHIM_H

#include <arpa/inet.h>
#include <curl/curl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#pragma clang assume_nonnull begin

typedef size_t (*ccurl_data_callback)(char *data, size_t size, size_t count, void *context);

// Process-wide set-up. SIGPIPE is ignored because OpenSSL writes to sockets without MSG_NOSIGNAL and
// CURLOPT_NOSIGNAL stops libcurl from guarding against it.
static inline CURLcode ccurl_global_init(void) {
    signal(SIGPIPE, SIG_IGN);
    return curl_global_init(CURL_GLOBAL_ALL);
}

static inline CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_string(CURL *handle, CURLoption option, const char *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, void *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_list(CURL *handle, CURLoption option, struct curl_slist *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_data_callback(CURL *handle, CURLoption option, ccurl_data_callback callback) {
    return curl_easy_setopt(handle, option, callback);
}

static inline CURLcode ccurl_set_open_socket(CURL *handle, curl_opensocket_callback callback) {
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, callback);
}

static inline CURLcode ccurl_set_prereq(CURL *handle, curl_prereq_callback callback) {
    return curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, callback);
}

// The size comes first: CURLOPT_COPYPOSTFIELDS copies as many bytes as are declared by then, and would
// otherwise stop at the first zero byte.
static inline CURLcode ccurl_copy_body(CURL *handle, const void *bytes, size_t count) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, (const char *)bytes);
}

// The bytes stay the caller's, who keeps them until the transfer is over or others are lent; never NULL, for which
// libcurl would ask a read callback.
static inline CURLcode ccurl_lend_body(CURL *handle, const void *bytes, size_t count) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_POSTFIELDS, (const char *)bytes);
}

// libcurl keeps a copy of the bytes.
static inline CURLcode ccurl_set_blob(CURL *handle, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = {(void *)bytes, count, CURL_BLOB_COPY};
    return curl_easy_setopt(handle, option, &blob);
}

static inline CURLcode ccurl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode ccurl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode ccurl_get_string(CURL *handle, CURLINFO info, const char *_Nullable *_Nonnull value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode ccurl_multi_set_watch(
    CURLM *multi, curl_socket_callback watch, curl_multi_timer_callback timer, void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer);
    return code == CURLM_OK ? curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context) : code;
}

// Has a poller wait at a socket for what libcurl asks for (CURL_POLL_IN and its siblings).
static inline void ccurl_watch(int poller, curl_socket_t socket, int what) {
    struct epoll_event event = {0};
    event.data.fd = socket;
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    if (what == CURL_POLL_REMOVE)
        epoll_ctl(poller, EPOLL_CTL_DEL, socket, NULL);
    else if (epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event) != 0)
        epoll_ctl(poller, EPOLL_CTL_MOD, socket, &event);
}

// Waits for at most 64 sockets; what happened at each in libcurl's words (CURL_CSELECT_IN and its siblings).
static inline int ccurl_wait(int poller, int milliseconds, int *sockets, int *happenings) {
    struct epoll_event events[64];
    int count = epoll_wait(poller, events, 64, milliseconds);
    for (int index = 0; index < count; index++) {
        unsigned what = events[index].events;
        sockets[index] = events[index].data.fd;
        happenings[index] = (what & EPOLLIN ? CURL_CSELECT_IN : 0) | (what & EPOLLOUT ? CURL_CSELECT_OUT : 0)
            | (what & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    }
    return count < 0 ? 0 : count;
}

// A descriptor that is ready to be read once somebody has rung it, until it is silenced; -1 when there is none left.
static inline int ccurl_bell(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline void ccurl_ring(int bell) { eventfd_write(bell, 1); }
static inline void ccurl_silence(int bell) {
    eventfd_t rings;
    eventfd_read(bell, &rings);
}

// The next finished transfer, or NULL. CURLMsg keeps its result in a union, which Swift cannot read safely.
static inline CURL *_Nullable ccurl_next_finished(CURLM *multi, CURLcode *result) {
    int left = 0;
    for (CURLMsg *message = curl_multi_info_read(multi, &left); message; message = curl_multi_info_read(multi, &left)) {
        if (message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return message->easy_handle;
        }
    }
    return NULL;
}

// Copies the address libcurl is about to connect to, in network order.
// Returns its length: 4, 16, or 0 for a family that is neither IPv4 nor IPv6.
static inline int ccurl_address_bytes(const struct curl_sockaddr *address, unsigned char *sixteen_bytes) {
    if (address->family == AF_INET) {
        memcpy(sixteen_bytes, &((const struct sockaddr_in *)(const void *)&address->addr)->sin_addr, 4);
        return 4;
    }
    if (address->family == AF_INET6) {
        memcpy(sixteen_bytes, &((const struct sockaddr_in6 *)(const void *)&address->addr)->sin6_addr, 16);
        return 16;
    }
    return 0;
}

// The same for an address of one of this machine's interfaces.
static inline int ccurl_socket_address_bytes(const struct sockaddr *address, unsigned char *sixteen_bytes) {
    if (address->sa_family == AF_INET) {
        memcpy(sixteen_bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
        return 4;
    }
    if (address->sa_family == AF_INET6) {
        memcpy(sixteen_bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
        return 16;
    }
    return 0;
}

// Parses a numeric address in its canonical spelling. Returns 4, 16, or 0 when it is no address.
static inline int ccurl_parse_address(const char *text, unsigned char *sixteen_bytes) {
    if (inet_pton(AF_INET, text, sixteen_bytes) == 1) return 4;
    if (inet_pton(AF_INET6, text, sixteen_bytes) == 1) return 16;
    return 0;
}

static inline curl_socket_t ccurl_open_socket(const struct curl_sockaddr *address) {
    int type = address->socktype;
#ifdef SOCK_CLOEXEC
    type |= SOCK_CLOEXEC;
#endif
    return socket(address->family, type, address->protocol);
}

#pragma clang assume_nonnull end

#endif

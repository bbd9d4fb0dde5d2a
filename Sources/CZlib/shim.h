// zlib's initialisers are macros, which Swift cannot import, and its streams must not move: they are made, stepped and
// ended here, behind an opaque pointer.
#ifndef ROOST_CZLIB_SHIM_H
#define ROOST_CZLIB_SHIM_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <zlib.h>

#pragma clang assume_nonnull begin

typedef struct czlib_stream {
    z_stream zlib;
    bool deflates;
} czlib_stream;

// What one step did: bytes taken from the input, bytes given to the output, and zlib's result.
typedef struct czlib_step {
    size_t consumed;
    size_t produced;
    int result;
} czlib_step;

// Adding 16 to the window's bits asks for the gzip wrapper, with its checksum (zlib.h, deflateInit2 and inflateInit2).
static inline czlib_stream *_Nullable czlib_begin(bool deflates, int level) {
    czlib_stream *stream = calloc(1, sizeof *stream);
    if (!stream) return NULL;
    stream->deflates = deflates;
    int result = deflates
        ? deflateInit2(&stream->zlib, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY)
        : inflateInit2(&stream->zlib, 15 + 16);
    if (result == Z_OK) return stream;
    free(stream);
    return NULL;
}

static inline czlib_step czlib_run(czlib_stream *stream, const unsigned char *_Nullable input, size_t count,
    unsigned char *output, size_t room, bool finish) {
    z_stream *zlib = &stream->zlib;
    zlib->next_in = (unsigned char *)input;
    zlib->avail_in = count > UINT_MAX ? UINT_MAX : (unsigned)count;
    zlib->next_out = output;
    zlib->avail_out = room > UINT_MAX ? UINT_MAX : (unsigned)room;
    unsigned given = zlib->avail_in, offered = zlib->avail_out;
    int result = stream->deflates
        ? deflate(zlib, finish && given == count ? Z_FINISH : Z_NO_FLUSH)
        : inflate(zlib, Z_NO_FLUSH);
    return (czlib_step){ given - zlib->avail_in, offered - zlib->avail_out, result };
}

static inline void czlib_end(czlib_stream *stream) {
    if (stream->deflates) deflateEnd(&stream->zlib); else inflateEnd(&stream->zlib);
    free(stream);
}

#pragma clang assume_nonnull end

#endif

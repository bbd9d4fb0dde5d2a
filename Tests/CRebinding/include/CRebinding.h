#ifndef CREBINDING_H
#define CREBINDING_H

/// From now on the name has these addresses in this process, numbers with commas between them; nothing makes it unknown
/// again.
///
/// This target's getaddrinfo stands before libc's for the whole test process, libcurl included, so that a test can change what
/// a name means between two look-ups.
void rebinding_set(const char *_Nonnull name, const char *_Nullable addresses);

/// How often the name was looked up since it was last set.
int rebinding_lookups(const char *_Nonnull name);

#endif

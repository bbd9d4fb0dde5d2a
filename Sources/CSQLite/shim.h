// sqlite3_config takes variable arguments, which Swift cannot call; everything else of SQLite comes by GRDB.
#pragma once
#include <sqlite3.h>

/// Stops SQLite from counting the memory it uses, for which it takes a lock with every allocation.
///
/// Nobody here asks for the count. Must come before SQLite is first used in the process; later it changes nothing.
static inline int csqlite_stop_counting_memory(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

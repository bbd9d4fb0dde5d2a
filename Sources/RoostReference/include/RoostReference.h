// Public lists that ship inside the binary: facts about schools and divisions as UTF-8 CSV, each with a header row, some
// with a byte order mark.
#ifndef ROOST_REFERENCE_H
#define ROOST_REFERENCE_H

#include <stddef.h>

/// The bytes of one list; they live as long as the process and are not terminated by a zero.
typedef struct roost_reference_list {
    const unsigned char *_Nonnull bytes;
    size_t count;
} roost_reference_list;

/// Institutions: code,name,department,city,level,double_first_class_since. Hong Kong and Macau have no code.
roost_reference_list roost_reference_schools(void);

/// GB/T 2260 divisions to county level, and towns of Jiangmen: code,name,level,parent.
roost_reference_list roost_reference_divisions(void);

/// What people call institutions: alias, official name, code.
roost_reference_list roost_reference_school_aliases(void);

/// Senior schools: name, kind, aliases separated by `|`.
roost_reference_list roost_reference_senior_schools(void);

/// Public holidays of the mainland: date,name. As announced for 2026; for 2027 those that are fixed by law.
roost_reference_list roost_reference_holidays(void);

#endif

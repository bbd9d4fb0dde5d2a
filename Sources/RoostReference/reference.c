// #embed needs no resource bundle and no array literal for the Swift compiler: the lists travel in the binary, and the
// object file is rebuilt when one of them changes.
#include "RoostReference.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char schools[] = {
#embed "../../Config/schools.csv"
};

static const unsigned char divisions[] = {
#embed "../../Config/divisions.csv"
};

static const unsigned char school_aliases[] = {
#embed "../../Config/school-aliases.csv"
};

static const unsigned char senior_schools[] = {
#embed "../../Config/senior-schools.csv"
};

static const unsigned char holidays[] = {
#embed "../../Config/holidays.csv"
};

roost_reference_list roost_reference_schools(void) {
    return (roost_reference_list){schools, sizeof schools};
}

roost_reference_list roost_reference_divisions(void) {
    return (roost_reference_list){divisions, sizeof divisions};
}

roost_reference_list roost_reference_school_aliases(void) {
    return (roost_reference_list){school_aliases, sizeof school_aliases};
}

roost_reference_list roost_reference_senior_schools(void) {
    return (roost_reference_list){senior_schools, sizeof senior_schools};
}

roost_reference_list roost_reference_holidays(void) {
    return (roost_reference_list){holidays, sizeof holidays};
}

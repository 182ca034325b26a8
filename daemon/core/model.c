/* The nouns are data; only the names of what is stored as a number live here. */
#include "core/model.h"

const char *why_name(Why why) {
        static const char *const names[] = {
                [WHY_VALUE] = "value", [WHY_MISSING] = "missing", [WHY_EMPTY] = "empty",
                [WHY_BAD] = "bad",     [WHY_GONE] = "gone",
        };
        return (size_t) why < ELEMENTSOF(names) ? names[why] : "unknown";
}

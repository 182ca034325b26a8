/* Array growth in one place, so that the overflow check is written once.
 *
 * Growing by half instead of doubling lets the allocator reuse what earlier rounds gave back. */
#include <errno.h>

#include "base/macro.h"

#define FIRST_CAP 8u

int array_grow(void *array_pp, size_t *cap, size_t need, size_t size) {
        void *old;

        if (need <= *cap)
                return 0;
        if (need > PTRDIFF_MAX / size)
                return -E2BIG;

        size_t want = MAX(need, *cap > SIZE_MAX - *cap / 2 ? need : *cap + *cap / 2);
        want = MAX(want, FIRST_CAP);
        if (want > PTRDIFF_MAX / size)
                want = need;

        memcpy(&old, array_pp, sizeof old);
        char *grown = reallocarray(old, want, size);
        if (!grown)
                return -ENOMEM;
        memset(grown + *cap * size, 0, (want - *cap) * size);
        memcpy(array_pp, &grown, sizeof grown);
        *cap = want;
        return 0;
}

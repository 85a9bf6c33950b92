/* SPDX-License-Identifier: ISC */
#include <stdio.h>

int
main(void)
{
    (void)puts("gatepost " GATEPOST_VERSION);
    return 0;
}

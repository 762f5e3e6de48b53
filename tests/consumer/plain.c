// SPDX-License-Identifier: MIT
int plain_c(void);
int plain_c(void) { return 0; }

/* The one place of the version. */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

#define SLUICE_VERSION "0.1.0"

#endif

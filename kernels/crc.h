/* CRC-32 as zlib has it, faster where the CPU multiplies without carries. */
#ifndef KERNELS_CRC_H
#define KERNELS_CRC_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of what `crc` is of and of n more bytes; 0 is that of none. */
uint32_t crc_update(uint32_t crc, const void *p, size_t n);

#endif

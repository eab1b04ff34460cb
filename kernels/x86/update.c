/* kernels/cpu/update.h for one instruction set. */
#include "kernels/x86/x86_int.h"

#define UPDATE(name) FN(name)
#include "kernels/cpu/update.h"
